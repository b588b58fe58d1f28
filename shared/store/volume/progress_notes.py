"""How far work in a staging folder is: a note for whoever looks at the volume, left every few seconds.

It is next to what shards of work leave (see `work_shards`), one for each, and goes with the commit.
"""

import math
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.disk.durable import make_folder, write_file
from shared.format.files import json_bytes
from shared.format.outside import parse_json, read_regular
from shared.store.work_shards import FOLDER

EVERY_S = 10.0
"""Seconds between two notes."""

NOTE_BYTES = 65_536
"""The most that is read of a note."""


@dataclass(frozen=True)
class Note:
    """The piece of work that is being done, how much of it is, at how many units a second, and when this was so.

    `noted` is Unix time, by the clock of the machine that does the work.
    """

    work: str
    done: int
    total: int
    unit: str
    per_s: float
    noted: float

    @property
    def left_s(self) -> float | None:
        """The seconds that the rest of this piece takes at this rate; None where there is no rate."""
        left_s = max(self.total - self.done, 0) / self.per_s if self.per_s > 0 else math.inf
        return left_s if math.isfinite(left_s) else None

    @property
    def words(self) -> str:
        """How far it is, in words."""
        share = 100 * self.done / max(self.total, 1)
        return f"{self.work}: {self.done:,} of {self.total:,} {self.unit} ({share:.0f} %)"


def note_file(staging: Path, shard: int) -> Path:
    """Return the file of a shard of the work in the folder `staging`, by its number."""
    return staging / FOLDER / f"progress-{shard:05d}.json"


def write_note(path: Path, note: Note) -> None:
    """Write a note; one that cannot be written is nothing to stop for."""
    with suppress(OSError):
        make_folder(path.parent)
        write_file(path, json_bytes(asdict(note)))


def read_notes(staging: Path) -> list[Note]:
    """Return the notes in a staging folder, by shard; one that is being written is left out."""
    notes = []
    for path in sorted((staging / FOLDER).glob("progress-*.json")):
        with suppress(OSError, ValueError, TypeError):
            note = Note(**parse_json(read_regular(path, NOTE_BYTES)))
            notes += [note] if _is_one(note) else []
    return notes


def _is_one(note: Note) -> bool:
    """Whether the fields of a note that somebody may have edited have the types of one."""
    numbers = (note.done, note.total, note.per_s, note.noted)
    texts = isinstance(note.work, str) and isinstance(note.unit, str)
    return texts and all(isinstance(each, int | float) and math.isfinite(each) for each in numbers)
