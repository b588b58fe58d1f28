"""Significance tests between two arms: against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from shared.stats.significance import direction_shown, holm, mcnemar, permutation


def test_mcnemar_is_the_exact_test() -> None:
    """Of 14 images on which the arms differ 12 go to one: twice the binomial tail; no difference gives 1."""
    first, second = np.zeros(100, bool), np.zeros(100, bool)
    first[:12], second[12:14], first[20:60], second[20:60] = True, True, True, True
    assert mcnemar(first, second) == pytest.approx(2 * stats.binom.cdf(2, 14, 0.5))
    assert mcnemar(first, first) == 1.0


def test_the_permutation_test_agrees_with_scipys() -> None:
    """A paired sign-flip test, as scipy's permutation_test of samples, to within the noise of 5,000 draws."""
    difference = np.random.default_rng(3).choice([-1, -0.5, 0, 0.5, 1], 200, p=[0.1, 0.1, 0.55, 0.1, 0.15])
    theirs = stats.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=5000, rng=np.random.default_rng(0)
    )
    assert permutation(difference) == pytest.approx(theirs.pvalue, abs=0.03)


def test_holm_by_hand() -> None:
    """0.01, 0.04, 0.03 of three: 3 x 0.01, then 2 x 0.03, then the larger of 0.06 and 0.04."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("low", "high", "lower", "outcome"),
    [
        (-2.0, -1.0, True, "better"),
        (-2.0, -1.0, False, "worse"),
        (1.0, 2.0, True, "worse"),
        (1.0, 2.0, False, "better"),
        (-1.0, 2.0, True, "no difference shown"),
        (0.0, 2.0, False, "no difference shown"),
    ],
)
def test_only_an_interval_without_zero_decides(low: float, high: float, lower: bool, outcome: str) -> None:
    """The tuned side is better or worse only where the whole interval is on one side of zero."""
    assert direction_shown(low, high, lower) == outcome


def test_a_change_without_an_interval_shows_nothing() -> None:
    """One run of each side has no interval."""
    assert direction_shown(None, None, lower_is_better=True) == "no difference shown"
