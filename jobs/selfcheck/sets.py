"""The real images of the controls: scikit-learn's digits, or those of a user's experiment."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from jobs.pipeline import PREPROCESS
from shared.data.images import Images, load_split
from shared.data.resizing import resized
from shared.data.sampling import stratified
from shared.errors import BadInput
from shared.runtime.seeding import Stream, derive_seed, make_generator
from shared.store.artifacts import Artifact, open_output
from shared.store.lineage import experiment_label
from shared.store.records.datasets import RealRecord
from shared.store.replicates import as_there

TRAIN, VAL, SIZE_PX = 150, 150, 16
"""Digits in train and in val, and their size. The pool has twice as many as train, the rest is the test set."""

PARTS = 3
"""The train split of an experiment is cut into this many parts: one is the train set, the others are the pool."""

LEAST_OF_CLASS = 2
"""Images of each class in the train set, at least: a blend takes two."""

LEAST_TEST = 30
"""Test images, at least: with fewer, an answer would turn on one or two images."""


@dataclass(frozen=True)
class RealSets:
    """Disjoint real images: `pool`, from the same draw as `train`, takes the place of a perfect generator.

    `grouped` says that images are related, such as those of a person, who may be in train and in the pool.
    """

    name: str
    train: Images
    val: Images
    test: Images
    pool: Images
    classes: list[str]
    mirrors: bool
    grouped: bool = False

    def describe(self) -> str:
        """Return the numbers of images in words."""
        _, channels, size_px, _ = self.train.pixels.shape
        parts = {"train": self.train, "other real": self.pool, "val": self.val, "test": self.test}
        counts = ", ".join(f"{len(part):,} {name}" for name, part in parts.items())
        return (
            f"{self.name}: {len(self.classes)} classes, {size_px} px, {'colour' if channels == 3 else 'grey'}; {counts}"
        )


@dataclass(frozen=True)
class Source:
    """Where the real images are: the folder of an experiment and the hash of its `real`, or the digits without one."""

    folder: Path | None = None
    sha256: str = ""

    def load(self, seed: int) -> RealSets:
        """Return the sets; `seed` cuts them."""
        if self.folder is None:
            return load_digits(seed)
        return cut(open_real(self.folder), seed, experiment_label(self.folder))


def source_of(folder: Path) -> Source:
    """Return the source of an experiment's real images; BadInput where they are too few."""
    real = open_real(folder)
    check_size(real)
    return Source(folder, real.sha256)


def open_real(folder: Path) -> Artifact[RealRecord]:
    """Open the finished `real` of an experiment; of random splits the first."""
    return open_output(as_there(PREPROCESS, folder), folder)


def check_size(real: Artifact[RealRecord]) -> None:
    """Raise BadInput where a class has too few train images to be cut, and where there are too few test images."""
    splits = real.dataset.splits
    counts = splits["train"].class_counts
    least = PARTS * LEAST_OF_CLASS
    few = [f"{name} ({count})" for name, count in zip(real.dataset.classes, counts, strict=True) if count < least]
    if few:
        raise BadInput(
            f"{real.folder}: too few train images of {', '.join(few)}; want {least} or more of each class\n"
            "a third of them is trained on, the others take the place of a perfect generator"
        )
    for split, want in (("val", 1), ("test", LEAST_TEST)):
        count = splits[split].count if split in splits else 0
        if count < want:
            raise BadInput(f"{real.folder}: {split} has {count} images, want at least {want}")


def cut(real: Artifact[RealRecord], seed: int, name: str) -> RealSets:
    """Return the images of the experiment `name`: its train split is cut in three, val and test are as they are."""
    check_size(real)
    whole, val, test = (load_split(real, split) for split in ("train", "val", "test"))
    labels = whole.labels.numpy()
    chosen = stratified(labels, len(whole) // PARTS, derive_seed(seed, Stream.CONTROL_SPLIT))
    others = np.setdiff1d(np.arange(len(whole)), chosen)
    train, pool = whole.subset(chosen), whole.subset(others)
    record = real.record
    return RealSets(
        name,
        train,
        val,
        test,
        pool,
        real.dataset.classes,
        record.mirrors,
        grouped=record.groups is not None,
    )


def load_digits(seed: int) -> RealSets:
    """Return the digits, cut into four sets."""
    from sklearn import datasets

    data = datasets.load_digits()
    pixels = torch.from_numpy(np.rint(data.images * (255 / 16)).astype(np.uint8))[:, None]
    # shuffled: the digits come in blocks by writer
    order = torch.randperm(len(pixels), generator=make_generator(seed, Stream.CONTROL_SPLIT))
    digits = Images(resized(pixels, SIZE_PX, "bicubic")[order], torch.from_numpy(data.target)[order].long())
    ends = [0, TRAIN, TRAIN + VAL, TRAIN + VAL + (PARTS - 1) * TRAIN, len(digits)]
    train, val, pool, test = (digits.subset(range(start, end)) for start, end in pairwise(ends))
    return RealSets("digits", train, val, test, pool, [str(number) for number in range(10)], mirrors=False)
