"""Tests of the difference between two arms of an experiment, and what an interval of a difference shows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PERMUTATIONS = 5000
CHUNK = 500
"""Permutations at a time: the signs of all at once would be a matrix of permutations x images."""


def mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the exact two-sided p of McNemar's test (1947): `a` and `b` say which images (n,) each arm has right."""
    from scipy import stats

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    if only_a + only_b == 0:
        return 1.0
    return float(stats.binomtest(only_a, only_a + only_b).pvalue)


def permutation(difference: Array, seed: int = 0) -> float:
    """Return the two-sided p of a paired permutation test of `difference` (n,), a mean difference for each image.

    Swapping the arms of an image flips the sign of its difference.
    """
    rng = np.random.default_rng(seed)
    observed, hits = abs(difference.mean()), 0
    for _ in range(PERMUTATIONS // CHUNK):
        signs = rng.choice([-1.0, 1.0], size=(CHUNK, len(difference)))
        # sums in another order differ in the last bits; without the margin the observed value may miss itself
        hits += int((np.abs(signs @ difference / len(difference)) >= observed - 1e-12).sum())
    return (hits + 1) / (PERMUTATIONS + 1)  # the observed order is a permutation too (Phipson and Smyth 2010)


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for how many there are, in their order (Holm 1979)."""
    order = np.argsort(values, kind="stable")
    corrected, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order.tolist()):
        largest = max(largest, min((len(values) - rank) * values[place], 1.0))
        corrected[place] = largest
    return corrected


def direction_shown(low: float | None, high: float | None, lower_is_better: bool) -> str:
    """Return "better", "worse" or "no difference shown": whether the interval of a change lies on one side of 0."""
    if low is None or high is None or low <= 0 <= high:
        return "no difference shown"
    return "better" if (high < 0) == lower_is_better else "worse"
