"""Intervals of replicates and test images: against an analysis of variance written out, scipy, and by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from shared.stats.confidence import LEVEL, other_level
from shared.stats.intervals import difference_interval, share_interval
from shared.stats.two_way import Sums, mean_error, variance_components

Values = NDArray[np.float64]


def answers(replicates: int, images: int, seed: int = 0) -> Values:
    """Differences of -1, 0 and 1, with effects of replicates and of images."""
    rng = np.random.default_rng(seed)
    latent = (
        rng.normal(0, 0.5, (replicates, 1)) + rng.normal(0, 1, (1, images)) + rng.normal(0, 1, (replicates, images))
    )
    return np.sign(np.round(latent / 2))


def analysis_of_variance(values: Values) -> tuple[float, float, float]:
    """Return the mean squares between replicates, between images and of the rest, from residuals written out."""
    replicates, images = values.shape
    mean = values.mean()
    of_replicate, of_image = values.mean(axis=1, keepdims=True) - mean, values.mean(axis=0, keepdims=True) - mean
    rest = values - mean - of_replicate - of_image
    return (
        float(images * (of_replicate**2).sum() / (replicates - 1)),
        float(replicates * (of_image**2).sum() / (images - 1)),
        float((rest**2).sum() / ((replicates - 1) * (images - 1))),
    )


@pytest.mark.parametrize("replicates", [2, 3, 5])
def test_the_error_is_that_of_the_analysis_of_variance(replicates: int) -> None:
    """Without added images: (MS_replicates + MS_images - MS_residual) / answers, freedom by shares of it."""
    values = answers(replicates, 40)
    of_replicates, of_images, rest = analysis_of_variance(values)
    found = mean_error(Sums.of(values))
    parts = of_replicates / values.size, (of_images - rest) / values.size
    assert parts[1] > 0
    assert found.standard_error**2 == pytest.approx(sum(parts))
    assert found.freedom == pytest.approx(sum(parts) / (parts[0] / (replicates - 1) + parts[1] / 39))


def test_components_are_those_of_the_analysis_of_variance() -> None:
    """Mean squares less the residual's, over how many answers each effect is part of; never below 0."""
    values = answers(4, 50, seed=1)
    of_replicates, of_images, rest = analysis_of_variance(values)
    found = variance_components(values)
    assert found.replicates == pytest.approx((of_replicates - rest) / 50)
    assert found.images == pytest.approx((of_images - rest) / 4)
    assert found.residual == pytest.approx(rest)
    checkered = np.indices((4, 50)).sum(axis=0) % 2 * 1.0
    assert (variance_components(checkered).replicates, variance_components(checkered).images) == (0, 0)


def test_replicates_that_are_all_of_the_variance_have_students_interval() -> None:
    """Student's t over the means of replicates, but for what the two added images widen."""
    of_replicate = np.array([0.1, 0.4, -0.2, 0.3])
    expected = stats.ttest_1samp(of_replicate, 0).confidence_interval(LEVEL)
    found = difference_interval(np.repeat(of_replicate[:, None], 100_000, axis=1))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert found.freedom == pytest.approx(3, abs=1e-3)


def test_replicates_that_are_equal_by_chance_are_no_more_certain_than_their_residuals() -> None:
    """Equal means over images that answer independently: at least the interval of alike replicates, never narrower."""
    values = answers(3, 400)
    values -= values.mean(axis=1, keepdims=True)
    _, of_images, residual = analysis_of_variance(values)
    expected = np.sqrt((residual + max(of_images - residual, 0)) / values.size)
    found = mean_error(Sums.of(values))
    assert found.standard_error == pytest.approx(expected)
    assert found.freedom > 100
    spread = values + np.array([[-1.0], [0.0], [1.0]])
    assert mean_error(Sums.of(spread)).freedom == pytest.approx(2, rel=0.01)


def test_one_replicate_has_the_interval_of_its_images() -> None:
    """Student's over the images, one of 1 and one of -1 among them (Bonett and Price 2012)."""
    values = answers(1, 30)
    expected = stats.ttest_1samp(np.append(values, [1, -1]), 0).confidence_interval(LEVEL)
    found = difference_interval(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(values.mean())


def test_one_arms_interval_has_one_more_right_and_one_more_wrong_image() -> None:
    """One replicate, 95 of 100 right: Student's interval of 96 of 102 (Agresti and Caffo 2000)."""
    found = share_interval(np.where(np.arange(100) < 95, 1.0, 0.0)[None])
    share = 96 / 102
    reach = stats.t.ppf(0.975, 101) * np.sqrt(share * (1 - share) / 101)
    assert (found.low, found.high) == pytest.approx((share - reach, share + reach))
    assert found.mean == pytest.approx(0.95)


@pytest.mark.parametrize("replicates", [1, 2, 5])
@pytest.mark.parametrize("images", [1, 12, 5000])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_answers_are_no_certainty(replicates: int, images: int, value: float) -> None:
    """All right, all wrong, no difference anywhere: the interval has a width, holds the mean, and is within bounds."""
    values = np.full((replicates, images), value)
    difference, share = difference_interval(values), share_interval(values)
    assert difference.high - difference.low > 1 / images / 2
    assert share.high - share.low > 1 / images / 2
    assert -1 <= difference.low <= value <= difference.high <= 1
    assert 0 <= share.low <= value <= share.high <= 1


@pytest.mark.parametrize("images", [12, 240, 5000])
def test_replicates_with_equal_means_are_no_certainty(images: int) -> None:
    """Equal in every replicate, each time by other images: the added images still give the interval a width."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        hits = np.stack([rng.permutation(np.arange(images) < 0.75 * images) for _ in range(6)]).astype(float)
        difference, share = difference_interval(hits[:3] - hits[3:]), share_interval(hits[:3])
        assert difference.low < -2 / images
        assert difference.high > 2 / images
        assert share.high - share.low > 2 / images


def test_the_interval_grows_with_the_differences_between_replicates() -> None:
    """Replicates that disagree about the same images give a wider interval than replicates that agree."""
    image = np.random.default_rng(2).choice([-0.5, 0.0, 0.5], (1, 200))
    agree = np.repeat(image, 4, axis=0)
    disagree = agree + np.array([[-0.3], [-0.1], [0.1], [0.3]])
    width = [found.high - found.low for found in (difference_interval(agree), difference_interval(disagree))]
    assert width[1] > 1.3 * width[0]


def test_another_level_is_wider() -> None:
    """Each of m questions has 1 - 0.05 / m: the reach is that of its quantile, the error is the same."""
    values = answers(5, 60)
    usual, other = difference_interval(values), difference_interval(values, other_level(4))
    assert other_level(4) == pytest.approx(0.9875)
    assert (other_level(1), other_level(0)) == (LEVEL, LEVEL)
    assert other.standard_error == usual.standard_error
    assert other.high - other.low == pytest.approx(2 * stats.t.ppf(0.99375, usual.freedom) * usual.standard_error)


def test_what_is_detectable_is_found_four_times_in_five() -> None:
    """Experiments of normal effects with a true difference as large as is detectable on average: 80 %, to within 6."""
    rng = np.random.default_rng(0)

    def experiment(true: float) -> Values:
        return true + rng.normal(0, 0.02, (5, 1)) + rng.normal(0, 0.1, (1, 200)) + rng.normal(0, 0.2, (5, 200))

    detectable = float(np.mean([difference_interval(experiment(0)).detectable for _ in range(300)]))
    found = [difference_interval(experiment(detectable)).low > 0 for _ in range(600)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("shape", [(3,), (0, 4), (4, 0), (2, 3, 4)])
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """Replicates times images, neither of them 0."""
    for function in (difference_interval, share_interval, variance_components):
        with pytest.raises(ValueError, match="want \\(replicates, images\\)"):
            function(np.zeros(shape))
