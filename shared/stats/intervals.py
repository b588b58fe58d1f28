"""Confidence intervals: of means over replicates and test images, of means of runs, of a share, of an AUC."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from shared.stats.confidence import LEVEL, POWER, quantile, upper_quantile, upper_quantiles
from shared.stats.two_way import MeanError, Sums, checked, mean_error

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """The bounds of a mean, and the values of images that are added so that no interval has a width of zero.

    `freedom` are the degrees of freedom of the variance between images; None: one less than there are.
    """

    low: float
    high: float
    added: tuple[float, ...]
    freedom: float | None = None


DIFFERENCE = Scale(-1.0, 1.0, (1.0, -1.0))
"""Paired differences; added: an image that one arm alone has right, and one of the other (Bonett and Price 2012)."""

SHARE = Scale(0.0, 1.0, (1.0, 0.0))
"""One arm's answers; added: an image that is right and one that is wrong (Agresti and Caffo 2000)."""


def weighted_share(weights: Array) -> Scale:
    """Return the scale of a metric of answers in which images weigh (images,), such as a mean over unequal classes.

    The variance of such a metric is for the most part that of its heaviest images, and has no more degrees of freedom
    than they give (Satterthwaite 1946). The two images that are added weigh the geometric mean of the heaviest image's
    weight and the root mean square of all: as much as the former the interval would be far too wide, as much as the
    latter too narrow where the few images of a small class are all right. Equal weights give `SHARE`. Raises
    ValueError where no image weighs anything.
    """
    squares = np.asarray(weights, dtype=np.float64) ** 2
    if not squares.sum() > 0:
        raise ValueError("the weights of images are all 0, want some above 0")
    if squares.min() == squares.max():
        return SHARE
    weight = math.sqrt(math.sqrt(squares.max() * squares.mean())) / float(weights.mean())
    freedom = max(float(squares.sum() ** 2 / (squares**2).sum()) - 1, 1.0)
    return Scale(0.0, 1.0, ((1 + weight) / 2, (1 - weight) / 2), freedom)


@dataclass(frozen=True)
class MeanInterval:
    """The mean over replicates and test images, and its interval at `level` for other replicates and other images."""

    mean: float
    low: float
    high: float
    standard_error: float
    freedom: float
    level: float
    stretch: float = 1.0
    """What the reach of the interval, in standard errors, is multiplied with."""

    @property
    def detectable(self) -> float:
        """The true distance from 0 that a repetition would show with a probability of `POWER`, of 0 or more."""
        reach = self.stretch * quantile(self.freedom, self.level)
        return (reach + upper_quantile(self.freedom, POWER)) * self.standard_error


@dataclass(frozen=True)
class Bounds:
    """The ends of intervals, and what they were made from, each (...)."""

    low: Array
    high: Array
    error: MeanError


def bounds(sums: Sums, scale: Scale, level: float = LEVEL, stretch: float = 1.0) -> Bounds:
    """Return the intervals of the means of experiments with these sums, around the means with the added images.

    `stretch` multiplies the distance from there to either end.
    """
    error = mean_error(sums, scale.added, scale.freedom, level)
    centre = sums.with_images(scale.added).mean
    reach = stretch * upper_quantiles(error.freedom, (1 + level) / 2) * error.standard_error
    return Bounds(np.maximum(centre - reach, scale.low), np.minimum(centre + reach, scale.high), error)


def difference_interval(difference: Array, level: float = LEVEL) -> MeanInterval:
    """Return the mean of paired differences of correctness (replicates, images) in [-1, 1], and its interval.

    The model is two-way, see `two_way.mean_error`; fits of a replicate are averaged before. The interval is never of
    zero width. One replicate: it is for other images alone. Raises ValueError for an array of another shape, or an
    empty one.
    """
    return mean_interval(difference, DIFFERENCE, level)


def share_interval(values: Array, level: float = LEVEL) -> MeanInterval:
    """Return the mean of correctness (replicates, images), or of a metric's pseudo-values, and its interval in [0, 1].

    As `difference_interval`; near 0 and 1 the interval reaches further inwards.
    """
    return mean_interval(values, SHARE, level)


def mean_interval(values: Array, scale: Scale, level: float = LEVEL, stretch: float = 1.0) -> MeanInterval:
    """Return the mean of values (replicates, images) on a scale, and its interval; see `bounds`."""
    sums = Sums.of(checked(values))
    found = bounds(sums, scale, level, stretch)
    standard_error, freedom = float(found.error.standard_error), float(found.error.freedom)
    return MeanInterval(float(sums.mean), float(found.low), float(found.high), standard_error, freedom, level, stretch)


class StudentSummary(TypedDict):
    """Values over runs, their mean, standard deviation and interval; None with one run."""

    values: list[float]
    mean: float
    std: float | None
    low: float | None
    high: float | None


class Difference(TypedDict):
    """A difference of means and its interval; None with one run."""

    difference: float
    low: float | None
    high: float | None


def student_summary(values: Sequence[float], least: float = -math.inf, most: float = math.inf) -> StudentSummary:
    """Return values, mean, standard deviation and interval (Student's t) of the mean over runs; None with one run.

    No value can be below `least` or above `most`, and so neither is the interval.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return {"values": list(values), "mean": mean, "std": None, "low": None, "high": None}
    spread = float(np.std(values, ddof=1))
    reach = quantile(len(values) - 1) * spread / math.sqrt(len(values))
    low, high = max(mean - reach, least), min(mean + reach, most)
    return {"values": list(values), "mean": mean, "std": spread, "low": low, "high": high}


def welch_difference(before: Sequence[float], after: Sequence[float], level: float = LEVEL) -> Difference:
    """Return the mean of `after` less that of `before` and its interval at `level` (Welch 1947); None with one run."""
    # not a paired test: networks of other shapes share no draws, even with equal seeds
    difference = float(np.mean(after) - np.mean(before))
    if len(before) < 2 or len(after) < 2:
        return {"difference": difference, "low": None, "high": None}
    variances = [float(np.var(values, ddof=1)) / len(values) for values in (before, after)]
    total = sum(variances)
    if total == 0:
        return {"difference": difference, "low": difference, "high": difference}
    counts = (len(before), len(after))
    # Welch and Satterthwaite: the smaller and noisier side dominates
    freedom = total**2 / sum(variance**2 / (count - 1) for variance, count in zip(variances, counts, strict=True))
    reach = quantile(freedom, level) * math.sqrt(total)
    return {"difference": difference, "low": difference - reach, "high": difference + reach}


def direction_shown(low: float | None, high: float | None, lower_is_better: bool) -> str:
    """Return "better", "worse" or "no difference shown": whether the interval of a change lies on one side of 0."""
    if low is None or high is None or low <= 0 <= high:
        return "no difference shown"
    return "better" if (high < 0) == lower_is_better else "worse"


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927); unlike the normal one it is never empty at 0 or 1."""
    # the normal interval would be [0, 0] for no hit among few, a certainty that the data do not give
    z, share = quantile(), hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)  # rounding alone can pass 0 or 1


def delong_auc(lower: NDArray[np.floating], higher: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return P(lower < higher) + P(equal) / 2 for draws (n,), (m,) of each, with its interval (DeLong et al. 1988)."""
    # each draw's share of pairs that are in order, from sorted arrays: all n x m pairs would not fit in memory
    sorted_lower, sorted_higher = np.sort(lower), np.sort(higher)
    placed_lower = share_above(lower, sorted_higher)
    placed_higher = 1 - share_above(higher, sorted_lower)
    area = float(placed_lower.mean())
    variance = placed_lower.var(ddof=1) / len(lower) + placed_higher.var(ddof=1) / len(higher)
    reach = quantile() * math.sqrt(variance)
    return area, max(area - reach, 0.0), min(area + reach, 1.0)


def share_above(values: NDArray[np.floating], ordered: NDArray[np.floating]) -> Array:
    """Return for each of `values` (n,) the share of the sorted `ordered` (m,) above it, equal ones counting half."""
    left, right = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return (len(ordered) - right + (right - left) / 2) / len(ordered)
