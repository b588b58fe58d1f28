"""Whether values lie below those of a reference more often than draws of one distribution would."""

import math

import numpy as np
from numpy.typing import NDArray


def below_smallest(values: NDArray[np.floating], reference: NDArray[np.floating], rank: int) -> tuple[int, float]:
    """Return how many of `values` (n,) lie below the `rank`-th smallest of `reference` (m,), and the p value of that.

    One-sided: see `share_p_value`. Equal values do not count, which makes the test conservative where there are ties.
    """
    limit = np.sort(reference)[rank - 1]
    count = int((values < limit).sum())
    return count, share_p_value(count, len(values), len(reference), rank)


def share_p_value(count: int, n: int, m: int, rank: int) -> float:
    """Return P(X >= count), where X of n draws lie below the `rank`-th smallest of m draws of the same distribution.

    X is beta-binomial(n, rank, m - rank + 1) for every continuous distribution: the share of it that lies below the
    `rank`-th smallest of m is beta(rank, m - rank + 1) (order statistics; David and Nagaraja 2003, 2.3). A binomial
    test against rank / m would take this share for known, and call honest draws conspicuous far too often.
    """
    from scipy.special import betaln  # slow to import

    if count <= 0:
        return 1.0
    hits = np.arange(count, n + 1)
    log_choices = -math.log(n + 1) - betaln(hits + 1, n - hits + 1)
    log_shares = betaln(hits + rank, n - hits + m - rank + 1) - betaln(rank, m - rank + 1)
    return float(min(np.exp(log_choices + log_shares).sum(), 1.0))


def least_count(n: int, m: int, rank: int, alpha: float) -> int | None:
    """Return the smallest count of n whose p value is at most `alpha`; None where even all n would not be."""
    low, high = 0, n + 1
    # p falls with the count: bisection between one that is too small and one that is enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if share_p_value(middle, n, m, rank) <= alpha else (middle, high)
    return high if high <= n else None
