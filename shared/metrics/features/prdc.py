"""Precision, recall, density and coverage, from distances to nearest neighbours."""

import numpy as np
import torch
from numpy.typing import NDArray

from shared.metrics.features.closest import closest_of_own
from shared.metrics.features.pairs import Frame, scale_of, tiles
from shared.metrics.features.rows import Rows
from shared.metrics.metric import FeaturePair

Array = NDArray[np.floating]

NEAREST = 5
"""Which neighbour's distance is the radius of a ball around an image, as in prdc and its paper."""


def prdc(synthetic: Array | Rows, real: Array | Rows, nearest: int = NEAREST) -> dict[str, float]:
    """Return precision, recall, density and coverage of features (N, d) and (M, d); more than `nearest` on each side.

    Around each real feature lies a ball that reaches to its `nearest`-th real neighbour, and likewise for synthetic.
    Precision is the share of synthetic features in any real ball, recall the share of real ones in any synthetic ball
    (Kynkäänniemi et al. 2019); density is the mean number of real balls that a synthetic feature lies in, over
    `nearest`, coverage the share of real balls with a synthetic feature in them (Naeem et al. 2020).
    """
    drawn, own = (torch.from_numpy(side) if isinstance(side, np.ndarray) else side for side in (synthetic, real))
    scale = scale_of(drawn, own)
    drawn_radius, real_radius = (closest_of_own(side, nearest, scale).squares[:, -1] for side in (drawn, own))
    balls = np.zeros(len(drawn), np.int64)
    covered, recalled = (np.zeros(len(own), bool) for _ in range(2))
    for tile in tiles(drawn, own, Frame.amid(own, scale)):
        rows, columns = tile.rows.places, tile.columns.places
        inside = tile.within(real_radius[None, columns])
        balls[rows] += np.bincount(inside[0], minlength=len(tile.rows))
        covered[columns][inside[1]] = True
        # the second ball around a point says no more than the first one
        recalled[columns][tile.within(drawn_radius[rows, None], among=~recalled[columns])[1]] = True
    return {
        "precision": float((balls > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(balls.mean() / nearest),
        "coverage": float(covered.mean()),
    }


def score(pair: FeaturePair) -> dict[str, float]:
    """Return the four scores of a pair; sets of no more than `NEAREST` images take their farthest neighbour."""
    synthetic, real = pair.synthetic.features, pair.real.features
    return prdc(synthetic, real, min(NEAREST, len(synthetic) - 1, len(real) - 1))
