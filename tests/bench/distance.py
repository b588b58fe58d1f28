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
    from jobs.evaluate.scores import frechet_distance, moments

    return lambda: frechet_distance(*moments(sides[0]), *moments(sides[1]))


def _clean_fid(sides: Any) -> Work:
    from cleanfid.fid import fid_from_feats

    return lambda: fid_from_feats(*sides)


def _close(ours: float, theirs: float) -> None:
    assert abs(ours - theirs) <= 1e-6 * abs(theirs), (ours, theirs)


ROWS = {
    "frechet": Row(
        "Fréchet distance, 2,048-d, 4,096 images",
        1,
        "distances",
        _features(4096),
        _ours,
        {"clean-fid": _clean_fid},
        _close,
    ),
}
