"""The kernel distance between two sets of features: squared MMD with a polynomial kernel."""

import numpy as np
from numpy.typing import NDArray

from shared.metrics.metric import FeaturePair

Array = NDArray[np.float64]


def kernel_distance(
    features_a: NDArray[np.floating],
    features_b: NDArray[np.floating],
    *,
    seed: int,
    subsets: int = 100,
    subset_size: int = 1000,
) -> tuple[float, float]:
    """Return the squared MMD with kernel (x.y / d + 1)^3 and its standard error (Binkowski et al. 2018).

    The mean of unbiased estimates over `subsets` random subsets, drawn from `seed`, of `subset_size` of each side or
    half the smaller side where that is less. The error is that of all images. Negative values occur, and say that no
    difference was found. Each side needs at least 4 features.
    """
    rng = np.random.default_rng(seed)
    # at most half a side: subsets that were nearly the whole set would hardly differ, and neither would the estimates
    sides = features_a, features_b
    size = min(len(features_a) // 2, len(features_b) // 2, subset_size)
    estimates = [
        # float64 for a subset alone
        _unbiased_mmd(*(side[rng.choice(len(side), size, replace=False)].astype(np.float64) for side in sides))
        for _ in range(subsets)
    ]
    # subsets overlap: dividing by the root of their number would claim far too small an error, so the spread over
    # subsets is scaled from a subset's size to that of the smaller side
    error = np.std(estimates, ddof=1) * (size / min(map(len, sides))) ** 0.5
    return float(np.mean(estimates)), float(error)


def score(pair: FeaturePair) -> dict[str, float]:
    """Return the kernel distance of a pair and its standard error."""
    distance, error = kernel_distance(pair.synthetic.features, pair.real.features, seed=pair.seed)
    return {"kernel": distance, "kernel_se": error}


def _unbiased_mmd(a: Array, b: Array) -> float:
    """Return the unbiased estimate of the squared MMD of two samples of the same size m."""
    m, width = a.shape
    within = [((x @ x.T / width + 1) ** 3) for x in (a, b)]
    # without the diagonals, whose values compare an image with itself, the estimate is unbiased (their eq. 4)
    same = sum((kernel.sum() - np.trace(kernel)) / (m * (m - 1)) for kernel in within)
    across = ((a @ b.T / width + 1) ** 3).mean()
    return float(same - 2 * across)
