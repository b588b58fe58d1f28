"""Work that processes share in parts: who has begun with which options, and which pieces are done.

All of it stands in a hidden folder of the draft that the parts have in common, and goes when the artifact is committed.
A piece (a shard, say) is the same whoever makes it, so that the artifact does not depend on the number of parts.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from shared import __version__
from shared.errors import BadInput
from shared.format.files import json_bytes, sha256, write_json

FOLDER = ".parts"


Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Which part of the work a process does: number `index` of `count`, from 0."""

    index: int
    count: int

    def select(self, items: Iterable[Item]) -> list[Item]:
        """Return every `count`-th item, beginning with number `index`."""
        return list(items)[self.index :: self.count]


WHOLE = Shard(0, 1)
"""All of the work."""


@dataclass(frozen=True)
class Registration:
    """What a part leaves when it begins: which of how many it is, and what it was asked for."""

    index: int
    count: int
    options: dict[str, object]
    inputs: dict[str, str]


def register(draft: Path, final: Path, request: Any, part: Shard) -> None:
    """Leave word in `draft` that `part` of `request` has begun.

    Raises BadInput where a part of other options, of other inputs or of another number of parts has: they would never
    come together. Each part leaves word before it looks, so that of two that begin at once at least one sees the other.
    """
    mine = draft / FOLDER
    mine.mkdir(exist_ok=True)
    write_json(
        _word(draft, part), asdict(Registration(part.index, part.count, request.plain_options, request.input_hashes))
    )
    for path in sorted(final.parent.glob(f".{final.name}-*/{FOLDER}/begun-*.json")):
        other = _read(path)
        if other is None:
            continue
        begun = Registration(**other)
        found = request.differences(begun)
        if begun.count != part.count:
            found.append(f"--parts was {begun.count}, now {part.count}")
        if found:
            unregister(draft, part)
            raise BadInput(
                f"{final}: part {begun.index} was begun otherwise: {'; '.join(found)}\n"
                f"begin every part alike; if that work is to be dropped, remove {path.parent.parent}"
            )


def unregister(draft: Path, part: Shard) -> None:
    """Take back the word that `part` has begun, and the draft if nothing else is in it."""
    _word(draft, part).unlink(missing_ok=True)
    for folder in (draft / FOLDER, draft):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _word(draft: Path, part: Shard) -> Path:
    return draft / FOLDER / f"begun-{part.index:05d}.json"


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
        """Waits until no other process puts the pieces together."""


class WorkShards:
    """The pieces of a job's work, numbered from 0; each leaves a record when it is done.

    `plan` is what the pieces depend on besides the request, as JSON holds it: records of another plan, or of another
    version of halfreal, count as not there.
    """

    def __init__(self, run: Sharded, count: int, plan: object = None) -> None:
        self.run, self.count = run, count
        self.plan = sha256(json_bytes([__version__, plan]))

    def todo(self) -> list[int]:
        """Return the pieces of this part that are not done."""
        return [number for number in self.run.shard.select(range(self.count)) if self._record(number) is None]

    def done(self, number: int, record: object) -> None:
        """Leave the record of a piece, whose files stand under their names."""
        self._path(number).parent.mkdir(exist_ok=True)
        write_json(self._path(number), {"plan": self.plan, "record": record})

    def gather(self) -> list[object] | None:
        """Return every record in order, or None while pieces of other parts are missing.

        From here to the commit no other part puts the pieces together.
        """
        self.run.exclusive()
        found = [self._record(number) for number in range(self.count)]
        return None if None in found else found

    def _record(self, number: int) -> object:
        found = _read(self._path(number))
        return found["record"] if found is not None and found["plan"] == self.plan else None

    def _path(self, number: int) -> Path:
        return self.run.folder / FOLDER / f"piece-{number:05d}.json"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
