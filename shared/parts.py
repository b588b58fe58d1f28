"""Work that processes share in parts: who has begun with which options, and which pieces are done.

All of it stands in a hidden folder of the draft that the parts have in common, and goes when the artifact is committed.
A piece (a shard, say) is the same whoever makes it, so that the artifact does not depend on the number of parts.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared import __version__
from shared.errors import BadInput
from shared.files import json_bytes, sha256, write_json
from shared.job import Part, Run

FOLDER = ".parts"


@dataclass(frozen=True)
class Begun:
    """What a part leaves when it begins: which of how many it is, and what it was asked for."""

    index: int
    count: int
    options: dict[str, Any]
    inputs: dict[str, str]


def begin(draft: Path, final: Path, request: Any, part: Part) -> None:
    """Leave word in `draft` that `part` of `request` has begun.

    Raises BadInput where a part of other options, of other inputs or of another number of parts has: they would never
    come together. Each part leaves word before it looks, so that of two that begin at once at least one sees the other.
    """
    mine = draft / FOLDER
    mine.mkdir(exist_ok=True)
    write_json(_word(draft, part), asdict(Begun(part.index, part.count, request.plain_options, request.input_hashes)))
    for path in sorted(final.parent.glob(f".{final.name}-*/{FOLDER}/begun-*.json")):
        other = _read(path)
        if other is None:
            continue
        begun = Begun(**other)
        found = request.differences(begun)
        if begun.count != part.count:
            found.append(f"--parts was {begun.count}, now {part.count}")
        if found:
            withdraw(draft, part)
            raise BadInput(
                f"{final}: part {begun.index} was begun otherwise: {'; '.join(found)}\n"
                f"begin every part alike; if that work is to be dropped, remove {path.parent.parent}"
            )


def withdraw(draft: Path, part: Part) -> None:
    """Take back the word that `part` has begun, and the draft if nothing else is in it."""
    _word(draft, part).unlink(missing_ok=True)
    for folder in (draft / FOLDER, draft):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _word(draft: Path, part: Part) -> Path:
    return draft / FOLDER / f"begun-{part.index:05d}.json"


class Pieces:
    """The pieces of a job's work, numbered from 0; each leaves a record when it is done.

    `plan` is what the pieces depend on besides the request, as JSON holds it: records of another plan, or of another
    version of halfreal, count as not there.
    """

    def __init__(self, run: Run, count: int, plan: Any = None) -> None:
        self.run, self.count = run, count
        self.plan = sha256(json_bytes([__version__, plan]))

    def todo(self) -> list[int]:
        """Return the pieces of this part that are not done."""
        return [number for number in self.run.part.mine(range(self.count)) if self._record(number) is None]

    def done(self, number: int, record: Any) -> None:
        """Leave the record of a piece, whose files stand under their names."""
        self._path(number).parent.mkdir(exist_ok=True)
        write_json(self._path(number), {"plan": self.plan, "record": record})

    def gather(self) -> list[Any] | None:
        """Return every record in order, or None while pieces of other parts are missing.

        From here to the commit no other part puts the pieces together.
        """
        self.run.alone()
        found = [self._record(number) for number in range(self.count)]
        return None if None in found else found

    def _record(self, number: int) -> Any:
        found = _read(self._path(number))
        return found["record"] if found is not None and found["plan"] == self.plan else None

    def _path(self, number: int) -> Path:
        return self.run.folder / FOLDER / f"piece-{number:05d}.json"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
