"""The phases that read images before any is written: the digest of each, and a look at those that train draws."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.phases.phase import Phases
from shared.errors import HalfrealError
from shared.format.files import sha256
from shared.format.shards import shard_ranges
from shared.runtime.processes import Spread
from shared.sources.digests import DIGEST_BYTES, Digests, listing
from shared.sources.items import Item, Source, named
from shared.sources.reading import Target
from shared.sources.work import Unreadable, check, digest
from shared.store.records.base import Record, parse_record

PIECE_IMAGES = 1000
"""Images whose digests are one piece of the work: 32 kB."""

Indexes = NDArray[np.int64]


class Unread(Record):
    """An image that cannot be read: its place among those of the phase, and why."""

    place: int
    reason: str


class ReadPiece(Record):
    """What a part leaves of a piece: the images that cannot be read, and the sha256 of the file with the digests."""

    unread: list[Unread]
    sha256: str | None = None


class Digested(NamedTuple):
    """The digest of each image, zeros for one that cannot be read; `unreadable` has the reason, by its place."""

    contents: Digests
    unreadable: dict[int, Unreadable]


class Digesting:
    """The phase in which the images at the indexes `chosen` of a source are hashed, a piece of each part at a time."""

    def __init__(self, phases: Phases, spread: Spread[Any, Any], source: Source, chosen: Indexes) -> None:
        self.run, self.spread, self.source, self.chosen = phases.run, spread, source, chosen
        self.ranges = shard_ranges(len(chosen), PIECE_IMAGES)
        named = ((item.label, item.origin) for item in map(source.items.__getitem__, chosen.tolist()))
        self.phase = phases.begin("digests", len(self.ranges), listing(named))

    def read(self) -> Digested | None:
        """Return the digests of all images; None while pieces are missing of parts that are not at work."""
        if not self.phase.complete(self._digest):
            return None
        rows = np.zeros((len(self.chosen), DIGEST_BYTES), np.uint8)
        unreadable: dict[int, Unreadable] = {}
        for number, record in enumerate(self.phase.pieces.records() or []):
            piece, places = parse_record(ReadPiece, record, "digests"), self.ranges[number]
            payload = self.phase.pieces.read_column(number, "sha256", piece.sha256 or "")
            rows[places.start : places.stop] = np.frombuffer(payload, np.uint8).reshape(-1, DIGEST_BYTES)
            unreadable |= {places.start + each.place: Unreadable(each.reason) for each in piece.unread}
        return Digested(Digests(rows), unreadable)

    def changed(self, index: int) -> HalfrealError:
        """Have the piece of an image read again that is not what its digest says; return the error that says so."""
        self.phase.pieces.forget(int(np.searchsorted(self.chosen, index)) // PIECE_IMAGES)
        origin = self.source.items[index].origin
        return HalfrealError(f"{named(origin)}: changed since it was first read; run the same command again")

    def _digest(self, todo: list[int]) -> None:
        items = (self.source.items[index] for number in todo for index in _piece(self.chosen, self.ranges[number]))
        results = self.spread(digest, items)
        with self.run.reporter.bar("read", sum(len(self.ranges[number]) for number in todo), "images") as bar:
            for number in todo:
                rows, unread = bytearray(), []
                # not strict: the stream goes on with the images of the next piece
                for place, found in zip(range(len(self.ranges[number])), results, strict=False):
                    bar.advance()
                    if isinstance(found, Unreadable):
                        unread.append(Unread(place=place, reason=found.reason))
                        found = "00" * DIGEST_BYTES
                    rows += bytes.fromhex(found)
                stored = self.phase.pieces.write_column(number, "sha256", bytes(rows))
                self.phase.pieces.done(number, ReadPiece(unread=unread, sha256=stored).facts())


class Checking:
    """The phases in which images are prepared without being written, to find those that are broken."""

    def __init__(self, phases: Phases, spread: Spread[Any, Any], source: Source, target: Target) -> None:
        self.phases, self.spread, self.source, self.target = phases, spread, source, target
        self.rounds = 0

    def broken(self, indexes: Indexes, plan: object) -> dict[int, Unreadable] | None:
        """Return, by its place, why an image at these `indexes` cannot be prepared; None while pieces are missing.

        `plan` is what the choice of these images depends on.
        """
        ranges = shard_ranges(len(indexes), PIECE_IMAGES)
        self.rounds += 1
        phase = self.phases.begin(f"checks-{self.rounds}", len(ranges), [plan, sha256(indexes.tobytes())])

        def do(todo: list[int]) -> None:
            results = self.spread(
                partial(check, self.target), self._items(indexes, [ranges[number] for number in todo])
            )
            with phase.run.reporter.bar("check", sum(len(ranges[number]) for number in todo), "train images") as bar:
                for number in todo:
                    unread = []
                    for place, why in zip(range(len(ranges[number])), results, strict=False):
                        bar.advance()
                        unread += [] if why is None else [Unread(place=place, reason=why.reason)]
                    phase.pieces.done(number, ReadPiece(unread=unread).facts())

        if not phase.complete(do):
            return None
        pieces = [parse_record(ReadPiece, record, "checks") for record in phase.pieces.records() or []]
        return {
            places.start + each.place: Unreadable(each.reason)
            for places, piece in zip(ranges, pieces, strict=True)
            for each in piece.unread
        }

    def _items(self, indexes: Indexes, ranges: list[range]) -> Iterator[Item]:
        return (self.source.items[index] for places in ranges for index in _piece(indexes, places))


def _piece(indexes: Indexes, places: range) -> list[int]:
    """Return the indexes at the places of a piece."""
    found: list[int] = indexes[places.start : places.stop].tolist()
    return found
