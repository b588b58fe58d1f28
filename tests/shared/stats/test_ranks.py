"""The test of a share below the smallest of a reference: its distribution, its level, its smallest count."""

import numpy as np
import pytest
from scipy.stats import betabinom

from shared.stats.ranks import below_smallest, least_count, share_p_value


@pytest.mark.parametrize(("n", "m", "rank"), [(40, 30, 1), (2000, 360, 4), (150, 150, 2)])
def test_p_values_are_scipys(n: int, m: int, rank: int) -> None:
    """They are those of scipy's beta-binomial distribution."""
    for count in (0, 1, n // 50 + 1, n // 3, n):
        assert share_p_value(count, n, m, rank) == pytest.approx(
            betabinom.sf(count - 1, n, rank, m - rank + 1), rel=1e-6, abs=1e-10
        )


def test_honest_draws_are_seldom_conspicuous() -> None:
    """Over 2,000 draws of one distribution p is below 0.05 in at most 6 %; a binomial test against 1 % says 20 %."""
    chance = np.random.default_rng(0)
    drawn = [below_smallest(chance.normal(size=500), chance.normal(size=360), 4)[1] for _ in range(2000)]
    assert np.mean(np.array(drawn) < 0.05) < 0.06


def test_equal_values_do_not_count() -> None:
    """Values that equal the limit are not below it."""
    assert below_smallest(np.zeros(5), np.zeros(9), 1) == (0, 1.0)


def test_the_least_count_is_the_first_that_is_enough() -> None:
    """One less is not enough, and with one reference image nothing is."""
    found = least_count(500, 360, 1, 0.0025)
    assert found is not None
    assert share_p_value(found, 500, 360, 1) <= 0.0025 < share_p_value(found - 1, 500, 360, 1)
    assert least_count(20, 1, 1, 0.01) is None
