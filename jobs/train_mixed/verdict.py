"""What the experiment shows: intervals, comparisons, plain sentences. Pure functions on arrays.

`correct` is a float array (seeds, test images): 1 where the classifier of that seed is right about that image.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DRAWS = 4000
LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """A question that the experiment answers: the accuracy of arm `a` against that of arm `b`."""

    a: str
    b: str
    question: str


COMPARISONS = (
    Comparison("synthetic_70_real_30", "real_30", "adding synthetic images to 30 % of the real ones"),
    Comparison("synthetic_70_real_30", "real_100", "replacing 70 % of the real images by synthetic ones"),
    Comparison("synthetic_only", "real_100", "replacing every real image by synthetic ones"),
)
"""The first one is the headline."""


def interval(values: Array, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the mean of `values` (seeds, images) by a hierarchical bootstrap.

    Seeds and test images are both drawn anew, the same images for every seed, so that the interval holds for
    other runs and other test images. Pass the difference of two arms' `correct` for a paired comparison.
    """
    seeds, images = values.shape
    chance = np.random.default_rng(seed)
    seed_weights = chance.multinomial(seeds, np.full(seeds, 1 / seeds), size=DRAWS) / seeds
    means = []
    for part in np.array_split(seed_weights, 40):  # so that weights of many test images fit in memory
        image_weights = chance.multinomial(images, np.full(images, 1 / images), size=len(part)) / images
        means.append(np.einsum("rs,sn,rn->r", part, values, image_weights, optimize=True))
    low, high = np.quantile(np.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def summary(values: list[float]) -> dict[str, Any]:
    """Return mean, standard deviation (n - 1; 0 for one value), minimum, maximum and the values themselves."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "std": spread, "min": min(values), "max": max(values), "values": values}


def compare(comparison: Comparison, correct: dict[str, Array], seed: int) -> dict[str, Any]:
    """Return the difference in accuracy of the comparison's arms, its interval and what that says."""
    difference = correct[comparison.a] - correct[comparison.b]
    low, high = interval(difference, seed)
    outcome = "helped" if low > 0 else "hurt" if high < 0 else "no difference shown"
    return {
        "a": comparison.a,
        "b": comparison.b,
        "question": comparison.question,
        "difference": float(difference.mean()),
        "low": low,
        "high": high,
        "outcome": outcome,
        "sentence": sentence(comparison.question, outcome, float(difference.mean()), low, high),
    }


def sentence(question: str, outcome: str, difference: float, low: float, high: float) -> str:
    """Return the comparison in words, in percentage points of accuracy."""
    points = [f"{100 * value:+.1f}".replace("-", "\u2212") for value in (difference, low, high)]
    verb = {
        "helped": "helped",
        "hurt": "hurt",
        "no difference shown": "made no difference that this experiment can show",
    }[outcome]
    change = f"{points[0]} points of test accuracy (95 % interval {points[1]} to {points[2]})"
    return f"{question[0].upper()}{question[1:]} {verb}: {change}."


def majority_baseline(train_labels: NDArray[np.int64], test_labels: NDArray[np.int64]) -> float:
    """Return the test accuracy of always answering the most frequent train class."""
    return float((test_labels == np.bincount(train_labels).argmax()).mean())
