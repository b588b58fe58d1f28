"""What a manifest and its pages list: files, shards with their indexes, pages."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.limits import NAME_LETTERS, PATH_LETTERS

TAR, INDEX = ".tar", ".idx"
"""The suffixes of a shard and of its index, which has the same name but for that."""


def index_name(shard: str) -> str:
    """Return the name of the index of the shard with this name."""
    return shard.removesuffix(TAR) + INDEX


def _inside(name: str) -> str:
    # a manifest from elsewhere must not make a job read or overwrite files outside of the artifact
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or not name.isprintable():
        raise ValueError(f"{name[:80]!r} is not a file inside the artifact's folder")
    if len(name) > PATH_LETTERS or any(len(part.encode()) > NAME_LETTERS for part in path.parts):
        raise ValueError(f"{name[:80]!r}... is longer than the name of a file can be")
    return name


Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A sha256 in hexadecimal."""


class FormatRecord(BaseModel):
    """A part of the format on disk, read strictly."""

    # forbid: an unknown field is a newer format's, which this build cannot claim to have read
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileInfo(FormatRecord):
    """One file of an artifact, by its name relative to the artifact's folder."""

    name: Annotated[str, AfterValidator(_inside)]
    bytes: int = Field(ge=0)
    sha256: Digest


class IndexInfo(FormatRecord):
    """The index of a shard, which has the shard's name with another suffix."""

    bytes: int = Field(ge=0)
    sha256: Digest


class ShardInfo(FileInfo):
    """A shard: also how many samples it holds, in all and of each class; a shard of version 1 has no index."""

    count: int = Field(ge=1)
    class_counts: list[int]
    index: IndexInfo | None = None

    @model_validator(mode="after")
    def _totals_agree(self) -> "ShardInfo":
        if self.count != sum(self.class_counts):
            raise ValueError("count differs from the sum over classes")
        return self


class PageInfo(FileInfo):
    """A page: also how many shards it lists, and how many samples these hold."""

    shards: int = Field(ge=1)
    count: int = Field(ge=1)
