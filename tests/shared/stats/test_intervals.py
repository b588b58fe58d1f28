"""Every interval: against scipy's own routines, by hand, and how often it covers what it claims."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from shared.stats.confidence import LEVEL, LEVEL_TEXT, quantile
from shared.stats.intervals import (
    delong_auc,
    direction_shown,
    student_summary,
    welch_difference,
    wilson_interval,
)

BEFORE, AFTER = [3.1, 2.7, 3.4], [2.1, 2.4, 1.7]


def test_the_interval_of_a_mean_is_students() -> None:
    """Mean and 95 % interval of three runs are scipy's."""
    found = student_summary(BEFORE)
    low, high = stats.ttest_1samp(BEFORE, 0).confidence_interval(0.95)
    assert (found["mean"], found["low"], found["high"]) == pytest.approx((sum(BEFORE) / 3, low, high))


def test_the_interval_of_a_difference_is_welchs() -> None:
    """The difference of means and its interval are scipy's for unequal variances."""
    found = welch_difference(BEFORE, AFTER)
    low, high = stats.ttest_ind(AFTER, BEFORE, equal_var=False).confidence_interval(0.95)
    assert found["difference"] == pytest.approx(sum(AFTER) / 3 - sum(BEFORE) / 3)
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_one_run_has_no_interval() -> None:
    """One seed tells nothing about others."""
    assert student_summary([2.0])["low"] is None
    assert welch_difference([2.0], [1.0]) == {"difference": -1.0, "low": None, "high": None}


def test_runs_that_do_not_differ_have_an_interval_of_no_width() -> None:
    """Where all runs of a side are equal the difference is exact."""
    assert welch_difference([2.0, 2.0], [1.0, 1.0]) == {"difference": -1.0, "low": -1.0, "high": -1.0}


def test_an_interval_stays_where_the_figure_can_be() -> None:
    """A share is at most 1 and a distance at least 0, and so are the ends of their intervals; the mean stays."""
    share, distance = student_summary([0.9, 0.98, 1.0], 0, 1), student_summary([0.1, 0.5], 0)
    assert (share["high"], distance["low"]) == (1, 0)
    assert share["low"] == pytest.approx(student_summary([0.9, 0.98, 1.0])["low"])
    assert share["mean"] == pytest.approx(0.96)


@pytest.mark.parametrize("freedom", [1, 2, 7.3, 400])
def test_quantiles_are_scipys(freedom: float) -> None:
    """The reach in standard errors is that of scipy's distributions at the one level."""
    assert quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom))
    assert quantile(freedom, 0.99) == pytest.approx(stats.t.ppf(0.995, freedom))
    assert quantile() == pytest.approx(stats.norm.ppf(0.975))
    assert (LEVEL, LEVEL_TEXT) == (0.95, "95 %")


def test_the_probability_is_the_area_under_the_curve() -> None:
    """P(mine < theirs) with ties as halves is scikit-learn's ROC-AUC."""
    rng = np.random.default_rng(0)
    mine, theirs = rng.integers(0, 20, 60).astype(float), rng.integers(5, 25, 80).astype(float)
    expected = roc_auc_score([1] * 60 + [0] * 80, -np.concatenate([mine, theirs]))
    area, low, high = delong_auc(mine, theirs)
    assert area == pytest.approx(expected)
    assert low < area < high


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Over 400 repetitions of equal distributions the 95 % interval holds 0.5 in 92 to 98 %."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        _, low, high = delong_auc(rng.normal(size=80), rng.normal(size=60))
        held += low <= 0.5 <= high
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(("hits", "total", "expected"), [(0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634))])
def test_wilsons_interval(hits: int, total: int, expected: tuple[float, float]) -> None:
    """Values of the textbook (Agresti and Coull 1998)."""
    assert wilson_interval(hits, total) == pytest.approx(expected, abs=2e-4)


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
