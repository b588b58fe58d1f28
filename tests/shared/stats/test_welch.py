"""Before against after: intervals by scipy's own routines and by hand."""

import pytest
from scipy import stats

from shared.stats.welch import difference, judged, summarise

BEFORE, AFTER = [3.1, 2.7, 3.4], [2.1, 2.4, 1.7]


def test_the_interval_of_a_mean_is_students() -> None:
    """Mean and 95 % interval of three runs are scipy's."""
    found = summarise(BEFORE)
    low, high = stats.ttest_1samp(BEFORE, 0).confidence_interval(0.95)
    assert (found["mean"], found["low"], found["high"]) == pytest.approx((sum(BEFORE) / 3, low, high))


def test_the_interval_of_a_difference_is_welchs() -> None:
    """The difference of means and its interval are scipy's for unequal variances."""
    found = difference(BEFORE, AFTER)
    low, high = stats.ttest_ind(AFTER, BEFORE, equal_var=False).confidence_interval(0.95)
    assert found["difference"] == pytest.approx(sum(AFTER) / 3 - sum(BEFORE) / 3)
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_one_run_has_no_interval() -> None:
    """One seed says nothing of others."""
    assert summarise([2.0])["low"] is None
    assert difference([2.0], [1.0]) == {"difference": -1.0, "low": None, "high": None}
    assert judged(difference([2.0], [1.0]), lower_is_better=True) == "no difference shown"


def test_runs_that_do_not_differ_have_an_interval_of_no_width() -> None:
    """Where every run of a side is the same the difference is exact."""
    assert difference([2.0, 2.0], [1.0, 1.0]) == {"difference": -1.0, "low": -1.0, "high": -1.0}


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
def test_only_an_interval_beside_zero_decides(low: float, high: float, lower: bool, outcome: str) -> None:
    """After is better or worse only where the whole interval lies on one side of zero."""
    assert judged({"difference": 0.0, "low": low, "high": high}, lower) == outcome


def test_an_interval_stays_where_the_figure_can_be() -> None:
    """A share is at most 1 and a distance at least 0, and so are the ends of their intervals; the mean stays."""
    share, distance = summarise([0.9, 0.98, 1.0], 0, 1), summarise([0.1, 0.5], 0)
    assert (share["high"], distance["low"]) == (1, 0)
    assert share["low"] == pytest.approx(summarise([0.9, 0.98, 1.0])["low"])
    assert share["mean"] == pytest.approx(0.96)
