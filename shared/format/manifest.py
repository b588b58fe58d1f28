"""The manifest: what an artifact holds, who made it, with which options, from what.

An artifact exists when its `manifest.json` exists. Manifests hold no time, host or path, so that equal work
gives equal manifests and the sha256 of a manifest names its artifact.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import FormatError
from shared.format.files import json_bytes

FORMAT = "halfreal"
VERSION = 1
MANIFEST = "manifest.json"


def _inside(name: str) -> str:
    # a manifest from elsewhere must not make a job read or overwrite files outside of the artifact
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} is not a file inside the artifact's folder")
    return name


class _Record(BaseModel):
    # forbid: an unknown field is a newer format's, which this build cannot claim to have read
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileInfo(_Record):
    """One file of an artifact, by its name relative to the artifact's folder."""

    name: Annotated[str, AfterValidator(_inside)]
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ShardInfo(FileInfo):
    """A shard: also how many samples it holds, in all and of each class."""

    count: int = Field(ge=1)
    class_counts: list[int]

    @model_validator(mode="after")
    def _totals_agree(self) -> "ShardInfo":
        if self.count != sum(self.class_counts):
            raise ValueError("count differs from the sum over classes")
        return self


class Split(_Record):
    """A split (train, val, test, ...): its shards in reading order and their totals."""

    count: int = Field(ge=0)
    class_counts: list[int]
    shards: list[ShardInfo]

    @model_validator(mode="after")
    def _totals_agree(self) -> "Split":
        if self.count != sum(shard.count for shard in self.shards):
            raise ValueError("count differs from the sum over shards")
        classes = len(self.class_counts)
        if any(len(shard.class_counts) != classes for shard in self.shards):
            raise ValueError("a shard counts other classes than its split")
        if self.class_counts != [sum(shard.class_counts[i] for shard in self.shards) for i in range(classes)]:
            raise ValueError("class_counts differ from the sums over shards")
        return self


class Dataset(_Record):
    """What the samples of a dataset are; `preparation` says how images were cropped, resized and quantised."""

    classes: list[str] = Field(min_length=1)
    size_px: int = Field(ge=1)
    channels: Literal[1, 3]
    preparation: dict[str, object]
    splits: dict[str, Split]

    @model_validator(mode="after")
    def _classes_agree(self) -> "Dataset":
        for name, split in self.splits.items():
            if len(split.class_counts) != len(self.classes):
                raise ValueError(f"split {name} counts {len(split.class_counts)} classes of {len(self.classes)}")
        return self


class Manifest(_Record):
    """The whole record of an artifact.

    `inputs` maps each input artifact's name to the sha256 of its manifest. `files` lists every file that another
    job may read and that is not a shard. `facts` holds the numbers that later jobs and the report read. `extends` is
    the sha256 of the manifest that this one took the place of when numbers were added to it and all else stayed.
    """

    format: Literal["halfreal"] = "halfreal"
    version: Literal[1] = 1
    kind: str
    job: str
    halfreal: str
    options: dict[str, object]
    inputs: dict[str, str]
    files: list[FileInfo] = []
    dataset: Dataset | None = None
    facts: dict[str, object] = {}
    extends: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")

    def to_bytes(self) -> bytes:
        """Return the manifest as it is on disk; equal manifests give equal bytes."""
        fields = self.model_dump(mode="json")
        if self.extends is None:  # builds that do not know the field read all manifests but these
            del fields["extends"]
        return json_bytes(fields)


def parse_manifest(payload: bytes, path: Path) -> Manifest:
    """Return the manifest in `payload`; `path` names it in errors.

    Raises FormatError for another format, an unknown version or a field that is missing, unknown or wrong.
    """
    try:
        fields = json.loads(payload)
    except ValueError as error:
        raise FormatError(f"{path}: is not JSON ({error})") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise FormatError(f"{path}: is not a halfreal manifest; point at a folder that a halfreal job wrote")
    if fields.get("version") != VERSION:
        raise FormatError(f"{path}: format version {fields.get('version')!r}, this build reads {VERSION}")
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]  # one is enough: the user cannot fix a manifest, only rebuild it
        place = ".".join(str(part) for part in first["loc"])
        raise FormatError(f"{path}: field {place}: {first['msg']}") from error
