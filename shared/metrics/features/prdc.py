"""Precision, recall, density and coverage, from distances to nearest neighbours."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.metrics.features.rows import Rows, tiles
from shared.metrics.metric import FeaturePair

Array = NDArray[np.floating]

NEAREST = 5
"""Which neighbour's distance is the radius of a ball around an image, as in prdc and its paper."""


def prdc(synthetic: Array, real: Array, nearest: int = NEAREST) -> dict[str, float]:
    """Return precision, recall, density and coverage of features (N, d) and (M, d); more than `nearest` on each side.

    Around each real feature lies a ball that reaches to its `nearest`-th real neighbour, and likewise for synthetic.
    Precision is the share of synthetic features in any real ball, recall the share of real ones in any synthetic ball
    (Kynkäänniemi et al. 2019); density is the mean number of real balls that a synthetic feature lies in, over
    `nearest`, coverage the share of real balls with a synthetic feature in them (Naeem et al. 2020).
    """
    drawn, own = (torch.from_numpy(np.asarray(side)) for side in (synthetic, real))
    real_radius, drawn_radius = radii(own, nearest), radii(drawn, nearest)
    balls = torch.zeros(len(drawn), dtype=torch.int64)
    covered, recalled = (torch.zeros(len(own), dtype=torch.bool) for _ in range(2))
    for start, first, distances in tiles(drawn, own):
        rows, columns = slice(start, start + len(distances)), slice(first, first + distances.shape[1])
        inside = distances < real_radius[columns]
        balls[rows] += inside.sum(dim=1)
        covered[columns] |= inside.any(dim=0)
        recalled[columns] |= (distances < drawn_radius[rows, None]).any(dim=0)
    return {
        "precision": float((balls > 0).double().mean()),
        "recall": float(recalled.double().mean()),
        "density": float(balls.double().mean() / nearest),
        "coverage": float(covered.double().mean()),
    }


def score(pair: FeaturePair) -> dict[str, float]:
    """Return the four scores of a pair; sets of no more than `NEAREST` images take their farthest neighbour."""
    synthetic, real = pair.synthetic.features, pair.real.features
    return prdc(synthetic, real, min(NEAREST, len(synthetic) - 1, len(real) - 1))


def radii(points: Rows, nearest: int) -> Tensor:
    """Return the distance of each of (N, d) to its `nearest`-th neighbour among the others."""
    # one more than `nearest`, because each point is its own nearest neighbour
    found = torch.full((len(points), nearest + 1), torch.inf, dtype=torch.float64)
    for start, _, distances in tiles(points, points):
        rows = slice(start, start + len(distances))
        closest = distances.topk(min(nearest + 1, distances.shape[1]), dim=1, largest=False).values
        found[rows] = torch.cat([found[rows], closest], dim=1).topk(nearest + 1, dim=1, largest=False).values
    return found[:, -1]
