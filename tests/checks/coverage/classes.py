"""Coverage of the intervals of one class: its precision, recall and F1 in simulated experiments of known truth.

In replicate r an image is right with the probability a_r = accuracy + E_r, where E_r is triangular about 0 with the
standard deviation `spread`; 70 % of the images are as difficult in every replicate, the others draw it in each. A wrong
answer names any other class alike. The truth is each metric's mean over replicates, on infinitely many images.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from jobs.train_mixed.outcome import Outcome, class_estimates
from shared.metrics.influence import CLASS_METRICS
from tests.checks.coverage.cells import SUPPORT

SAME = 0.7
"""The share of images that are as difficult in every replicate."""

SIZES = ((5, 100), (20, 20), (100, 100), (36,) * 10, (10, *(100,) * 9), (100,) * 10)


@dataclass(frozen=True)
class ClassCell:
    """One kind of experiment: test images of each class, of which the first is looked at, and how good the arm is."""

    sizes: tuple[int, ...]
    replicates: int
    accuracy: float
    spread: float

    @property
    def name(self) -> str:
        """The name that the table knows the cell by."""
        return (
            f"images={self.sizes[0]} of {sum(self.sizes)} classes={len(self.sizes)} R={self.replicates} "
            f"acc={100 * self.accuracy:g} gen={100 * self.spread:g}"
        )

    def effects(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return the effects of replicates on the accuracy, (count,)."""
        reach = SUPPORT * self.spread
        # no more than every image can be right
        most = 1 - self.accuracy
        return np.clip(rng.triangular(-reach, 0, reach, count), -most, most) if reach else np.zeros(count)


CLASS_CELLS = tuple(ClassCell(*row) for row in product(SIZES, (3, 5), (0.8, 0.95, 0.99), (0.0, 0.01)))


@dataclass(frozen=True)
class ClassTally:
    """In how many runs an interval of a metric holds the truth, and its mean half-width; `known` have an interval."""

    known: int
    covered: float
    half_width: float


def truths(cell: ClassCell, rng: np.random.Generator) -> dict[str, float]:
    """Return the true value of each metric of the first class."""
    levels = cell.accuracy + cell.effects(100_000, rng)
    own, others = cell.sizes[0], sum(cell.sizes[1:])
    right, false_alarms = own * levels, others * (1 - levels) / (len(cell.sizes) - 1)
    return {
        "precision": float((right / (right + false_alarms)).mean()),
        "recall": float(levels.mean()),
        "f1": float((2 * right / (own + right + false_alarms)).mean()),
    }


def outcomes(cell: ClassCell, runs: int, rng: np.random.Generator) -> Iterator[Outcome]:
    """Yield the answers of that many experiments."""
    truth = np.repeat(np.arange(len(cell.sizes)), cell.sizes)
    shape = (cell.replicates, 1, len(truth))
    for _ in range(runs):
        level = cell.accuracy + cell.effects(cell.replicates, rng)[:, None, None]
        difficulty = np.where(rng.random(len(truth)) < SAME, rng.random(len(truth)), rng.random(shape))
        other = (truth + rng.integers(1, len(cell.sizes), shape)) % len(cell.sizes)
        predicted = np.where(difficulty < level, truth, other)
        yield Outcome(truth, predicted, np.zeros((*shape, len(cell.sizes))), predicted)


def tally_classes(cell: ClassCell, runs: int, seed: int = 0) -> dict[str, ClassTally]:
    """Return how often the intervals of the first class hold the truth, by metric."""
    rng = np.random.default_rng(seed)
    true = truths(cell, rng)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CLASS_METRICS}
    for outcome in outcomes(cell, runs, rng):
        (row,) = class_estimates(outcome, ["the first"])
        for name, bounds in found.items():
            estimate = getattr(row, name)
            if estimate.low is not None:
                bounds.append((estimate.low, estimate.high))
    return {
        name: ClassTally(
            len(bounds),
            float(np.mean([low <= true[name] <= high for low, high in bounds])),
            float(np.mean([high - low for low, high in bounds])) / 2,
        )
        for name, bounds in found.items()
    }


def class_row(cell: ClassCell, found: dict[str, ClassTally]) -> str:
    """Return a cell's line: of each metric the coverage in percent and the mean half-width in points."""
    cells = (f"{name} {100 * row.covered:5.1f} ({100 * row.half_width:4.1f})" for name, row in found.items())
    return f"{cell.name:52} {'  '.join(cells)}"
