"""The manifest: what an artifact holds, who made it, with which options, from what.

An artifact exists when its `manifest.json` exists. Manifests hold no time, host or path, so that equal work
gives equal manifests and the sha256 of a manifest names its artifact.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field, SkipValidation, ValidationError, model_serializer, model_validator

from shared.attributes import MOST, Combinations, combinations
from shared.errors import FormatError
from shared.format.files import json_bytes
from shared.format.outside import parse_json
from shared.format.pages import PagedShards, write_pages
from shared.format.records import FileInfo as FileInfo  # what a manifest lists is imported with it
from shared.format.records import FormatRecord, PageInfo
from shared.format.records import ShardInfo as ShardInfo

FORMAT = "halfreal"
VERSION = 2
MANIFEST = "manifest.json"


class _Split1(FormatRecord):
    """A split as version 1 stores it: every shard in the manifest, without an index."""

    count: int = Field(ge=0)
    class_counts: list[int]
    shards: list[ShardInfo]

    @model_validator(mode="after")
    def _totals_agree(self) -> "_Split1":
        if self.count != sum(shard.count for shard in self.shards):
            raise ValueError("count differs from the sum over shards")
        if any(shard.index for shard in self.shards):
            raise ValueError("a shard of version 1 has no index")
        classes = len(self.class_counts)
        if any(len(shard.class_counts) != classes for shard in self.shards):
            raise ValueError("a shard counts other classes than its split")
        if self.class_counts != [sum(shard.class_counts[i] for shard in self.shards) for i in range(classes)]:
            raise ValueError("class_counts differ from the sums over shards")
        return self

    def shards_in(self, folder: Path) -> Sequence[ShardInfo]:
        """Return the shards."""
        return self.shards


class _Split2(FormatRecord):
    """A split as version 2 stores it: the number of shards, and the pages that list them."""

    count: int = Field(ge=0)
    class_counts: list[int]
    shards: int = Field(ge=0)
    pages: list[PageInfo]

    @model_validator(mode="after")
    def _totals_agree(self) -> "_Split2":
        if (self.shards, self.count) != (sum(page.shards for page in self.pages), sum(p.count for p in self.pages)):
            raise ValueError("shards and count differ from the sums over pages")
        if self.count != sum(self.class_counts):
            raise ValueError("count differs from the sum over classes")
        return self

    def shards_in(self, folder: Path) -> Sequence[ShardInfo]:
        """Return the shards, whose pages are in `folder`."""
        return PagedShards(folder, self.pages, len(self.class_counts))


class Split(FormatRecord):
    """A split (train, val, test, ...): its totals, and its shards in reading order, which may be read when asked for.

    A split whose pages are not written yet has a list of shards; so has one of version 1.
    """

    count: int
    class_counts: list[int]
    shards: SkipValidation[Sequence[ShardInfo]]

    @property
    def pages(self) -> list[PageInfo]:
        """The pages that list the shards; none of version 1, or before they are written."""
        return self.shards.pages if isinstance(self.shards, PagedShards) else []

    @model_serializer
    def _stored(self) -> dict[str, Any]:
        totals = {"count": self.count, "class_counts": self.class_counts}
        if isinstance(self.shards, PagedShards):
            pages = [page.model_dump(mode="json") for page in self.shards.pages]
            return totals | {"shards": len(self.shards), "pages": pages}
        return totals | {"shards": [shard.model_dump(mode="json", exclude_none=True) for shard in self.shards]}


S = TypeVar("S", _Split1, _Split2, Split)


class _Described(FormatRecord, Generic[S]):
    classes: list[str] = Field(min_length=1)
    attributes: list[str] = Field(default=[], max_length=MOST)
    size_px: int = Field(ge=1)
    channels: Literal[1, 3]
    preparation: dict[str, object]
    splits: dict[str, S]

    @model_validator(mode="after")
    def _classes_agree(self) -> "_Described[S]":
        for name, split in self.splits.items():
            if len(split.class_counts) != len(self.classes):
                raise ValueError(f"split {name} counts {len(split.class_counts)} classes of {len(self.classes)}")
        if self.attributes and self.classes != combinations(self.attributes):
            raise ValueError("classes are not the combinations of the attributes, in the order of labels")
        return self


class Dataset(_Described[Split]):
    """What the samples of a dataset are; `preparation` says how images were cropped, resized and quantised.

    Where images have several `attributes`, there is a class for each combination of them; see `shared.attributes`.
    """

    @property
    def class_count(self) -> int:
        """The number of classes, which knows whether they are combinations of attributes."""
        return Combinations(len(self.attributes)) if self.attributes else len(self.classes)

    def paged(self, folder: Path) -> "Dataset":
        """Write the pages of every split into `folder`; return the dataset as its manifest describes it."""
        splits = {
            name: Split(
                count=split.count,
                class_counts=split.class_counts,
                shards=write_pages(folder, name, split.shards, len(self.classes)),
            )
            for name, split in self.splits.items()
        }
        return self.model_copy(update={"splits": splits})

    @property
    def pages(self) -> list[PageInfo]:
        """The pages of every split."""
        return [page for split in self.splits.values() for page in split.pages]


D = TypeVar("D")


class _Fields(FormatRecord, Generic[D]):
    format: Literal["halfreal"] = "halfreal"
    version: Literal[1, 2] = 2
    kind: str
    job: str
    halfreal: str
    options: dict[str, object]
    inputs: dict[str, str]
    files: list[FileInfo] = Field(default=[])
    dataset: D | None = None
    facts: dict[str, object] = Field(default={})
    extends: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


class Manifest(_Fields[Dataset]):
    """The whole record of an artifact.

    `inputs` maps each input artifact's name to the sha256 of its manifest. `files` lists every file that another
    job may read and that is no shard, index or page. `facts` holds the numbers that later jobs and the report read.
    `extends` is the sha256 of the manifest that this one took the place of when numbers were added to it and all else
    stayed.
    """

    def to_bytes(self) -> bytes:
        """Return the manifest as it is on disk; equal manifests give equal bytes.

        Raises ValueError where it is of version 2 and has shards that no page lists.
        """
        splits = self.dataset.splits.values() if self.dataset else ()
        if self.version > 1 and not all(isinstance(split.shards, PagedShards) for split in splits):
            raise ValueError("a split has no pages; write them first (`Dataset.paged`)")
        fields = self.model_dump(mode="json")
        # builds that do not know these fields read all manifests without them
        if self.extends is None:
            del fields["extends"]
        if self.dataset and not self.dataset.attributes:
            del fields["dataset"]["attributes"]
        return json_bytes(fields)


_VERSIONS: dict[int, type[_Fields[Any]]] = {1: _Fields[_Described[_Split1]], 2: _Fields[_Described[_Split2]]}
"""What is on disk, by version; the first is read for ever, the last is written."""


def parse_manifest(payload: bytes, path: Path) -> Manifest:
    """Return the manifest in `payload`, of any version; `path` names it in errors, and its folder has the pages.

    Raises FormatError for another format, an unknown version or a field that is missing, unknown or wrong.
    """
    try:
        fields = parse_json(payload)
    except ValueError as error:
        raise FormatError(f"{path}: is not JSON ({error})") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise FormatError(f"{path}: is not a halfreal manifest; point at a folder that a halfreal job wrote")
    version = fields.get("version")
    if type(version) is not int or version not in _VERSIONS:
        known = " and ".join(map(str, _VERSIONS))
        raise FormatError(f"{path}: format version {version!r}, this build reads {known}")
    try:
        stored = _VERSIONS[version].model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]  # one is enough: the user cannot fix a manifest, only rebuild it
        place = ".".join(str(part) for part in first["loc"])
        raise FormatError(f"{path}: field {place}: {first['msg']}") from error
    return Manifest(**(dict(stored) | {"dataset": _opened(stored.dataset, path.parent)}))


def _opened(stored: Any, folder: Path) -> Dataset | None:
    """Return the dataset that a manifest of some version in `folder` describes."""
    if stored is None:
        return None
    splits = {
        name: Split(count=split.count, class_counts=split.class_counts, shards=split.shards_in(folder))
        for name, split in stored.splits.items()
    }
    return Dataset(**(dict(stored) | {"splits": splits}))
