"""Precision, recall, density and coverage, from distances to nearest neighbours."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.metrics.metric import FeaturePair

Array = NDArray[np.floating]

NEAREST = 5
"""Which neighbour's distance is the radius of a ball around an image, as in prdc and its paper."""

BLOCK_ROWS = 512
"""Rows of the distance matrix at a time: whole, it would take N x M float64."""


def prdc(synthetic: Array, real: Array, nearest: int = NEAREST) -> dict[str, float]:
    """Return precision, recall, density and coverage of features (N, d) and (M, d); more than `nearest` on each side.

    Around each real feature lies a ball that reaches to its `nearest`-th real neighbour, and likewise for synthetic.
    Precision is the share of synthetic features in any real ball, recall the share of real ones in any synthetic ball
    (Kynkäänniemi et al. 2019); density is the mean number of real balls that a synthetic feature lies in, over
    `nearest`, coverage the share of real balls with a synthetic feature in them (Naeem et al. 2020).
    """
    drawn, own = (torch.from_numpy(np.asarray(side, dtype=np.float64)) for side in (synthetic, real))
    real_radius, drawn_radius = radii(own, nearest), radii(drawn, nearest)
    inside_real, inside_drawn = [], []
    covered = torch.zeros(len(own), dtype=torch.bool)
    for start, distances in blocks(drawn, own):
        inside = distances < real_radius
        inside_real.append(inside.sum(dim=1))
        covered |= inside.any(dim=0)
        # whether a real point is in any synthetic ball: over this block of balls, joined below
        inside_drawn.append((distances < drawn_radius[start : start + len(distances), None]).any(dim=0))
    balls = torch.cat(inside_real)
    return {
        "precision": float((balls > 0).double().mean()),
        "recall": float(torch.stack(inside_drawn).any(dim=0).double().mean()),
        "density": float(balls.double().mean() / nearest),
        "coverage": float(covered.double().mean()),
    }


def score(pair: FeaturePair) -> dict[str, float]:
    """Return the four scores of a pair; sets of no more than `NEAREST` images take their farthest neighbour."""
    synthetic, real = pair.synthetic.features, pair.real.features
    return prdc(synthetic, real, min(NEAREST, len(synthetic) - 1, len(real) - 1))


def radii(points: Tensor, nearest: int) -> Tensor:
    """Return the distance of each of (N, d) to its `nearest`-th neighbour among the others."""
    # one more than `nearest`, because each point is its own nearest neighbour
    furthest = [block.topk(nearest + 1, dim=1, largest=False).values[:, -1] for _, block in blocks(points, points)]
    return torch.cat(furthest)


def blocks(points: Tensor, others: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield (first row, Euclidean distances (rows, M)) for the rows of `points` in blocks."""
    for start in range(0, len(points), BLOCK_ROWS):
        part = points[start : start + BLOCK_ROWS]
        # always by a matrix product: by default small blocks take another path, and the last digits would depend on N
        yield start, torch.cdist(part, others, compute_mode="use_mm_for_euclid_dist")
