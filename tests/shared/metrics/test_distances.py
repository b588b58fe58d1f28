"""The scores against clean-fid's own functions and closed forms, and the snapshot that they choose."""

import warnings
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.metrics.features.frechet import FeatureStats, frechet_distance, moments
from shared.metrics.features.kernel import _unbiased_mmd, kernel_distance

Array = NDArray[np.float64]

pytestmark = pytest.mark.filterwarnings(
    "ignore:The `disp` argument:DeprecationWarning"  # clean-fid 0.1.35 passes sqrtm an argument that scipy retires
)


@pytest.fixture(scope="module")
def cleanfid() -> ModuleType:
    """clean-fid's module `fid`, the peer; its dependencies warn on import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cleanfid import fid
    return fid  # type: ignore[no-any-return]


def features(kind: str, count: int, seed: int) -> Array:
    """Return features (count, d) whose covariance is of this kind."""
    chance = np.random.default_rng(seed)
    if kind == "random":
        return chance.normal(seed, 1, (count, 12)) @ chance.normal(0, 1, (12, 12))
    if kind == "ill-conditioned":
        return chance.normal(0, 1, (count, 16)) * np.logspace(2, -3, 16)
    if kind == "relu":
        return np.maximum(chance.normal(-0.5, 1, (count, 20)), 0)
    return chance.normal(seed, 1, (count, 64))  # wide: fewer images than features where count is below 64


@pytest.mark.parametrize("kind", ["random", "ill-conditioned", "relu", "wide"])
@pytest.mark.parametrize("count", [300, 40])
def test_frechet_distance_is_clean_fids(kind: str, count: int, cleanfid: ModuleType) -> None:
    """The Frechet distance equals clean-fid's, for well and badly conditioned features, many images and few.

    With fewer images than features the covariances are singular, and the peer's own matrix root is the less exact.
    """
    a, b = features(kind, count, 1), features(kind, count, 2)
    ours = frechet_distance(*moments(a), *moments(b))
    theirs = cleanfid.frechet_distance(a.mean(axis=0), np.cov(a, rowvar=False), b.mean(axis=0), np.cov(b, rowvar=False))
    singular = kind == "wide" and count == 40
    assert ours == pytest.approx(theirs, rel=1e-4 if singular else 1e-6)
    assert ours > 0


def test_frechet_distance_of_diagonal_gaussians() -> None:
    """Between Gaussians with diagonal covariances it is the sum of (m1 - m2)^2 + (s1 - s2)^2 over dimensions."""
    deviations = np.array([1.0, 2.0, 0.0]), np.array([3.0, 2.0, 5.0])
    means = np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0])
    found = frechet_distance(means[0], np.diag(deviations[0] ** 2), means[1], np.diag(deviations[1] ** 2))
    assert found == pytest.approx((1 + 0 + 4) + (4 + 0 + 25), rel=1e-12)


def test_frechet_distance_of_one_dimension() -> None:
    """One feature is a number with a variance; 0, 2 and 1, 3 differ by 1 in mean and nothing in spread."""
    assert frechet_distance(*moments(np.array([[0.0], [2.0]])), *moments(np.array([[1.0], [3.0]]))) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["random", "ill-conditioned", "relu", "wide"])
def test_frechet_distance_of_a_set_from_itself_is_zero(kind: str) -> None:
    """Equal sets have distance 0 to rounding, relative to the features' spread, and never a negative one."""
    same = moments(features(kind, 50, 3))
    assert 0 <= frechet_distance(*same, *same) <= 1e-6 * np.trace(same[1])


def test_frechet_distance_of_flat_features() -> None:
    """Features without any spread differ by their means alone, exactly 0 where those are equal."""
    flat = np.ones((10, 4))
    assert frechet_distance(*moments(flat), *moments(flat)) == 0.0
    assert frechet_distance(*moments(flat), *moments(3 * flat)) == 16.0


def test_frechet_distance_with_covariances_of_lower_rank() -> None:
    """On a line in three dimensions the distance is that of the one-dimensional Gaussians on the line."""
    line = np.array([2.0, 1.0, 2.0]) / 3
    chance = np.random.default_rng(7)
    a, b = chance.normal(0, 1, 100), chance.normal(1, 3, 100)
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet_distance(*moments(np.outer(a, line)), *moments(np.outer(b, line))) == pytest.approx(
        expected, rel=1e-6
    )


def test_frechet_distance_is_symmetric() -> None:
    """The order of the two sets does not matter."""
    a, b = moments(features("random", 100, 1)), moments(features("random", 100, 2))
    assert frechet_distance(*a, *b) == pytest.approx(frechet_distance(*b, *a), rel=1e-9)


@pytest.mark.parametrize("kind", ["random", "ill-conditioned", "relu", "wide"])
@pytest.mark.parametrize(("first", "second"), [(300, 200), (300, 9), (9, 300), (40, 30), (5, 7), (2, 2)])
def test_every_form_gives_the_same_distance(kind: str, first: int, second: int) -> None:
    """With fewer images than features on no, one or both sides the distance is that of the covariances, in any order.

    "wide" features, 64 of them, need the small forms most often.
    """
    a, b = features(kind, first, 1), features(kind, second, 2)
    expected = frechet_distance(*moments(a), *moments(b))
    assert FeatureStats(a).distance(FeatureStats(b)) == pytest.approx(expected, rel=1e-6)
    assert FeatureStats(b).distance(FeatureStats(a)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("count", [3, 50, 90])
def test_a_set_is_at_no_distance_from_itself_in_every_form(count: int) -> None:
    """The small forms also give 0, to rounding, and never less."""
    same = features("wide", count, 3)
    cloud = FeatureStats(same)
    assert 0 <= cloud.distance(FeatureStats(same)) <= 1e-6 * np.trace(cloud.cov)
    assert cloud.cov == pytest.approx(moments(same)[1], abs=1e-12)


def test_few_images_on_a_line_are_exact() -> None:
    """0 and 2 against 1, 3 and 5 on a line: means 1 and 3, deviations sqrt 2 and 2, also in a thousand dimensions."""
    line = np.full(1000, 1000**-0.5)
    a, b = np.outer([0.0, 2.0], line), np.outer([1.0, 3.0, 5.0], line)
    assert FeatureStats(a).distance(FeatureStats(b)) == pytest.approx(4 + (2 - 2**0.5) ** 2, rel=1e-9)


def test_moments_are_float64_and_unbiased() -> None:
    """Mean and covariance of 1, 2, 6 are 3 and 7 (divisor n - 1), in float64 even for float32 features."""
    mean, covariance = moments(np.array([[1], [2], [6]], np.float32))
    assert (mean.tolist(), covariance.tolist(), covariance.dtype) == ([3.0], [[7.0]], np.float64)


@pytest.mark.parametrize("kind", ["random", "relu", "wide"])
def test_kernel_estimate_is_clean_fids(kind: str, cleanfid: ModuleType) -> None:
    """One subset of everything is clean-fid's kernel_distance: the order in which it draws them does not matter."""
    a, b = features(kind, 60, 1), features(kind, 60, 2)
    theirs = cleanfid.kernel_distance(a, b, num_subsets=1, max_subset_size=60)
    assert _unbiased_mmd(a, b) == pytest.approx(theirs, rel=1e-6)


def test_kernel_estimate_by_hand() -> None:
    """For 0, 1 against 0, 2 in one dimension: within 1 + 1 (products 0), across (1 + 1 + 1 + 27) / 4."""
    found = _unbiased_mmd(np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]))
    assert found == pytest.approx(1 + 1 - 2 * (1 + 1 + 1 + 27) / 4)


def test_kernel_distance_is_about_the_estimate_of_everything(cleanfid: ModuleType) -> None:
    """The mean over random subsets agrees with clean-fid's value on all images, within its own spread."""
    a, b = features("relu", 400, 1), features("relu", 400, 2) + 0.3
    mean, spread = kernel_distance(a, b, seed=0)
    assert abs(mean - cleanfid.kernel_distance(a, b, num_subsets=1, max_subset_size=400)) < spread


def test_kernel_distance_of_equal_distributions_is_about_zero() -> None:
    """Two draws from one distribution differ by no more than the spread; a shifted one by far more."""
    a, b = (np.random.default_rng(seed).normal(0, 1, (500, 8)) for seed in (1, 2))
    mean, spread = kernel_distance(a, b, seed=0)
    assert abs(mean) < 2 * spread
    assert kernel_distance(a, b + 1, seed=0)[0] > 10 * spread


def test_kernel_distance_depends_on_its_seed_alone() -> None:
    """The same seed gives the same value in any state of numpy's global generator; another seed gives another."""
    a, b = features("relu", 50, 1), features("relu", 70, 2)
    first = kernel_distance(a, b, seed=3)
    np.random.seed(99)
    assert kernel_distance(a, b, seed=3) == first
    assert kernel_distance(a, b, seed=4) != first
