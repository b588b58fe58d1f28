"""Read the images, and say which split each goes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.splits import exact_indexes, split_indexes
from shared.cli.run import Run
from shared.runtime.processes import Spread
from shared.sources.items import Item, Source
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


@dataclass(frozen=True)
class Placing:
    """What it takes to place images: `spread` applies a function to items in several processes.

    `partition` is the official split of each item, None where the split is random.
    """

    run: Run
    spread: Spread[Any, Any]
    config: PreprocessOptions
    source: Source
    partition: Sequence[str] | None
    rejects: Rejects

    def place(self, chosen: NDArray[np.int64]) -> tuple[list[Readable], Places, int]:
        """Return the chosen items that can be read, their splits, and how many follow a copy to another split.

        BadInput where too many cannot be read, or too few are left.
        """
        # every image is hashed before any is split: where copies go depends on all of them
        readable = self._read(chosen)
        self.rejects.check(self.run.folder)
        places, moved = self._split(readable)
        sound: set[int] = set()
        # where train has an exact size, an image that turns out to be broken is replaced before anything is written
        while self.config.train_size and (broken := self._broken(readable, places["train"].tolist(), sound)):
            self.rejects.check(self.run.folder)
            readable = [image for place, image in enumerate(readable) if place not in broken]
            places, moved = self._split(readable)
        return readable, places, moved

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

    def _split(self, readable: list[Readable]) -> tuple[Places, int]:
        """Return the split of each image, and how many follow a copy to another one."""
        labels = np.array([image.item.label for image in readable], dtype=np.int64)
        contents = [image.content for image in readable]
        official = None if self.partition is None else [self.partition[image.index] for image in readable]
        groups = None if self.source.groups is None else [self.source.groups[image.index] for image in readable]
        if self.config.train_size:
            return exact_indexes(labels, contents, official, self.config, self.source.classes, groups), 0
        fractions = self.config.val_fraction, self.config.test_fraction
        return split_indexes(labels, contents, official, *fractions, self.config.seed, groups)

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
