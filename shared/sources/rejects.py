"""Images that could not be read: put aside with the reason, and too many of them end the job."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.disk.durable import remove_file, write_whole
from shared.errors import BadInput
from shared.sources.items import Item, named
from shared.sources.work import Unreadable
from shared.store.records.base import Record

REJECTED = "rejected.jsonl"


class Rejected(Record):
    """An image that could not be read: where it came from, and why."""

    origin: dict[str, object]
    reason: str


@dataclass
class Rejects:
    """Images that could not be read: where they came from and why."""

    total: int
    allowed: float
    rows: list[Rejected] = field(default_factory=list)

    def add(self, item: Item, why: Unreadable) -> None:
        """Put an image aside."""
        self.rows.append(Rejected(origin=item.origin, reason=why.reason))

    def payload(self) -> bytes:
        """Return the rows as JSON lines."""
        return "".join(f"{line_of(row.facts())}\n" for row in self.rows).encode()

    def store(self, folder: Path) -> None:
        """Write the rows into the staging `folder`, if there are any, in place of those of an earlier, failed run."""
        # a report of a run that failed would contradict the artifact that now exists
        for stale in (report_path(folder), folder / REJECTED):
            remove_file(stale)
        if self.rows:
            write_whole(folder / REJECTED, self.payload())

    def check(self, folder: Path) -> None:
        """Write the rows next to the artifact that is made in `folder` and raise BadInput if more than are allowed."""
        if len(self.rows) <= self.allowed * self.total:
            return
        # next to the artifact: the staging folder of a failed job may be removed
        path = report_path(folder)
        write_whole(path, self.payload())
        first = self.rows[0]
        raise BadInput(
            f"{len(self.rows):,} of {self.total:,} images cannot be read, more than --max-rejected {self.allowed:.1%}\n"
            f"the first: {named(first.origin)}: {first.reason}\n"
            f"those found so far, with reasons: {path}; repair or remove them, or raise --max-rejected"
        )


def report_path(folder: Path) -> Path:
    """Return where the rows go when they are too many: next to the artifact that is not made, called after it."""
    name, _, _ = folder.name.removeprefix(".").rpartition("-")
    return folder.parent / f"{name}-{REJECTED}"


def line_of(row: Mapping[str, object]) -> str:
    """Return what JSON lines hold of an image: equal texts, equal images."""
    return json.dumps(row, sort_keys=True)
