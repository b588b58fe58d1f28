"""The one confidence level of every interval, the quantiles that belong to it, the power of `detectable`."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
"""The share of experiments whose interval holds the true value."""

LEVEL_TEXT = f"{100 * LEVEL:g} %"
"""The level as sentences, tables and figures name it."""

POWER = 0.8
"""The share of experiments that find a difference as large as `detectable`."""


def other_level(questions: int) -> float:
    """Return the level of each of `questions` besides the headline: 1 - 0.05 / m (Bonferroni), `LEVEL` for m <= 1.

    The chance that any of the m intervals misses its true value is then at most that of the headline's alone.
    """
    return 1 - (1 - LEVEL) / max(questions, 1)


def quantile(freedom: float = math.inf, level: float = LEVEL) -> float:
    """Return how many standard errors a two-sided interval of `level` reaches to each side.

    Student's t with `freedom` degrees of freedom, the normal distribution's for infinitely many: 1.96 at 95 %.
    """
    return upper_quantile(freedom, (1 + level) / 2)


def upper_quantile(freedom: float, share: float) -> float:
    """Return the value that a `share` of Student's t distribution with `freedom` degrees of freedom lies below."""
    return float(upper_quantiles(freedom, share))


def upper_quantiles(freedom: "float | NDArray[np.float64]", share: float) -> "NDArray[np.float64]":
    """Return `upper_quantile` for each of `freedom`, (...)."""
    from scipy import special  # here, because commands that only print LEVEL_TEXT start faster without scipy

    quantiles: NDArray[np.float64] = special.stdtrit(freedom, share)
    return quantiles
