"""Coverage of the intervals of several attributes at once: macro F1 of an arm, and its difference between two arms.

An image has each attribute with that attribute's share, independently. A classifier's score of it is noise of variance
1, a part `SAME` of which is the same in every replicate and in both arms, plus half the signal where the image has the
attribute, less half of it where not; a score above 0 says that it has. In replicate r the signal of an arm is that of
the cell plus a triangular effect. The truth is the mean over replicates of macro F1 on infinitely many images.
"""

import zlib
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from jobs.train_mixed.outcome import Outcome, image_values, repetitions
from shared.attributes import labels_of
from shared.metrics.influence import weights_of
from shared.stats.confidence import LEVEL
from shared.stats.inference import TWO_WAY
from shared.stats.intervals import MeanInterval, weighted_share
from tests.checks.coverage.cells import SUPPORT
from tests.checks.coverage.classes import SAME

SHARES = ((0.5, 0.4, 0.3), (0.5, 0.2, 0.05), (0.02, 0.9))
SIGNALS = (2.0, 4.0)
"""With these, 84 % and 98 % of the answers are right."""
STEPS = (0.0, 0.5)
"""By how much the signal of the first arm is larger."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AttributeCell:
    """One kind of experiment: how common attributes are, test images, replicates, signals and their spread."""

    shares: tuple[float, ...]
    images: int
    replicates: int
    signal: float
    step: float
    spread: float

    @property
    def name(self) -> str:
        """The name that the table knows the cell by."""
        shares = "+".join(f"{100 * share:g}" for share in self.shares)
        return f"{shares} % n={self.images} R={self.replicates} signal={self.signal:g} step={self.step:g}"


ATTRIBUTE_CELLS = tuple(AttributeCell(*row, 0.2) for row in product(SHARES, (200, 1000), (3, 5), SIGNALS, STEPS))


@dataclass(frozen=True)
class AttributeTally:
    """In how many runs intervals hold the truth: of the first arm, and of the difference; `half_width` is that one's.

    `false` is the share of runs with an answer other than "no effect shown", None where there is a difference.
    """

    arm: float
    difference: float
    half_width: float
    false: float | None


def effects(cell: AttributeCell, count: int, rng: np.random.Generator) -> Array:
    """Return the effects of replicates on the signal, (count,)."""
    reach = SUPPORT * cell.spread
    return rng.triangular(-reach, 0, reach, count)


def true_f1(cell: AttributeCell, step: float) -> float:
    """Return the macro F1 of an arm whose signal is larger by `step`: a mean over 20,000 replicates."""
    signals = cell.signal + step + effects(cell, 20_000, np.random.default_rng(0))
    right, wrong = norm.cdf(signals / 2), norm.cdf(-signals / 2)
    of_each = [2 * share * right / (share + share * right + (1 - share) * wrong) for share in cell.shares]
    return float(np.mean(of_each))


def outcomes(cell: AttributeCell, rng: np.random.Generator) -> list[Outcome]:
    """Return the answers of the two arms of an experiment."""
    has = rng.random((cell.images, len(cell.shares))) < cell.shares
    shape = (cell.replicates, *has.shape)
    same = SAME**0.5 * rng.standard_normal(has.shape)
    found, truth = [], labels_of(has)
    for step in (cell.step, 0.0):
        signal = (cell.signal + step + effects(cell, cell.replicates, rng))[:, None, None]
        scores = same + (1 - SAME) ** 0.5 * rng.standard_normal(shape) + signal * (has - 0.5)
        named = labels_of(scores > 0)[:, None]
        found.append(Outcome(truth, named, norm.cdf(scores)[:, None], named, len(cell.shares)))
    return found


def interval_of(outcome: Outcome) -> MeanInterval:
    """Return the interval of an arm's macro F1, as `metric_estimates` makes it."""
    _, found = image_values(outcome, "f1", outcome.predicted)
    scale = weighted_share(weights_of(outcome.truth, "f1", outcome.attributes))
    return TWO_WAY.share(repetitions(found), LEVEL, scale)


def tally_attributes(cell: AttributeCell, runs: int) -> AttributeTally:
    """Return how often intervals hold the truth; draws depend on the cell's name alone."""
    rng = np.random.default_rng(zlib.crc32(cell.name.encode()))
    truth, other = true_f1(cell, cell.step), true_f1(cell, 0.0)
    arms, differences = [], []
    for _ in range(runs):
        a, b = outcomes(cell, rng)
        arms.append(interval_of(a))
        differences.append(TWO_WAY.difference(repetitions(a.judged_by_fit - b.judged_by_fit)))
    return AttributeTally(
        arm=float(np.mean([each.low <= truth <= each.high for each in arms])),
        difference=float(np.mean([each.low <= truth - other <= each.high for each in differences])),
        half_width=float(np.mean([each.high - each.low for each in differences])) / 2,
        false=None if cell.step else float(np.mean([each.low > 0 or each.high < 0 for each in differences])),
    )


def attributes(runs: int, quick: bool, least: float, most: float) -> int:
    """Print the coverage in each kind of experiment; return the exit code: 1 where it is below `least`.

    `most` is the largest share of false answers, which is promised from 5 replicates on.
    """
    cells = [cell for cell in ATTRIBUTE_CELLS if not quick or cell.images == 200]
    print(f"{len(cells)} kinds of experiment, {runs} runs each: coverage in % of macro F1, of its difference")
    found = []
    for cell in cells:
        row = tally_attributes(cell, runs)
        false = "" if row.false is None else f"  false answers {100 * row.false:4.1f}"
        widths = f"{100 * row.arm:5.1f} {100 * row.difference:5.1f} (half-width {100 * row.half_width:4.1f})"
        print(f"{cell.name:52} {widths}{false}", flush=True)
        found.append((cell, row))
    false = [row.false for cell, row in found if row.false is not None and cell.replicates >= 5]
    kept = max(false) <= most
    for name in ("arm", "difference"):
        covered = [getattr(row, name) for _, row in found]
        kept &= min(covered) >= least
        print(f"{name}: coverage from {100 * min(covered):.1f} %, mean {100 * np.mean(covered):.1f} %")
    print(f"false answers with 5 replicates: up to {100 * max(false):.1f} %, mean {100 * np.mean(false):.1f} %")
    print("every promise is kept" if kept else "BROKEN by more than the error of the simulation")
    return 0 if kept else 1
