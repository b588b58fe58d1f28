"""Confidence intervals: of means over replicates and test images, of means of runs, of a share, of an AUC."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from shared.stats.confidence import LEVEL, POWER, quantile, upper_quantile
from shared.stats.two_way import MeanSquares, Sums, mean_error

Array = NDArray[np.float64]


class HierarchicalSummary(TypedDict):
    """A metric in [0, 1] over seeds and test images; `std` is None with one seed."""

    mean: float
    std: float | None
    min: float
    max: float
    values: list[float]
    low: float
    high: float


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


PAIRED_IMAGES = (1.0, -1.0)
"""Images added to paired differences: one that either arm alone has right (Bonett and Price 2012)."""

SHARE_IMAGES = (1.0, 1.0, 0.0, 0.0)
"""Images added to the answers of one arm: two right, two wrong (Agresti and Coull 1998)."""


@dataclass(frozen=True)
class MeanInterval:
    """The mean over replicates and test images, and its interval at `level` for other replicates and other images."""

    mean: float
    low: float
    high: float
    standard_error: float
    freedom: float
    level: float

    @property
    def detectable(self) -> float:
        """The true distance from 0 that a repetition would show with a probability of `POWER`, of 0 or more."""
        return (quantile(self.freedom, self.level) + upper_quantile(self.freedom, POWER)) * self.standard_error


def difference_interval(difference: Array, level: float = LEVEL) -> MeanInterval:
    """Return the mean of paired differences of correctness (replicates, images) in [-1, 1], and its interval.

    The model is two-way, see `two_way.mean_error`; fits of a replicate are averaged before. Two more images,
    `PAIRED_IMAGES`, widen the interval without moving it, so that it is never of zero width. One replicate: the
    interval is for other images alone. Raises ValueError for an array of another shape, or an empty one.
    """
    return _interval(_checked(difference), PAIRED_IMAGES, level, bounds=(-1.0, 1.0))


def share_interval(values: Array, level: float = LEVEL) -> MeanInterval:
    """Return the mean of correctness (replicates, images), or of a metric's pseudo-values, and its interval in [0, 1].

    As `difference_interval`, with the images `SHARE_IMAGES`: near 0 and 1 the interval reaches further inwards.
    """
    return _interval(_checked(values), SHARE_IMAGES, level, bounds=(0.0, 1.0))


def _checked(values: Array) -> Array:
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"an array of shape {values.shape}, want (replicates, images), neither of them 0")
    return np.asarray(values, dtype=np.float64)


def _interval(values: Array, added: Sequence[float], level: float, bounds: tuple[float, float]) -> MeanInterval:
    """Return the interval around the mean with the `added` images, cut off at `bounds`."""
    sums = Sums.of(values)
    more = sums.with_images(added)
    error, mean = mean_error(more), float(sums.mean)
    # paired differences are not drawn towards 0: their interval is around the mean that is printed
    centre = float(more.mean) if sum(added) else mean
    standard_error, freedom = float(error.standard_error), float(error.freedom)
    reach = quantile(freedom, level) * standard_error
    low, high = max(centre - reach, bounds[0]), min(centre + reach, bounds[1])
    return MeanInterval(mean, low, high, standard_error, freedom, level)


@dataclass(frozen=True)
class Components:
    """Variances of one replicate's effect, of one image's effect and of one answer's residual, each 0 or more."""

    replicates: float
    images: float
    residual: float


def variance_components(values: Array) -> Components:
    """Return the variance components of `values` (replicates, images) by the analysis of variance, floored at 0.

    With one replicate all variance counts as that of images.
    """
    squares = MeanSquares.of(Sums.of(_checked(values)))
    return Components(
        replicates=max(float(squares.between_replicates - squares.residual) / squares.images, 0.0),
        images=max(float(squares.between_images - squares.residual) / squares.replicates, 0.0),
        residual=float(squares.residual),
    )


def two_way_interval(values: Array) -> tuple[float, float]:
    """Return the interval of the mean of `values` (seeds, images), both taken as draws of many more.

    A two-way random-effects model: the variance of the mean is (MS_seeds + MS_images - MS_rest) / (seeds * images),
    its degrees of freedom Satterthwaite's (1946), the bounds Student's t. With one seed the interval speaks of other
    test images only. Pass the difference of two arms' `correct` for a paired comparison.
    """
    # not a bootstrap over seeds: with 3 of them it covers down to 70 %, in simulations where this covers 92 to 96 %
    seeds, images = values.shape
    mean = values.mean()
    of_seed, of_image = values.mean(axis=1) - mean, values.mean(axis=0) - mean
    between_images = seeds * (of_image**2).sum() / (images - 1)
    total, freedom = between_images, float(images - 1)
    if seeds > 1:
        residual = ((values - mean - of_seed[:, None] - of_image) ** 2).sum() / ((seeds - 1) * (images - 1))
        between_seeds = images * (of_seed**2).sum() / (seeds - 1)
        # seeds that differ less than expected at random have a variance estimate below 0: they add nothing
        if between_seeds > residual:
            total = between_seeds + between_images - residual
            squares = between_seeds**2 + between_images**2 / (images - 1) * (seeds - 1) + residual**2 / (images - 1)
            freedom = total**2 / (squares / (seeds - 1))
    reach = float(np.sqrt(total / (seeds * images)) * quantile(freedom))
    return float(mean) - reach, float(mean) + reach


def hierarchical_summary(values: Sequence[float], image_variance: float) -> HierarchicalSummary:
    """Return mean, spread, values and interval of a metric in [0, 1] over seeds and test images.

    `values` are the metric of each seed, `image_variance` the variance that a redraw of the images brings to their
    mean. The seeds' own variance is added, with Student's t at Satterthwaite's degrees of freedom: resampling three
    seeds would cover far too little. `std` is None with one seed.
    """
    mean, seeds = float(np.mean(values)), len(values)
    seed_variance = float(np.var(values, ddof=1)) / seeds if seeds > 1 else 0.0
    total = image_variance + seed_variance
    # only the seeds' part is estimated from few draws, so that it alone limits the degrees of freedom
    freedom = total**2 / (seed_variance**2 / (seeds - 1)) if seed_variance else math.inf
    reach = math.sqrt(total) * quantile(freedom) if total else 0.0
    spread = float(np.std(values, ddof=1)) if seeds > 1 else None
    return {
        "mean": mean,
        "std": spread,
        "min": min(values),
        "max": max(values),
        "values": list(values),
        "low": max(mean - reach, 0.0),
        "high": min(mean + reach, 1.0),
    }


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
