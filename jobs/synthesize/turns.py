"""The order in which the images of a set are imported: their classes evenly mixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.synthesize.options import GIVEN, SynthesizeOptions
from shared.cli.run import Run
from shared.data.sampling import spread
from shared.errors import BadInput
from shared.runtime.seeding import Stream, derive_seed
from shared.sources.digests import listing
from shared.sources.items import NO_CLASS, Item, Source, some


def labels_of(
    place: Path, source: Source, classes: Sequence[str], config: SynthesizeOptions, run: Run
) -> NDArray[np.int64]:
    """Return the real class that each item of a source is named after, int64 (N,), NO_CLASS where nothing is given.

    Raises BadInput for classes that the real images do not have; says which of theirs have no image.
    """
    if config.labels != GIVEN:
        return np.full(len(source.items), NO_CLASS)
    unknown = [name for name in source.classes if name not in classes]
    if unknown:
        raise BadInput(
            f"{place}: {len(unknown):,} of {len(source.classes):,} classes ({some(unknown)}) are not among the "
            f"{len(classes):,} real ones ({some(classes)})\n"
            "want classes named as the real ones: rename them, or say --labels annotator to have images named by it"
        )
    number = {label: classes.index(name) for label, name in enumerate(source.classes)}
    named = np.array([number.get(item.label, NO_CLASS) for item in source.items], dtype=np.int64)
    there = set(np.unique(named).tolist())
    missing = [name for label, name in enumerate(classes) if label not in there]
    if missing:
        run.reporter.info(f"warning: real classes without a synthetic image: {len(missing):,} ({some(missing)})")
    return named


def in_turn(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return an order of images in which their classes are evenly mixed, random within each class."""
    # arms take windows of the set: each is to have its proportions, and no order that its files have
    drawn = np.random.default_rng(derive_seed(seed, Stream.IMPORT_ORDER)).permutation(len(labels))
    names, sizes = np.unique(labels, return_counts=True)
    turns = spread(sizes.tolist())
    order = np.empty(len(labels), np.int64)
    for turn, name in enumerate(names):
        order[turns == turn] = drawn[labels[drawn] == name]
    return order


@dataclass(frozen=True)
class InTurn:
    """The images of a source and the class of each, int64 (N,), in an order in which classes are evenly mixed."""

    source: Source
    labels: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(cls, source: Source, labels: NDArray[np.int64], seed: int) -> "InTurn":
        """Return the images in the order of `in_turn`."""
        return cls(source, labels, in_turn(labels, seed))

    def __len__(self) -> int:
        return len(self.order)

    def take(self, places: range) -> list[tuple[Item, int]]:
        """Return some of the images, with their classes."""
        indexes = self.order[places.start : places.stop].tolist()
        return [(self.source.items[index], int(self.labels[index])) for index in indexes]

    def listing(self) -> str:
        """Return a hash of all images and their classes; their order follows from these and the seed."""
        return listing(zip(self.labels.tolist(), (item.origin for item in self.source.items), strict=True))
