"""Prepare images, in any order; or in the order of their source first, where any other one takes much longer."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, tee
from pathlib import Path
from typing import Any

import numpy as np

from jobs.preprocess.phases.phase import Phases
from jobs.preprocess.phases.reading import PIECE_IMAGES, Digesting, Unread
from jobs.preprocess.placing import Indexes, Readable
from shared.cli.progress import ProgressBar
from shared.disk.durable import make_folder
from shared.format.files import sha256
from shared.format.index import INDEX_ROW, read_at
from shared.format.manifest import ShardInfo
from shared.format.sample import Members
from shared.format.shards import read_index, shard_name, shard_ranges, write_shard
from shared.runtime.processes import Spread
from shared.sources.reading import Target
from shared.sources.work import Changed, Unreadable, prepared
from shared.store.records.base import Record, parse_record
from shared.store.work_shards import FOLDER

Prepared = dict[str, bytes] | Unreadable
"""The members of a sample, or why there are none."""

Prepare = Callable[[Iterable[int]], Iterator[Prepared]]
"""Prepares the images at places among the readable ones, one after another."""


@dataclass(frozen=True)
class Preparing:
    """Prepares images in the order that is asked for; `spread` applies a function to items in several processes."""

    spread: Spread[Any, Any]
    target: Target
    readable: Readable
    digesting: Digesting

    def __call__(self, places: Iterable[int]) -> Iterator[Prepared]:
        """Yield what each image becomes; HalfrealError for one that is no longer what it was when it was hashed."""
        wanted, asked = tee(places)
        images = ((self.readable.item(place), self.readable.contents[place]) for place in wanted)
        for found, place in zip(self.spread(partial(prepared, self.target), images), asked, strict=True):
            if isinstance(found, Changed):
                raise self.digesting.changed(int(self.readable.indexes[place]))
            yield found


class Pack(Record):
    """What a part leaves of a piece: the shard with what was prepared, None without any, and what was not."""

    shard: ShardInfo | None
    unread: list[Unread]


class Packing:
    """The phase in which the images at the sorted places `taken` are prepared, in this order, as shards to read from.

    For sources of which a part must be read whole for each image in it: the row groups of Parquet.
    """

    def __init__(self, phases: Phases, prepare: Preparing, taken: Indexes, plan: object) -> None:
        self.run, self.prepare, self.taken = phases.run, prepare, taken
        self.ranges = shard_ranges(len(taken), PIECE_IMAGES)
        self.phase = phases.begin("packs", len(self.ranges), [plan, sha256(taken.tobytes())])

    def packed(self) -> Prepare | None:
        """Return what gives the prepared images in any order; None while pieces of other parts are missing."""
        if not self.phase.complete(self._pack):
            return None
        rows = np.zeros(len(self.taken), INDEX_ROW)
        reasons: dict[int, str] = {}
        for number, record in enumerate(self.phase.pieces.records() or []):
            pack, places = parse_record(Pack, record, "packs"), self.ranges[number]
            missing = [each.place for each in pack.unread]
            reasons |= {places.start + each.place: each.reason for each in pack.unread}
            if pack.shard:
                there = np.delete(np.arange(places.start, places.stop), missing)
                rows[there] = read_index(self._path(number), pack.shard)

        def look_up(places: Iterable[int]) -> Iterator[Prepared]:
            for place in places:
                rank = int(np.searchsorted(self.taken, place))
                if rank in reasons:
                    yield Unreadable(reasons[rank])
                else:
                    yield read_at(self._path(rank // PIECE_IMAGES), rows[rank])[1]

        return look_up

    def _pack(self, todo: list[int]) -> None:
        results = self.prepare(place for number in todo for place in self._places(number))
        count = sum(len(self.ranges[number]) for number in todo)
        with self.run.reporter.bar("prepare in order", count, "images") as bar:
            for number in todo:
                unread: list[Unread] = []
                made = _readable(zip(range(len(self.ranges[number])), results, strict=False), unread, bar)
                first = next(made, None)
                make_folder(self._path(number).parent)
                classes = len(self.prepare.readable.source.classes)
                shard = write_shard(self._path(number), chain([first], made), classes) if first else None
                self.phase.pieces.done(number, Pack(shard=shard, unread=unread).facts())

    def _places(self, number: int) -> list[int]:
        found: list[int] = self.taken[self.ranges[number].start : self.ranges[number].stop].tolist()
        return found

    def _path(self, number: int) -> Path:
        return self.run.folder / FOLDER / shard_name("packs", number)


def _readable(results: Iterable[tuple[int, Prepared]], unread: list[Unread], bar: ProgressBar) -> Iterator[Members]:
    """Yield the samples of a piece, named by their places; add the others to `unread`."""
    for place, found in results:
        bar.advance()
        if isinstance(found, Unreadable):
            unread.append(Unread(place=place, reason=found.reason))
        else:
            yield f"{place:08d}", found
