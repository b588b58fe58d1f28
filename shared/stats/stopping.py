"""Adding replicates until an interval is narrow enough: how wide it is, and what only more test images can narrow.

The rule looks at the width alone, never at the difference itself. A width that happens to be estimated too small still
ends an experiment early, so that intervals of the usual width would cover the truth too seldom: `STRETCH` widens them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.stats.confidence import LEVEL, quantile, upper_quantiles
from shared.stats.intervals import DIFFERENCE, MeanInterval
from shared.stats.looks import STRETCH
from shared.stats.two_way import MeanError, Sums, checked, mean_error

Array = NDArray[np.float64]

IMAGES_SHARE = 0.5
"""The part of the variance of an interval that is narrow enough which is left to test images, where too few are there:
with just as many as the whole of it needs, no number of replicates would do."""


@dataclass(frozen=True)
class Widths:
    """What is known of the width of experiments, each (...), in shares of 1.

    `half_width` is that of the interval, `floor` what any number of replicates would leave of it.
    """

    half_width: Array
    floor: Array
    error: MeanError


def widths(sums: Sums, level: float = LEVEL, stretch: float = STRETCH) -> Widths:
    """Return the widths of the intervals of mean differences with these sums, in the two-way model."""
    error = mean_error(sums, DIFFERENCE.added, level=level)
    half_width = stretch * upper_quantiles(error.freedom, (1 + level) / 2) * error.standard_error
    freedom = sums.images + len(DIFFERENCE.added) - 1
    floor = stretch * quantile(freedom, level) * np.sqrt(error.of_images)
    return Widths(half_width, floor, error)


def images_needed(error: MeanError, images: int, wanted: float, level: float, stretch: float) -> Array:
    """Return how many test images (...) bring `IMAGES_SHARE` of the variance of an interval of half-width `wanted`.

    `error` is that of an experiment with `images`. The variance that images bring falls with their number, that of the
    added ones with its square.
    """
    allowed = IMAGES_SHARE * (wanted / stretch / quantile(level=level)) ** 2
    measured = error.of_images - error.of_added
    # measured x + of_added x^2 = allowed, where x is the number there is over the one that is needed
    root = np.sqrt(measured**2 + 4 * error.of_added * allowed)
    needed: Array = images * (root + measured) / (2 * allowed)
    return needed


@dataclass(frozen=True)
class Width:
    """The half-width of an experiment's interval, what any number of replicates would leave of it, in shares of 1.

    `needs_images` is the number of test images that an interval as narrow as is wanted takes.
    """

    half_width: float
    floor: float
    needs_images: int | None


def of_test_images(difference: Array, wanted: float, level: float = LEVEL, stretch: float = STRETCH) -> Width:
    """Return the width of the interval of differences (replicates, images) in the two-way model."""
    sums = Sums.of(checked(difference))
    found = widths(sums, level, stretch)
    needs = images_needed(found.error, sums.images, wanted, level, stretch)
    return Width(float(found.half_width), float(found.floor), two_digits(float(needs)))


def of_splits(found: MeanInterval, replicates: int, test_over_train: float) -> Width:
    """Return the width of a corrected resampled interval: more splits of the same images leave their overlap."""
    variance = found.standard_error**2 / (1 / replicates + test_over_train)
    half_width = found.stretch * quantile(found.freedom, found.level) * found.standard_error
    return Width(half_width, found.stretch * quantile(level=found.level) * math.sqrt(test_over_train * variance), None)


def two_digits(number: float) -> int:
    """Return a number rounded up to two significant digits."""
    unit = int(10 ** max(math.floor(math.log10(number)) - 1, 0))
    return math.ceil(number / unit) * unit
