"""How the intervals of an experiment are made: two-way as ever, stretched, or for random splits."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from shared.stats.inference import TWO_WAY, Inference
from shared.stats.intervals import difference_interval, share_interval

VALUES = np.random.default_rng(0).integers(-1, 2, (5, 40)).astype(np.float64)


def test_the_default_is_the_two_way_model() -> None:
    """Without a word about splits the intervals are those of replicates and test images."""
    assert TWO_WAY.difference(VALUES, 0.99) == difference_interval(VALUES, 0.99)
    assert TWO_WAY.share(np.abs(VALUES)) == share_interval(np.abs(VALUES))


@pytest.mark.parametrize("ratio", [None, 0.25])
def test_a_stretched_interval_reaches_further(ratio: float | None) -> None:
    """`stretch` multiplies the reach to both sides, and with it what can be detected; the mean stays."""
    usual, wide = Inference(1.0, ratio).difference(VALUES), Inference(1.5, ratio).difference(VALUES)
    assert wide.high - wide.low == pytest.approx(1.5 * (usual.high - usual.low))
    assert (wide.mean, wide.standard_error) == (usual.mean, usual.standard_error)
    reach, power = (stats.t.ppf(share, usual.freedom) for share in (0.975, 0.8))
    assert wide.detectable == pytest.approx((1.5 * reach + power) * usual.standard_error)


def test_random_splits_have_the_corrected_resampled_interval() -> None:
    """By hand, of the means of five splits with many images: variance (1/5 + 1/4) S^2, Student's t with 4 degrees."""
    means = np.array([0.01, 0.03, -0.02, 0.04, 0.015])
    found = Inference(test_over_train=0.25).difference(np.repeat(means[:, None], 1_000_000, axis=1), 0.9)
    error = math.sqrt((1 / 5 + 0.25) * means.var(ddof=1))
    reach = stats.t.ppf(0.95, 4) * error
    assert (found.mean, found.standard_error, found.freedom) == pytest.approx((means.mean(), error, 4), rel=1e-4)
    assert (found.low, found.high) == pytest.approx((means.mean() - reach, means.mean() + reach), rel=1e-3)


def test_splits_may_differ_in_images() -> None:
    """What a replicate lacks does not count: each split's mean is that of its own images."""
    values = np.where(np.arange(40) < np.array([40, 30, 35, 40, 20])[:, None], VALUES, np.nan)
    found = Inference(test_over_train=0.25).difference(values)
    means = [row[~np.isnan(row)].mean() for row in values]
    assert found.mean == pytest.approx(np.mean(means))
    assert found.high - found.low > 2 * stats.t.ppf(0.975, 4) * math.sqrt(0.45 * np.var(means, ddof=1))


@pytest.mark.parametrize("right", [0, 1])
def test_splits_that_agree_are_no_certainty(right: int) -> None:
    """Equal means in all splits, and answers that are all right, keep an interval with a width."""
    splits = Inference(test_over_train=0.25)
    share, difference = splits.share(np.full((3, 12), float(right))), splits.difference(np.zeros((3, 12)))
    assert 0.05 < share.high - share.low < 1
    assert 0 <= share.low <= right <= share.high <= 1
    assert difference.low == pytest.approx(-difference.high)
    assert difference.high > 0.05
    assert difference.detectable > 0


def test_one_split_is_for_its_images_alone() -> None:
    """One replicate knows nothing of other splits: the interval is that of other test images."""
    values = np.append(VALUES[0], [np.nan, np.nan])[None]
    assert Inference(test_over_train=0.25).difference(values) == difference_interval(VALUES[:1])


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((0, 3)), np.array([[0.0, 1], [np.nan, np.nan]])])
def test_values_of_another_shape_are_refused(values: NDArray[np.float64]) -> None:
    """An array that is not (replicates, images), or a replicate without an image, is a mistake of the caller's."""
    with pytest.raises(ValueError, match="replicates, images"):
        Inference(test_over_train=0.25).difference(values)


def test_the_interval_of_overlapping_splits_holds_the_truth() -> None:
    """Correlated means, as splits of one set of images have: the corrected interval covers, the usual one does not."""
    random = np.random.default_rng(1)
    ratio, splits, sd, correlation = 0.25, 5, 0.02, 0.2
    covered = {"corrected": 0, "usual": 0}
    for _ in range(600):
        # the correlation that Nadeau and Bengio allow for: n_test / (n_test + n_train)
        means = sd * (
            math.sqrt(correlation) * random.normal() + math.sqrt(1 - correlation) * random.normal(size=splits)
        )
        values = np.repeat(means[:, None], 50_000, axis=1)[:, :1] + np.zeros((1, 4000))
        found = Inference(test_over_train=ratio).difference(values)
        reach = stats.t.ppf(0.975, splits - 1) * means.std(ddof=1) / math.sqrt(splits)
        covered["corrected"] += found.low <= 0 <= found.high
        covered["usual"] += abs(means.mean()) <= reach
    assert covered["corrected"] / 600 > 0.93
    assert covered["usual"] / 600 < 0.9
