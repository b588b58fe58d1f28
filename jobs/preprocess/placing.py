"""Read the images, and say which split each goes to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.groups import Grouping
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.partition import Moves, check_filled, say_moved
from jobs.preprocess.phases.phase import Phases
from jobs.preprocess.phases.reading import Checking, Digesting
from jobs.preprocess.splits import exact_indexes, leaders_of, moves, split_indexes
from jobs.preprocess.subsets import Seeds, subsets
from jobs.preprocess.validate import naming_limits
from shared.cli.run import Run
from shared.errors import BadInput
from shared.runtime.processes import Spread
from shared.sources.digests import Digests
from shared.sources.items import Item, Source, named, plain
from shared.sources.rejects import Rejects, line_of

Indexes = NDArray[np.int64]

Places = dict[str, Indexes]
"""The places of each split's images among the readable ones."""


@dataclass(frozen=True)
class Readable:
    """Images that can be read: indexes in the source, int64 (N,), the sha256 of what they hold, labels, int64 (N,)."""

    source: Source
    indexes: Indexes
    contents: Digests
    labels: Indexes

    def __len__(self) -> int:
        return len(self.indexes)

    def item(self, place: int) -> Item:
        """Return the item of an image."""
        return self.source.items[int(self.indexes[place])]

    def items(self, places: Iterable[int]) -> Iterator[Item]:
        """Yield the items of images."""
        return (self.item(place) for place in places)

    def take(self, which: NDArray[Any]) -> "Readable":
        """Return the images that a mask or places select."""
        return Readable(self.source, self.indexes[which], self.contents[which], self.labels[which])


class Placed(NamedTuple):
    """Images that can be read and the places of each split among them.

    `moved` is how many follow a copy to another split; `also_real` held-out images were left out, being real ones, too.
    """

    readable: Readable
    places: Places
    moved: Moves
    also_real: int


def unseen(
    run: Run, config: PreprocessOptions, readable: Readable, partition: Sequence[str] | None
) -> tuple[Readable, int]:
    """Return the images without those held-out ones that are real images, too, and how many these are.

    A generator may have seen them: they are left where they were seen, unlike copies across official splits, which go
    to test. Raises BadInput where no other is left.
    """
    if config.held_out is None or partition is None:
        return readable, 0
    held = np.array([partition[index] == "test" for index in readable.indexes.tolist()], dtype=np.bool_)
    leaders = leaders_of(readable.contents)
    seen = np.full(len(readable), -1)
    seen[leaders[~held]] = np.flatnonzero(~held)
    copies = np.flatnonzero(held & (seen[leaders] >= 0))
    if not len(copies):
        return readable, 0
    first = int(copies[0])
    pair = " equals ".join(named(readable.item(place).origin) for place in (first, int(seen[leaders[first]])))
    if len(copies) == np.count_nonzero(held):
        raise BadInput(
            f"--held-out {config.held_out}: all of its {len(copies):,} images are real images of the source, too\n"
            f"for instance {pair}\nwant images that no generator saw: others than those of the source"
        )
    run.reporter.info(f"warning: held-out images that are in the source, too, left out: {len(copies):,} ({pair})")
    return readable.take(np.setdiff1d(np.arange(len(readable)), copies)), len(copies)


@dataclass(frozen=True)
class Placing:
    """What it takes to place images: `spread` applies a function to items in several processes.

    `partition` is the official split of each item, None where the split is random. `seeds` are those of the draws.
    """

    phases: Phases
    spread: Spread[Any, Any]
    config: PreprocessOptions
    source: Source
    partition: Sequence[str] | None
    rejects: Rejects
    seeds: Seeds

    @property
    def run(self) -> Run:
        """The run whose phases these are."""
        return self.phases.run

    def place(self, digesting: Digesting, labels: Indexes) -> Placed | None:
        """Return the chosen items that can be read, and where each goes, given the `labels` of all items.

        None while pieces of other parts are missing. BadInput where too many cannot be read, or too few are left.
        """
        # every image is hashed before any is split: where copies go depends on all of them
        readable = self._read(digesting, labels)
        if readable is None:
            return None
        self.rejects.check(self.run.folder)
        readable, also_real = unseen(self.run, self.config, readable, self.partition)
        fitting = self._fitting(readable)
        if fitting is None:
            return None
        readable, places = fitting
        moved = moves(self._official(readable), places)
        say_moved(self.run, moved)
        if self.partition is not None:
            check_filled(self.config, {name: len(found) for name, found in places.items()}, moved)
        groups = self._groups(readable)
        places = subsets(places, readable.labels, readable.contents, groups, self.config, self.seeds)
        return Placed(readable, places, moved, also_real)

    def _read(self, digesting: Digesting, labels: Indexes) -> Readable | None:
        """Return the items that can be read, with what each holds; put the others aside."""
        digested, chosen = digesting.read(), digesting.chosen
        if digested is None:
            return None
        sound = np.ones(len(chosen), np.bool_)
        for place, why in digested.unreadable.items():
            self.rejects.add(self.source.items[int(chosen[place])], why)
            sound[place] = False
        return Readable(self.source, chosen[sound], digested.contents[sound], labels[chosen[sound]])

    def _fitting(self, readable: Readable) -> tuple[Readable, Places] | None:
        """Return the images without broken ones that train would draw, and the splits; None while pieces are missing.

        Where train has an exact size, an image that turns out to be broken is replaced before anything is written.
        """
        places = self._split(readable)
        checking = Checking(self.phases, self.spread, self.source, self.config.target)
        sound: Indexes = np.zeros(0, np.int64)
        while self.config.train_size:
            train = places["train"]
            unknown = train[~np.isin(readable.indexes[train], sound)]
            # by their contents, too: what was found of other images says nothing
            plan = Digests(readable.contents.rows[unknown]).hash()
            broken = checking.broken(readable.indexes[unknown], plan)
            if broken is None:
                return None
            if not broken:
                break
            for found, why in broken.items():
                self.rejects.add(readable.item(unknown[found]), why)
            self.rejects.check(self.run.folder)
            sound = np.union1d(sound, readable.indexes[train])
            readable = readable.take(np.setdiff1d(np.arange(len(readable)), unknown[[*broken]]))
            places = self._split(readable)
        return readable, places

    def _official(self, readable: Readable) -> list[str] | None:
        """Return the official split of each image."""
        return None if self.partition is None else [self.partition[index] for index in readable.indexes.tolist()]

    def _split(self, readable: Readable) -> Places:
        """Return the places of the images of each split."""
        labels, contents = readable.labels, readable.contents
        official, groups = self._official(readable), self._groups(readable)
        if self.config.train_size:
            return exact_indexes(labels, contents, official, self.config, self.source.classes, groups)
        fractions = self.config.val_fraction, self.config.test_fraction
        with naming_limits(self.config):
            return split_indexes(labels, contents, official, *fractions, self.seeds.splits, groups)

    def _groups(self, readable: Readable) -> Grouping | None:
        """Return the group of each image, None where images are not in groups."""
        of = self.source.groups
        return None if of is None else Grouping([of[index] for index in readable.indexes.tolist()], self.source.classes)


def copies_of(readable: Readable, rejects: Rejects) -> list[tuple[Item, Item]]:
    """Return each image that is equal to an earlier one, with the first such; not those that were put aside."""
    aside = {line_of(rejected.origin) for rejected in rejects.rows}
    leaders = leaders_of(readable.contents)
    copies = np.flatnonzero(leaders != np.arange(len(leaders))).tolist()
    pairs = [(readable.item(place), readable.item(leaders[place])) for place in copies]
    return [pair for pair in pairs if line_of(pair[0].origin) not in aside]


def say_copies(run: Run, source: Source, copies: list[tuple[Item, Item]]) -> None:
    """Say how many images are copies of others, and warn of those that have another label."""
    if copies:
        example = " equals ".join(named(item.origin) for item in copies[0])
        run.reporter.info(f"images that are copies of others: {len(copies):,} ({example}); equal ones are in one split")
    torn = [pair for pair in copies if pair[0].label != pair[1].label]
    if torn:
        example = " equals ".join(f"{named(item.origin)} ({plain(source.classes[item.label])})" for item in torn[0])
        run.reporter.info(
            f"warning: images equal to one with another label: {len(torn):,} ({example}); "
            "both are kept: remove what has the wrong label"
        )
