"""Images that take next to nothing to make, and compress as little as photos do."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def coarse_noise(count: int) -> Iterator[Any]:
    """Yield samples of coarse noise of 64x64 px, in ten classes."""
    from shared.format.sample import Sample

    chance = np.random.default_rng(0)
    for i in range(count):
        image = chance.integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        yield Sample(key=f"s{i:08d}", image=image, label=i % 10, meta={})
