"""Distances between two sets of features: pure functions on float64 arrays."""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Array = NDArray[np.float64]


def moments(features: NDArray[np.floating]) -> tuple[Array, Array]:
    """Return the mean (d,) and the unbiased covariance (d, d) of features (n, d), in float64; n at least 2."""
    exact = np.asarray(features, dtype=np.float64)
    return exact.mean(axis=0), np.atleast_2d(np.cov(exact, rowvar=False))


def frechet_distance(mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array) -> float:
    """Return |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)), at least 0 (Heusel et al. 2017, eq. 6).

    The trace of the root is the sum of the roots of the eigenvalues of cov_a^(1/2) cov_b cov_a^(1/2), which is
    symmetric: no complex numbers, and exact for covariances without full rank.
    """
    values, vectors = linalg.eigh(cov_a)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    between = linalg.eigvalsh(root @ cov_b @ root)
    difference = mean_a - mean_b
    distance = difference @ difference + np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(between.clip(min=0)).sum()
    return max(float(distance), 0.0)


def kernel_distance(
    features_a: NDArray[np.floating],
    features_b: NDArray[np.floating],
    *,
    seed: int,
    subsets: int = 100,
    subset_size: int = 1000,
) -> tuple[float, float]:
    """Return the mean and spread of the squared MMD with kernel (x.y / d + 1)^3 (Binkowski et al. 2018).

    Unbiased estimates over `subsets` random subsets, drawn from `seed`, of `subset_size` of each side or half the
    smaller side where that is less; the spread is their standard deviation. Negative values occur, and say
    that no difference was found. Each side needs at least 4 features.
    """
    chance = np.random.default_rng(seed)
    a, b = np.asarray(features_a, dtype=np.float64), np.asarray(features_b, dtype=np.float64)
    size = min(len(a) // 2, len(b) // 2, subset_size)
    estimates = [
        _unbiased_mmd(a[chance.choice(len(a), size, replace=False)], b[chance.choice(len(b), size, replace=False)])
        for _ in range(subsets)
    ]
    return float(np.mean(estimates)), float(np.std(estimates, ddof=1))


def _unbiased_mmd(a: Array, b: Array) -> float:
    """Return the unbiased estimate of the squared MMD of two samples of the same size m."""
    m, width = a.shape
    within = [((x @ x.T / width + 1) ** 3) for x in (a, b)]
    same = sum((kernel.sum() - np.trace(kernel)) / (m * (m - 1)) for kernel in within)
    across = ((a @ b.T / width + 1) ** 3).mean()
    return float(same - 2 * across)
