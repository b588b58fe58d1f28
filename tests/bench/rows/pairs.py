"""Precision, recall, density and coverage, against `prdc`, by the authors of the latter two."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.row import Row, Work

WIDTH = 64


@dataclass(frozen=True)
class Task:
    """Features of two sets."""

    synthetic: Any
    real: Any


def _task(folder: Path, count: int) -> Task:
    """Draw `count` features of each set: few directions, noise, and nothing below 0."""
    chance = np.random.default_rng(0)
    directions = chance.standard_normal((16, WIDTH), np.float32)
    sides = (chance.standard_normal((count, 16), np.float32) @ directions for _ in range(2))
    return Task(*(np.maximum(side + 0.3 * chance.standard_normal(side.shape, np.float32), 0) for side in sides))


def _ours(task: Task) -> Work:
    from shared.metrics.features.prdc import prdc

    return lambda: prdc(task.synthetic, task.real)


def _prdc(task: Task) -> Work:
    from prdc import compute_prdc

    return lambda: compute_prdc(task.real, task.synthetic, nearest_k=5)


def _close(ours: dict[str, float], theirs: dict[str, float]) -> None:
    # its distances are float32: some of them are on the other side of a radius
    assert all(abs(ours[name] - theirs[name]) <= 1e-3 for name in ours), (ours, theirs)


ROWS = {
    "prdc": Row(
        "precision, recall, density and coverage, 64-d, of 10,000 images and 10,000 others", 10_000, "images",
        partial(_task, count=10_000), _ours, {"prdc": _prdc}, _close,
    ),
}  # fmt: skip
