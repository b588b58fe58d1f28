"""A bootstrap of the test images, for metrics whose variance has no formula."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from shared.stats.intervals import HierarchicalSummary, hierarchical_summary

Array = NDArray[np.float64]


def bootstrap_summaries(
    measure: Callable[[Array], dict[str, list[float]]], images: int, redraws: int, seed: int
) -> dict[str, HierarchicalSummary]:
    """Return each metric's `hierarchical_summary` for other seeds and other test images.

    `measure` takes a weight for each of the images and returns the values of each metric, a seed each. The images are
    drawn `redraws` times with replacement, the same for every seed, for the variance that they bring to the mean over
    seeds.
    """
    rng = np.random.default_rng(seed)
    whole = measure(np.ones(images))
    # how often each image is drawn is multinomial: weights do the bootstrap without a copy of the answers
    redrawn = [measure(rng.multinomial(images, np.full(images, 1 / images)).astype(float)) for _ in range(redraws)]
    return {
        name: hierarchical_summary(
            values, image_variance=float(np.nanvar([np.mean(redraw[name]) for redraw in redrawn], ddof=1))
        )
        for name, values in whole.items()
    }
