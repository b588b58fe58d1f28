"""Every interval: against scipy's own routines, by hand, and how often it covers what it claims."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from shared.stats.confidence import LEVEL, LEVEL_TEXT, quantile
from shared.stats.intervals import (
    delong_auc,
    difference_interval,
    hierarchical_summary,
    share_interval,
    student_summary,
    two_way_interval,
    welch_difference,
    wilson_interval,
)

REPEATS = 2000
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
    assert quantile() == pytest.approx(stats.norm.ppf(0.975))
    assert (LEVEL, LEVEL_TEXT) == (0.95, "95 %")


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("seed_sd", [0.0, 0.02, 0.1, 1.0])
def test_interval_covers_the_mean(seeds: int, seed_sd: float) -> None:
    """An interval of 95 % holds the true mean in 92 to 98 of 100 experiments, however much the seeds matter.

    Of 2,000 repetitions the share has a spread of sqrt(0.95 * 0.05 / 2000) = 0.5 %: 91 and 98.5 % are far out.
    """
    rng = np.random.default_rng(seeds)
    hits = 0
    for _ in range(REPEATS):
        of_seed, of_image = rng.normal(0, seed_sd, (seeds, 1)), rng.normal(0, 0.3, (1, 120))
        low, high = two_way_interval(of_seed + of_image + rng.normal(0, 0.3, (seeds, 120)))
        hits += low <= 0 <= high
    assert 0.91 <= hits / REPEATS <= 0.985


def test_interval_of_one_seed_is_students() -> None:
    """With one seed the interval is Student's over the images, as scipy gives it."""
    values = np.random.default_rng(4).normal(0.2, 1, (1, 30))
    expected = stats.ttest_1samp(values[0], 0).confidence_interval(0.95)
    assert two_way_interval(values) == pytest.approx((expected.low, expected.high))


def test_interval_of_seeds_alone_is_students() -> None:
    """Where only the seed matters the interval is Student's over the means of the seeds."""
    of_seed = np.random.default_rng(5).normal(0.2, 1, 4)
    values = np.repeat(of_seed[:, None], 50, axis=1)
    expected = stats.ttest_1samp(of_seed, 0).confidence_interval(0.95)
    assert two_way_interval(values) == pytest.approx((expected.low, expected.high))


def test_interval_is_as_wide_as_theory_says() -> None:
    """With one seed the interval is the mean plus and minus 1.96 standard errors of the images, to within 5 %."""
    values = np.random.default_rng(1).normal(0.2, 1, (1, 400))
    low, high = two_way_interval(values)
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_interval_grows_with_the_differences_between_seeds() -> None:
    """Fits that disagree about the same images give a wider interval than fits that agree."""
    image = np.random.default_rng(2).normal(0, 1, (1, 200))
    agree = np.repeat(image, 4, axis=0)
    disagree = agree + np.array([[-0.3], [-0.1], [0.1], [0.3]])
    width = [high - low for low, high in (two_way_interval(agree), two_way_interval(disagree))]
    assert width[1] > 1.3 * width[0]


def test_pairing_takes_the_images_difficulty_out() -> None:
    """Two arms that err on the same images differ by exactly their difference, however hard the images are."""
    hard = np.tile(np.array([[1.0, 0.0, 1.0, 1.0, 0.0] * 20]), (3, 1))
    assert two_way_interval(hard - hard) == (0.0, 0.0)


@pytest.mark.parametrize("difference", [0.25, -0.75, 0.0])
def test_a_constant_difference_has_no_interval(difference: float) -> None:
    """Where every seed and image differ by the same amount, both ends of the interval are that amount."""
    assert two_way_interval(np.full((3, 10), difference)) == pytest.approx((difference, difference), abs=1e-12)


@pytest.mark.parametrize(
    ("values", "mean", "std"),
    [([0.5], 0.5, None), ([1.0, 3.0], 2.0, 2**0.5), ([1.0, 2.0, 3.0, 6.0], 3.0, (14 / 3) ** 0.5)],
)
def test_summary_by_hand(values: list[float], mean: float, std: float | None) -> None:
    """A summary has the mean, the standard deviation with n - 1 (none for one value), both ends and the values."""
    found = hierarchical_summary(values, 0.0)
    assert (found["min"], found["max"], found["values"]) == (min(values), max(values), values)
    assert (found["mean"], found["std"]) == (pytest.approx(mean), pytest.approx(std))


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


@pytest.mark.parametrize("images", [12, 240, 5000])
def test_replicates_with_equal_means_are_no_certainty(images: int) -> None:
    """Equal in every replicate, each time by other images: the added images still give the interval a width."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        hits = np.stack([rng.permutation(np.arange(images) < 0.75 * images) for _ in range(6)]).astype(float)
        difference, share = difference_interval(hits[:3] - hits[3:]), share_interval(hits[:3])
        assert difference.low < -2 / images
        assert difference.high > 2 / images
        assert share.high - share.low > 3 / images
