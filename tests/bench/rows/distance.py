"""Fréchet distances, against scipy's root of a matrix as clean-fid and pytorch-fid call it.

The reference's moments are known, as every tool caches them. Those of a set as large are given too, so that this is
the distance alone; of a set smaller than its features each side starts with these.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.row import Row, Work

WIDTH = 2048

Moments = tuple[Any, Any]


@dataclass(frozen=True)
class Task:
    """Features of a set, where they are not given as moments, and the moments of it and of the reference."""

    features: Any
    moments: Moments
    reference: Any
    reference_moments: Moments


def _task(folder: Path, count: int) -> Task:
    """Draw `count` features and 4,096 of the reference; more than `WIDTH` are given as moments alone."""
    from shared.metrics.features.frechet import FeatureStats, moments

    chance = np.random.default_rng(0)
    drawn, reference = (chance.standard_normal((n, WIDTH)) * chance.uniform(0.2, 2, WIDTH) for n in (count, 4096))
    cloud = FeatureStats(reference)
    assert cloud.cov.shape == (WIDTH, WIDTH)  # computed now, and kept
    return Task(drawn if count < WIDTH else None, moments(drawn), cloud, moments(reference))


def _both(task: Task) -> tuple[Moments, Moments]:
    """Return the moments of both sides, those of the set made from its features if there are any."""
    if task.features is None:
        return task.moments, task.reference_moments
    return (task.features.mean(axis=0), np.cov(task.features, rowvar=False)), task.reference_moments


def _ours(task: Task) -> Work:
    from shared.metrics.features.frechet import FeatureStats, frechet_distance

    if task.features is None:
        return lambda: frechet_distance(*task.moments, *task.reference_moments)
    return lambda: FeatureStats(task.features).distance(task.reference)


def _clean_fid(task: Task) -> Work:
    from cleanfid.fid import frechet_distance

    return lambda: frechet_distance(*(part for side in _both(task) for part in side))


def _pytorch_fid(task: Task) -> Work:
    from pytorch_fid.fid_score import calculate_frechet_distance

    return lambda: calculate_frechet_distance(*(part for side in _both(task) for part in side))


def _torchmetrics(task: Task) -> Work:
    import torch
    from torchmetrics.image.fid import _compute_fid

    return lambda: float(_compute_fid(*(torch.from_numpy(part) for side in _both(task) for part in side)))


def _close(ours: float, theirs: float) -> None:
    assert abs(ours - theirs) <= 1e-6 * abs(theirs), (ours, theirs)


PEERS = {"clean-fid": _clean_fid, "pytorch-fid": _pytorch_fid, "torchmetrics": _torchmetrics}

ROWS = {
    "frechet": Row(
        "Fréchet distance, 2,048-d, from the moments of both sides", 1, "distances",
        partial(_task, count=4096), _ours, PEERS, _close,
    ),
    "frechet-few": Row(
        "Fréchet distance, 2,048-d, of 1,000 images to a reference of known moments", 1, "distances",
        partial(_task, count=1000), _ours, PEERS, _close,
    ),
}  # fmt: skip
