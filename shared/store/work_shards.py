"""Sharding of work over processes: which shards are registered with which options, and which pieces are done.

All of it is in a hidden folder of the staging folder that the shards have in common, and is removed by the commit.
A piece (a tar of a dataset, say) is the same whoever makes it, so that the artifact does not depend on the number of
shards.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from shared import __version__
from shared.disk.durable import make_folder, remove_file, remove_tree, write_whole
from shared.errors import BadInput, HalfrealError
from shared.format.files import json_bytes, sha256, write_json
from shared.store.identity import KEY

FOLDER = ".parts"


Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """The share of the work that a process does: number `index` of `count`, from 0."""

    index: int
    count: int

    def select(self, items: Iterable[Item]) -> list[Item]:
        """Return every `count`-th item, beginning with number `index`."""
        return list(items)[self.index :: self.count]

    def over_replicates(self, replicates: int) -> "list[tuple[int, Shard]]":
        """Return the replicates that the process works on, and which share of the work on each is its own.

        Whole replicates where there are at least as many as processes; else each is shared by several processes.
        """
        if self.count <= replicates:
            return [(replicate, WHOLE) for replicate in self.select(range(replicates))]
        replicate = self.index % replicates
        sharing = len(range(replicate, self.count, replicates))
        return [(replicate, Shard(self.index // replicates, sharing))]


WHOLE = Shard(0, 1)
"""All of the work."""


@dataclass(frozen=True)
class Registration:
    """What a shard leaves when it begins: its number, how many there are, options and inputs of the build key."""

    index: int
    count: int
    options: dict[str, object]
    inputs: dict[str, str]


def register(staging: Path, final: Path, key: Any, shard: Shard, at_work: Callable[[int], bool]) -> None:
    """Record in the folder `staging` that work on `shard` of `key` has begun.

    `at_work` says whether another process does the shard of a number at this moment. Shards of work that `key` extends
    are of the past unless a process is at one. Raises BadInput where a shard with other options, with other inputs or
    of another number of shards is registered: they would never make one artifact.
    """
    make_folder(staging / FOLDER)
    # written before the others are read, so that of two that begin at once at least one sees the other
    write_json(
        _registration_file(staging, shard),
        asdict(Registration(shard.index, shard.count, key.plain_options, key.input_hashes)),
    )
    for path in sorted(final.parent.glob(f".{final.name}-*/{FOLDER}/begun-*.json")):
        fields = _read(path)
        if fields is None:  # unregistered between the listing and now
            continue
        other = Registration(**fields)
        # a process that has registered here too has begun with the longer work
        living = other.index != shard.index and not _registration_file(staging, other).exists() and at_work(other.index)
        if key.is_extension_of(other) and not living:
            continue
        reasons = key.differences(other)
        if other.count != shard.count:
            reasons.append(f"--parts was {other.count}, now {shard.count}")
        if reasons:
            unregister(staging, shard)
            raise BadInput(
                f"{final}: part {other.index} was started with other options: {'; '.join(reasons)}\n"
                f"start every part with the same options; to discard that work, remove {path.parent.parent}"
            )


def unregister(staging: Path, shard: Shard) -> None:
    """Remove the registration of `shard`, and the staging folder if nothing else is in it."""
    remove_file(_registration_file(staging, shard))
    for folder in (staging / FOLDER, staging):
        if folder.is_dir() and not {path.name for path in folder.iterdir()} - {KEY}:
            remove_tree(folder, strict=True)


def forget(staging: Path) -> None:
    """Remove the registrations of all shards in the folder `staging`; what they have finished stays."""
    for path in (staging / FOLDER).glob("begun-*.json"):
        remove_file(path)


def drop(folder: Path) -> None:
    """Remove what all shards have left in the folder of an artifact; what cannot be removed stays."""
    if (folder / FOLDER).is_dir():
        remove_tree(folder / FOLDER)


def has_begun(staging: Path, index: int) -> bool:
    """Whether the shard of a number has begun in the folder `staging`, be it at work or not."""
    return (staging / FOLDER / f"begun-{index:05d}.json").exists()


def registered(staging: Path) -> bool:
    """Whether some shard has begun in the folder `staging`: others may go on in it."""
    return any((staging / FOLDER).glob("begun-*.json"))


def _registration_file(staging: Path, shard: "Shard | Registration") -> Path:
    return staging / FOLDER / f"begun-{shard.index:05d}.json"


class Sharded(Protocol):
    """What is known of a run whose work is cut into pieces: a `Run` is one."""

    @property
    def folder(self) -> Path:
        """The staging folder that all shards of the work share."""

    @property
    def shard(self) -> Shard:
        """Which pieces are this process's."""

    @property
    def exclusive(self) -> Callable[[], object]:
        """Waits until no other process gathers the pieces, and keeps others from doing so."""


class WorkShards:
    """The pieces of a job's work, numbered from 0; each leaves a record when it is done.

    `plan` is what the pieces depend on besides the build key, as JSON holds it. A job whose work has several phases
    gives the pieces of each a `name`. Records that were read or written are remembered: each is read once in all.
    """

    def __init__(self, run: Sharded, count: int, plan: object = None, name: str = "piece") -> None:
        self.run, self.count, self.name = run, count, name
        # the version too: pieces of an older build may differ, and one artifact must not mix them
        self.plan = sha256(json_bytes([__version__, plan]))
        self._known: dict[int, object] = {}

    def todo(self, shard: Shard | None = None) -> list[int]:
        """Return the pieces of a shard, this process's by default, that are not done."""
        pieces, there = (shard or self.run.shard).select(range(self.count)), self._listed()
        return [number for number in pieces if not (self._path(number).name in there and self.is_done(number))]

    def is_done(self, number: int) -> bool:
        """Whether a piece is done; asked of the file itself, where a listing may be some seconds old."""
        return number in self._known or self._read(number)

    def forget(self, number: int) -> None:
        """Have a piece done again, by its part or another: what it was made from has changed."""
        remove_file(self._path(number))
        self._known.pop(number, None)

    def done(self, number: int, record: object) -> None:
        """Record that a piece is done; its files must have their final names by now."""
        make_folder(self._path(number).parent)
        write_json(self._path(number), {"plan": self.plan, "record": record})
        self._known[number] = record

    def write_column(self, number: int, kind: str, payload: bytes) -> str:
        """Write a number or more for each item of a piece, which are too many for its record; return their sha256."""
        path = self._column(number, kind)
        make_folder(path.parent)
        write_whole(path, payload)
        return sha256(payload)

    def read_column(self, number: int, kind: str, digest: str) -> bytes:
        """Return what `write_column` wrote; HalfrealError, and the piece is not done any more, where it is broken."""
        path = self._column(number, kind)
        payload = path.read_bytes() if path.exists() else b""
        if sha256(payload) != digest:
            self.forget(number)
            raise HalfrealError(f"{path}: missing or altered; run the same command again: it will be made again")
        return payload

    def gather(self) -> list[object] | None:
        """Return every record in order, or None while pieces of other shards are missing."""
        # held until the commit, since two processes that both see every piece done would commit twice
        self.run.exclusive()
        if self.run.shard.count > 1 and not (self.run.folder / FOLDER).is_dir():
            return None  # another process has committed them meanwhile
        return self.records()

    def records(self) -> list[object] | None:
        """Return every record in order, or None while pieces are missing; the work goes on after these."""
        there = self._listed()
        # the folder is listed first, so that of n shards only the last one reads the records of the others
        missing = [number for number in range(self.count) if self._path(number).name not in there]
        # a listing of a network file system may be some seconds old, a file that is opened is not
        if not all(self._read(number) for number in missing):
            return None
        if not all(self.is_done(number) for number in range(self.count)):
            return None
        return [self._known[number] for number in range(self.count)]

    def _listed(self) -> set[str]:
        """Return the names of the files that shards have left; none where another process has committed them."""
        with suppress(FileNotFoundError):
            return {path.name for path in (self.run.folder / FOLDER).iterdir()}
        return set()

    def _read(self, number: int) -> bool:
        """Whether a piece is done, by this plan; then its record is remembered."""
        stored = _read(self._path(number))
        if stored is None or stored["plan"] != self.plan:
            return False
        self._known[number] = stored["record"]
        return True

    def _column(self, number: int, kind: str) -> Path:
        return self._path(number).with_suffix(f".{kind}")

    def _path(self, number: int) -> Path:
        return self.run.folder / FOLDER / f"{self.name}-{number:05d}.json"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
