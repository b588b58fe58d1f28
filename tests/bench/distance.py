"""Fréchet distances of features, against scipy's root of a matrix as clean-fid and pytorch-fid call it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.rows import Row, Work

WIDTH = 2048


def _features(count: int) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        chance = np.random.default_rng(0)
        return [chance.standard_normal((n, WIDTH)) * chance.uniform(0.2, 2, WIDTH) for n in (count, 4096)]

    return prepare


def _ours(sides: Any) -> Work:
    from jobs.evaluate.scores import Cloud

    return lambda: Cloud(sides[0]).distance(Cloud(sides[1]))


def _clean_fid(sides: Any) -> Work:
    from cleanfid.fid import fid_from_feats

    return lambda: fid_from_feats(*sides)


def _pytorch_fid(sides: Any) -> Work:
    from pytorch_fid.fid_score import calculate_frechet_distance as distance

    return lambda: distance(*(part for side in sides for part in (side.mean(axis=0), np.cov(side, rowvar=False))))


def _torchmetrics(sides: Any) -> Work:
    import torch
    from torchmetrics.image.fid import _compute_fid

    def work() -> float:
        found = [torch.from_numpy(side) for side in sides]
        return float(_compute_fid(*(part for side in found for part in (side.mean(dim=0), side.T.cov()))))

    return work


def _close(ours: float, theirs: float) -> None:
    assert abs(ours - theirs) <= 1e-6 * abs(theirs), (ours, theirs)


PEERS = {"clean-fid": _clean_fid, "pytorch-fid": _pytorch_fid, "torchmetrics": _torchmetrics}

ROWS = {
    name: Row(f"Fréchet distance, 2,048-d, {count:,} to 4,096 images, with their moments", 1, "distances",
              _features(count), _ours, PEERS, _close)
    for name, count in (("frechet", 4096), ("frechet-few", 1000))
}  # fmt: skip
