"""The one confidence level of every interval, and the quantiles that belong to it."""

import math

LEVEL = 0.95
"""The share of experiments whose interval holds the true value."""

LEVEL_TEXT = f"{100 * LEVEL:g} %"
"""The level as sentences, tables and figures name it."""


def quantile(freedom: float = math.inf) -> float:
    """Return how many standard errors a two-sided interval of `LEVEL` reaches to each side.

    Student's t with `freedom` degrees of freedom, the normal distribution's 1.96 for infinitely many.
    """
    from scipy import special  # here, because commands that only print LEVEL_TEXT start faster without scipy

    upper = (1 + LEVEL) / 2
    return float(special.ndtri(upper) if math.isinf(freedom) else special.stdtrit(freedom, upper))
