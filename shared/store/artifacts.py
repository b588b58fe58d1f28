"""Finished artifacts: folders whose files are verified as they are read. `staging` writes them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, cast, overload

from shared.errors import FormatError, MissingArtifact
from shared.format.files import read_whole, sha256
from shared.format.manifest import MANIFEST, Dataset, FileInfo, Manifest, ShardInfo, Split, parse_manifest
from shared.format.outside import read_regular
from shared.format.presence import check_sizes, compare_names
from shared.format.records import TAR
from shared.limits import MANIFEST_BYTES
from shared.runtime.observe.observation import count
from shared.store.job import PLAIN, Job, R, record_class
from shared.store.replicates import as_there, place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shared.store.records.datasets import Preparation

SAME_PLACE = " (with the same options, --recipe, --experiment and --data-root)"

KEPT_INDEXES = 16
"""Indexes of an artifact in memory: one of 1,000 samples takes 20 kB."""


@dataclass(frozen=True)
class Artifact(Generic[R]):
    """A finished artifact. `sha256` is that of its manifest and names the whole of it.

    `identity` names what later jobs read of it: it stays when numbers are added that only the report shows.
    `made_by` is the job that a user runs to make it, `record_name` the row that `record` reads its facts as.
    """

    folder: Path
    manifest: Manifest
    sha256: str
    made_by: str = ""
    record_name: str = PLAIN

    @property
    def identity(self) -> str:
        """The sha256 of the first manifest of the artifact, before anything was added to it."""
        return self.manifest.extends or self.sha256

    @cached_property
    def record(self) -> R:
        """What the job says of the artifact; FormatError if something that this build reads is missing or wrong."""
        # here, since commands that read no record need not import its models
        from shared.store.records.base import parse_record

        where = f"{self.folder / MANIFEST}: what {self.made_by or self.manifest.job} recorded (`facts`)"
        with self.remedy():
            record: R = parse_record(record_class(self.record_name), self.manifest.facts, where)
        return record

    @property
    def dataset(self) -> Dataset:
        """The dataset's description; FormatError if the artifact is not a dataset."""
        if self.manifest.dataset is None:
            raise FormatError(f"{self.folder}: a {self.manifest.kind}, want a dataset")
        return self.manifest.dataset

    @property
    def facts(self) -> dict[str, object]:
        """What the job recorded, as it is stored; `record` has it in typed rows."""
        return self.manifest.facts

    @property
    def preparation(self) -> "Preparation":
        """How the images of a dataset were prepared, as far as later jobs need it; FormatError if that is missing."""
        from shared.store.records.base import parse_record
        from shared.store.records.datasets import Preparation

        with self.remedy():
            where = f"{self.folder / MANIFEST}: `dataset.preparation`"
            return parse_record(Preparation, self.dataset.preparation, where)

    def read(self, name: str) -> bytes:
        """Return a listed file's bytes, checked against the manifest; FormatError if it is not as recorded."""
        info = self._files.get(name)
        if info is None:
            raise FormatError(f"{self.folder}: its manifest lists no file {name!r}")
        with self.remedy():
            payload = read_whole(self.folder / name, info.bytes, info.sha256)
        count("read_bytes_total", len(payload))
        return payload

    def shards(self, split: str) -> "Sequence[tuple[Path, ShardInfo]]":
        """Return (path, record) of each shard of `split` in reading order; FormatError for an unknown split.

        Records are read a page at a time as they are asked for; their number is known at once.
        """
        return _Located(self, self.split(split).shards)

    def split(self, name: str) -> Split:
        """Return what the manifest says of a split; FormatError for an unknown one."""
        split = self.dataset.splits.get(name)
        if split is None:
            known = ", ".join(self.dataset.splits)
            raise FormatError(f"{self.folder}: no split {name!r}, it has {known}")
        return split

    def index(self, split: str, number: int) -> "NDArray[np.void]":
        """Return INDEX_ROW (samples,) of the shard at place `number` of `split`, checked against its record.

        The last ones asked for are kept. That of a shard of version 1 is made by reading all of the shard.
        """
        from shared.format.shards import read_index  # here, since it imports numpy and Pillow

        rows = self._indexes.pop((split, number), None)
        if rows is None:
            path, info = self.shards(split)[number]
            with self.remedy():
                rows = read_index(path, info)
        self._indexes[split, number] = rows
        while len(self._indexes) > KEPT_INDEXES:
            del self._indexes[next(iter(self._indexes))]
        return rows

    def members(self, split: str) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Yield (key, bytes by member type) of each sample of `split`, every shard checked whole."""
        for path, info in self.shards(split):
            yield from self.shard_members(path, info)

    def shard_members(self, path: Path, info: ShardInfo) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Yield (key, bytes by member type) of each sample of one shard, after checking the whole of it."""
        from shared.format.shards import read_members  # here, since it imports numpy and Pillow

        count("read_bytes_total", info.bytes)  # all of it, before the first sample
        with self.remedy():
            yield from read_members(path, info)

    @contextmanager
    def remedy(self) -> Iterator[None]:
        """Add to a FormatError which command makes this artifact again."""
        with _remedy(self.made_by or self.manifest.job):
            yield

    @cached_property
    def _indexes(self) -> "dict[tuple[str, int], NDArray[np.void]]":
        return {}

    @cached_property
    def _files(self) -> dict[str, FileInfo]:
        return {info.name: info for info in self.manifest.files}


class _Located(Sequence[tuple[Path, ShardInfo]]):
    """The shards of a split of `artifact`, each with its path."""

    def __init__(self, artifact: Artifact, shards: Sequence[ShardInfo]) -> None:
        self.artifact, self.infos = artifact, shards

    def __len__(self) -> int:
        return len(self.infos)

    def __iter__(self) -> Iterator[tuple[Path, ShardInfo]]:
        with self.artifact.remedy():  # of pages: errors of who goes through the shards do not come by here
            yield from ((self.artifact.folder / info.name, info) for info in self.infos)

    @overload
    def __getitem__(self, index: int) -> tuple[Path, ShardInfo]: ...

    @overload
    def __getitem__(self, index: slice) -> list[tuple[Path, ShardInfo]]: ...

    def __getitem__(self, index: int | slice) -> tuple[Path, ShardInfo] | list[tuple[Path, ShardInfo]]:
        with self.artifact.remedy():
            if isinstance(index, slice):
                return [(self.artifact.folder / info.name, info) for info in self.infos[index]]
            return self.artifact.folder / self.infos[index].name, self.infos[index]


def open_output(row: Job[R], folder: Path, replicate: int | None = None) -> Artifact[R]:
    """Open what the job in `row` wrote in the experiment's `folder`; as `open_artifact`.

    A replicated job has one for each replicate: the first is opened where none is named.
    """
    there = place(as_there(row, folder), replicate)
    return as_output(row, open_artifact(folder / there, row.kind, row.name))


def as_output(row: Job[R], artifact: Artifact) -> Artifact[R]:
    """Return the same artifact as what the job in `row` wrote, whose record is its own."""
    same = (artifact.made_by, artifact.record_name) == (row.name, row.record)
    return cast("Artifact[R]", artifact if same else replace(artifact, made_by=row.name, record_name=row.record))


def inputs_of(inputs: Mapping[str, Artifact], row: Job[R]) -> list[Artifact[R]]:
    """Return the artifacts of the job in `row` among `inputs`, which are by place: of its replicates, in order."""
    made = {name: artifact for name, artifact in inputs.items() if name.partition("/")[0] == row.writes}
    return [as_output(row, made[name]) for name in sorted(made)]


def named(inputs: Mapping[str, Artifact], name: str) -> Artifact:
    """Return the artifact called `name`, such as "real", among `inputs`, which are by place; of several the first."""
    return inputs[min(place for place in inputs if place.partition("/")[0] == name)]


def input_of(inputs: Mapping[str, Artifact], row: Job[R]) -> Artifact[R]:
    """Return the one artifact of the job in `row` among `inputs`; of several replicates the first."""
    return inputs_of(inputs, row)[0]


def open_artifact(folder: Path, kind: str, made_by: str) -> Artifact:
    """Open a finished artifact of `kind`; `made_by` names the job that a user runs to make it.

    Checks that the manifest exists and is valid and that every file it lists exists with its size. Raises
    MissingArtifact or FormatError.
    """
    path = folder / MANIFEST
    try:
        payload = read_regular(path, MANIFEST_BYTES)
    except PermissionError:  # another user's artifact may be complete: "run first" would be the wrong advice
        raise
    except OSError as error:
        what = "is unfinished: it has no manifest.json" if folder.is_dir() else "does not exist"
        raise MissingArtifact(f"{folder}: {what}; run first: halfreal {made_by}{SAME_PLACE}") from error
    with _remedy(made_by):
        manifest = parse_manifest(payload, path)
    if manifest.kind != kind:
        raise FormatError(
            f"{folder}: holds a {manifest.kind}, want a {kind}; run first: halfreal {made_by}{SAME_PLACE}"
        )
    _check_files(folder, manifest, made_by)
    return Artifact(folder, manifest, sha256(payload), made_by)


@contextmanager
def _remedy(job: str) -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{error}\nmake it again: halfreal {job} --force{SAME_PLACE}") from error


def _check_files(folder: Path, manifest: Manifest, made_by: str) -> None:
    # sizes and names alone, since every job opens its inputs at its start: `read` hashes what is really read
    with _remedy(made_by):
        check_sizes(folder, manifest)
        missing, extra = compare_names(folder, manifest)
        if missing:
            raise FormatError(f"{folder / missing[0]}: missing, its manifest lists it")
    # a shard that a user copied in would be silently left out of every split
    if extra:
        what = "a shard" if extra[0].endswith(TAR) else "an index of a shard"
        raise FormatError(f"{folder / extra[0]}: {what} that the manifest does not list; move it away")
