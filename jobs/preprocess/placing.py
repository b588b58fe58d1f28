"""Read the images, and say which split each goes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.groups import Grouping
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.partition import Moves, check_filled, say_moved
from jobs.preprocess.splits import exact_indexes, moves, split_indexes
from jobs.preprocess.subsets import Seeds, subsets
from jobs.preprocess.validate import naming_limits
from shared.cli.run import Run
from shared.errors import BadInput
from shared.runtime.processes import Spread
from shared.sources.items import Item, Source, named
from shared.sources.rejects import Rejects
from shared.sources.work import Unreadable, check, digest

Places = dict[str, NDArray[np.int64]]
"""The places of each split's images among the readable ones."""


@dataclass(frozen=True)
class Readable:
    """An image that can be read: its index in the source, its item, the sha256 of what it holds."""

    index: int
    item: Item
    content: str


class Placed(NamedTuple):
    """Images that can be read and the places of each split among them.

    `moved` is how many follow a copy to another split; `also_real` held-out images were left out, being real ones, too.
    """

    readable: list[Readable]
    places: Places
    moved: Moves
    also_real: int


def unseen(
    run: Run, config: PreprocessOptions, readable: list[Readable], partition: Sequence[str] | None
) -> tuple[list[Readable], int]:
    """Return the images without those held-out ones that are real images, too, and how many these are.

    A generator may have seen them: they are left where they were seen, unlike copies across official splits, which go
    to test. Raises BadInput where no other is left.
    """
    if config.held_out is None or partition is None:
        return readable, 0
    held = [image for image in readable if partition[image.index] == "test"]
    seen = {image.content: image for image in readable if partition[image.index] != "test"}
    copies = [image for image in held if image.content in seen]
    if not copies:
        return readable, 0
    pair = f"{named(copies[0].item.origin)} equals {named(seen[copies[0].content].item.origin)}"
    if len(copies) == len(held):
        raise BadInput(
            f"--held-out {config.held_out}: all of its {len(held):,} images are real images of the source, too\n"
            f"for instance {pair}\nwant images that no generator saw: others than those of the source"
        )
    run.reporter.info(f"warning: held-out images that are in the source, too, left out: {len(copies):,} ({pair})")
    gone = {image.index for image in copies}
    return [image for image in readable if image.index not in gone], len(copies)


@dataclass(frozen=True)
class Placing:
    """What it takes to place images: `spread` applies a function to items in several processes.

    `partition` is the official split of each item, None where the split is random. `seeds` are those of the draws.
    """

    run: Run
    spread: Spread[Any, Any]
    config: PreprocessOptions
    source: Source
    partition: Sequence[str] | None
    rejects: Rejects
    seeds: Seeds

    def place(self, chosen: NDArray[np.int64]) -> Placed:
        """Return the chosen items that can be read, and where each goes.

        BadInput where too many cannot be read, or too few are left.
        """
        # every image is hashed before any is split: where copies go depends on all of them
        readable = self._read(chosen)
        self.rejects.check(self.run.folder)
        readable, also_real = unseen(self.run, self.config, readable, self.partition)
        places = self._split(readable)
        sound: set[int] = set()
        # where train has an exact size, an image that turns out to be broken is replaced before anything is written
        while self.config.train_size and (broken := self._broken(readable, places["train"].tolist(), sound)):
            self.rejects.check(self.run.folder)
            readable = [image for place, image in enumerate(readable) if place not in broken]
            places = self._split(readable)
        moved = moves(self._official(readable), places)
        say_moved(self.run, moved)
        if self.partition is not None:
            check_filled(self.config, {name: len(found) for name, found in places.items()}, moved)
        labels, contents = _labels(readable), [image.content for image in readable]
        places = subsets(places, labels, contents, self._groups(readable), self.config, self.seeds)
        return Placed(readable, places, moved, also_real)

    def _read(self, chosen: NDArray[np.int64]) -> list[Readable]:
        """Return the items that can be read, with what each holds; put the others aside."""
        readable = []
        digests = self.spread(digest, (self.source.items[index] for index in chosen.tolist()))
        shown = self.run.reporter.each(digests, "read", len(chosen), "images")
        for index, content in zip(chosen.tolist(), shown, strict=True):
            if isinstance(content, Unreadable):
                self.rejects.add(self.source.items[index], content)
            else:
                readable.append(Readable(index, self.source.items[index], content))
        return readable

    def _official(self, readable: list[Readable]) -> list[str] | None:
        """Return the official split of each image."""
        return None if self.partition is None else [self.partition[image.index] for image in readable]

    def _split(self, readable: list[Readable]) -> Places:
        """Return the places of the images of each split."""
        labels, contents = _labels(readable), [image.content for image in readable]
        official, groups = self._official(readable), self._groups(readable)
        if self.config.train_size:
            return exact_indexes(labels, contents, official, self.config, self.source.classes, groups)
        fractions = self.config.val_fraction, self.config.test_fraction
        with naming_limits(self.config):
            return split_indexes(labels, contents, official, *fractions, self.seeds.splits, groups)

    def _groups(self, readable: list[Readable]) -> Grouping | None:
        """Return the group of each image, None where images are not in groups."""
        of = self.source.groups
        return None if of is None else Grouping([of[image.index] for image in readable], self.source.classes)

    def _broken(self, readable: list[Readable], train: list[int], sound: set[int]) -> set[int]:
        """Return the places of train images that cannot be prepared, put aside; `sound` is what was found to be fine.

        It holds the indexes of such images and grows.
        """
        unknown = [place for place in train if readable[place].index not in sound]
        reasons = self.spread(partial(check, self.config.target), (readable[place].item for place in unknown))
        shown = self.run.reporter.each(reasons, "check", len(unknown), "train images")
        broken = set()
        for place, why in zip(unknown, shown, strict=True):
            if why is None:
                sound.add(readable[place].index)
            else:
                self.rejects.add(readable[place].item, why)
                broken.add(place)
        return broken


def _labels(readable: list[Readable]) -> NDArray[np.int64]:
    return np.array([image.item.label for image in readable], dtype=np.int64)
