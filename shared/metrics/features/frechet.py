"""The Fréchet distance between two sets of features, whole, by class and extrapolated, in float64."""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from shared.metrics.features.rows import parts
from shared.metrics.metric import FeaturePair

Array = NDArray[np.float64]


def moments(features: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return the mean (d,) and the unbiased covariance (d, d) of features (n, d), in float64; n at least 2."""
    # float64: the distance is a small difference of large traces
    exact = np.asarray(features, dtype=np.float64)
    return exact.mean(axis=0), np.atleast_2d(np.cov(exact, rowvar=False))


def frechet_distance(mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array) -> float:
    """Return |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)), at least 0."""
    difference = mean_a - mean_b
    # Heusel et al. 2017, eq. 6
    distance = difference @ difference + np.trace(cov_a) + np.trace(cov_b) - 2 * root_trace(cov_a, cov_b)
    return max(float(distance), 0.0)  # rounding can make the distance of equal sets a tiny negative number


def root_trace(cov_a: Array, cov_b: Array) -> float:
    """Return tr((cov_a cov_b)^(1/2)): the sum of the roots of the eigenvalues of F' cov_b F, where F F' = cov_a."""
    # not scipy's sqrtm of the product: that is not symmetric, so that its root may come out complex, and it is
    # inaccurate for covariances without full rank
    try:
        # LAPACK solves it as a generalized eigenvalue problem, F being Cholesky's factor
        return _sum_of_roots(linalg.eigvalsh(cov_b, cov_a, type=2, driver="gv"))
    except linalg.LinAlgError:  # cov_a is singular and has no Cholesky factor: take its root
        values, vectors = linalg.eigh(cov_a)
        factor = vectors * np.sqrt(values.clip(min=0))
        return _sum_of_roots(linalg.eigvalsh(factor.T @ cov_b @ factor))


def _sum_of_roots(values: Array) -> float:
    """Return the sum of the roots of eigenvalues of which none is below 0 but for rounding."""
    return float(np.sqrt(values.clip(min=0)).sum())


class FeatureStats:
    """Features (n, d) as Fréchet distances need them: their mean, and rows whose X' X is the unbiased covariance.

    These are float64 in blocks: of many features, which may be float32, no such copy is held.
    """

    def __init__(self, features: NDArray[np.floating]) -> None:
        self.features = features
        self.count, self.width = features.shape
        self.mean: Array = sum_of(part.sum(axis=0, dtype=np.float64) for part in parts(features)) / self.count

    @property
    def blocks(self) -> Iterator[Array]:
        """The rows X, in order, (m, d) each."""
        for part in parts(self.features):
            yield (np.asarray(part, dtype=np.float64) - self.mean) / np.sqrt(self.count - 1)

    @property
    def rows(self) -> Array:
        """All rows (n, d): for fewer images than features."""
        return np.concatenate([*self.blocks])

    @cached_property
    def cov(self) -> Array:
        """The unbiased covariance (d, d)."""
        return sum_of(rows.T @ rows for rows in self.blocks)

    @cached_property
    def trace(self) -> float:
        """The covariance's trace, without forming it."""
        return float(sum(np.vdot(rows, rows) for rows in self.blocks))

    def distance(self, other: "FeatureStats") -> float:
        """Return the Fréchet distance to other features, as `frechet_distance`."""
        # With fewer images than features, X' X = cov_a has the same nonzero eigenvalues as a matrix of the size of the
        # smaller side: those of cov_a cov_b are those of X cov_b X' (Gram's form).
        small, large = sorted((self, other), key=lambda stats: stats.count)
        if small.count >= self.width:
            root = root_trace(small.cov, large.cov)
        elif large.count > self.width:  # cov_b once, rather than a product as tall as the large side
            rows = small.rows
            root = _sum_of_roots(linalg.eigvalsh(rows @ large.cov @ rows.T))
        else:
            product = small.rows @ large.rows.T
            root = _sum_of_roots(linalg.eigvalsh(product @ product.T))
        difference = self.mean - other.mean
        return max(float(difference @ difference + self.trace + other.trace - 2 * root), 0.0)


def sum_of(arrays: Iterable[Array]) -> Array:
    """Return the sum of arrays of one shape, of which two are held at a time."""
    total: Array | None = None
    for array in arrays:
        # what is summed is nobody else's
        total = array if total is None else np.add(total, array, out=total)
    assert total is not None
    return total


def frechet_infinite(
    synthetic: NDArray[np.floating], real: NDArray[np.floating], *, seed: int, points: int = 15
) -> tuple[float, float]:
    """Return the Fréchet distance extrapolated to infinitely many synthetic images, and its slope over 1 / n.

    A line through the distances of `points` random subsets, of a tenth (at least 2) to all of the synthetic images,
    over 1 / n (Chong and Forsyth 2020). The extrapolation may fall below 0 where the distance is within its noise.
    """
    rng = np.random.default_rng(seed)
    reference = FeatureStats(real)
    sizes = np.linspace(max(len(synthetic) // 10, 2), len(synthetic), points).astype(int)
    distances = [
        FeatureStats(synthetic[rng.choice(len(synthetic), size, replace=False)]).distance(reference) for size in sizes
    ]
    # the bias of the distance is proportional to 1 / n: at 1 / n = 0 there is none left
    slope, intercept = np.polyfit(1 / sizes, distances, 1)
    return float(intercept), float(slope)


def class_frechet(
    synthetic: NDArray[np.floating], asked: NDArray[np.int64], real: NDArray[np.floating], labels: NDArray[np.int64]
) -> dict[int, float]:
    """Return the Fréchet distance of each class's images, by label; of classes with 2 images on both sides."""
    distances = {}
    for label in np.unique(labels).tolist():
        drawn, own = synthetic[asked == label], real[labels == label]
        if len(drawn) > 1 and len(own) > 1:
            distances[label] = FeatureStats(drawn).distance(FeatureStats(own))
    return distances


def score(pair: FeaturePair) -> dict[str, float]:
    """Return the Fréchet distance of a pair."""
    return {"frechet": FeatureStats(pair.synthetic.features).distance(FeatureStats(pair.real.features))}


def extrapolated_score(pair: FeaturePair) -> dict[str, float]:
    """Return the distance of a pair extrapolated to infinitely many images, and the slope of that."""
    infinite, slope = frechet_infinite(pair.synthetic.features, pair.real.features, seed=pair.seed)
    return {"frechet_infinite": infinite, "frechet_slope": slope}


def class_score(pair: FeaturePair) -> dict[str, dict[str, float]]:
    """Return the distance of each class of a pair, by the name of the class."""
    synthetic, real = pair.synthetic, pair.real
    by_label = class_frechet(synthetic.features, synthetic.labels, real.features, real.labels)
    return {"frechet_by_class": {pair.classes[label]: value for label, value in by_label.items()}}
