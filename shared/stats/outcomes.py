"""Statistics beyond accuracy: intervals of any metric, tests between arms, what synthetic images are worth.

`truth` is int64 (images,), `predicted` int64 (seeds, images), `probabilities` float (seeds, images, classes).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

LEVEL = 0.95
DRAWS = 300
PERMUTATIONS = 5000
METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")


@dataclass(frozen=True)
class Outcome:
    """What the classifiers of one arm answered, a row for each seed."""

    truth: Labels
    predicted: Labels
    probabilities: Array

    @property
    def correct(self) -> Array:
        """1 where the classifier of a seed is right about an image: (seeds, images)."""
        right: Array = (self.predicted == self.truth).astype(np.float64)
        return right

    @property
    def voted(self) -> NDArray[np.bool_]:
        """Where the seeds together, by majority of those that are right, are right: (images,)."""
        right: NDArray[np.bool_] = self.correct.mean(axis=0) > 0.5
        return right


def table_metrics(confusion: Array) -> dict[str, float]:
    """Return accuracy, balanced accuracy and macro precision, recall and F1 of weighted counts (true, predicted).

    Macro means run over classes that occur; balanced accuracy is the mean recall of classes that truly occur. A ratio
    without a denominator counts as 0, as in scikit-learn.
    """
    right, true, named = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    recall = np.divide(right, true, out=np.zeros_like(right), where=true > 0)
    precision = np.divide(right, named, out=np.zeros_like(right), where=named > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0)
    occurs = (true + named) > 0
    return {
        "accuracy": float(right.sum() / confusion.sum()),
        "balanced_accuracy": float(recall[true > 0].mean()),
        "precision": float(precision[occurs].mean()),
        "recall": float(recall[occurs].mean()),
        "f1": float(f1[occurs].mean()),
    }


class Ranking:
    """The ROC-AUC of one class's probability against the rest, for any weights of the images, ties as halves."""

    def __init__(self, scores: Array, positive: NDArray[np.bool_]) -> None:
        self.order = np.argsort(scores, kind="stable")
        ordered = scores[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self.positive = positive[self.order].astype(np.float64)

    def area(self, weights: Array) -> float:
        """Return the area under the curve, NaN where one side has no weight."""
        ordered = weights[self.order]
        above = np.add.reduceat(ordered * self.positive, self.starts)
        below = np.add.reduceat(ordered * (1 - self.positive), self.starts)
        whole = above.sum() * below.sum()
        return float((above * (np.cumsum(below) - below / 2)).sum() / whole) if whole else float("nan")


def metrics_of(outcome: Outcome, draws: int = DRAWS, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Return each metric's mean over seeds, spread, values and 95 % interval for other seeds and other test images.

    A hierarchical bootstrap by its variances: images are drawn anew `draws` times, the same for every seed, for the
    variance that they bring to the mean over seeds; the seeds' own variance is added, with Student's t at
    Satterthwaite's degrees of freedom, since resampling three seeds covers far too little. ROC-AUC is the macro mean of
    one class against the rest, of two classes that of the second.
    """
    chance = np.random.default_rng(seed)
    seeds, images = outcome.predicted.shape
    classes = outcome.probabilities.shape[2]
    cells = outcome.truth * classes + outcome.predicted
    ranked = [1] if classes == 2 else range(classes)
    rankings = [
        [Ranking(outcome.probabilities[place, :, label], outcome.truth == label) for label in ranked]
        for place in range(seeds)
    ]

    def measure(weights: Array) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {name: [] for name in METRICS}
        for place in range(seeds):
            counts = np.bincount(cells[place], weights=weights, minlength=classes**2).astype(np.float64)
            areas = [ranking.area(weights) for ranking in rankings[place]]
            known = [area for area in areas if not np.isnan(area)]
            row = table_metrics(counts.reshape(classes, classes)) | {
                "roc_auc": float(np.mean(known)) if known else float("nan")
            }
            for name, value in row.items():
                found[name].append(value)
        return found

    whole = measure(np.ones(images))
    redrawn = [measure(chance.multinomial(images, np.full(images, 1 / images)).astype(float)) for _ in range(draws)]
    return {
        name: summarise(whole[name], float(np.nanvar([np.mean(each[name]) for each in redrawn], ddof=1)))
        for name in METRICS
    }


def summarise(values: list[float], image_variance: float) -> dict[str, Any]:
    """Return mean, spread, values and interval of a metric, given the variance that the images bring to its mean."""
    mean, seeds = float(np.mean(values)), len(values)
    seed_variance = float(np.var(values, ddof=1)) / seeds if seeds > 1 else 0.0
    total = image_variance + seed_variance
    freedom = total**2 / (seed_variance**2 / (seeds - 1)) if seed_variance else np.inf
    reach = float(np.sqrt(total) * stats.t.ppf((1 + LEVEL) / 2, freedom)) if total else 0.0
    spread = float(np.std(values, ddof=1)) if seeds > 1 else None
    bounds = {"low": max(mean - reach, 0.0), "high": min(mean + reach, 1.0)}
    return {"mean": mean, "std": spread, "min": min(values), "max": max(values), "values": values, **bounds}


def mcnemar(a: Outcome, b: Outcome) -> float:
    """Return the exact two-sided p of McNemar's test (1947) between the majority votes of two arms' seeds."""
    only_a, only_b = int((a.voted & ~b.voted).sum()), int((b.voted & ~a.voted).sum())
    if only_a + only_b == 0:
        return 1.0
    return float(stats.binomtest(only_a, only_a + only_b).pvalue)


def permutation(a: Outcome, b: Outcome, seed: int = 0) -> float:
    """Return the two-sided p of a paired permutation test, which swaps the arms of an image's mean correctness."""
    difference = (a.correct - b.correct).mean(axis=0)
    chance = np.random.default_rng(seed)
    observed, hits = abs(difference.mean()), 0
    for _ in range(PERMUTATIONS // 500):
        signs = chance.choice([-1.0, 1.0], size=(500, len(difference)))
        hits += int((np.abs(signs @ difference / len(difference)) >= observed - 1e-12).sum())
    return (hits + 1) / (PERMUTATIONS + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for how many there are, in their order (Holm 1979)."""
    order = np.argsort(values, kind="stable")
    corrected, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order.tolist()):
        largest = max(largest, min((len(values) - rank) * values[place], 1.0))
        corrected[place] = largest
    return corrected


def effective_real(counts: Sequence[int], curve: Sequence[float], value: float) -> dict[str, Any]:
    """Return how many real images the learning curve says buy an accuracy of `value`, and which way it is out of reach.

    `curve` is the accuracy at `counts` images, rising; made monotone first, then read off linearly in log n. `beyond`
    is "more" or "fewer" where the value lies above or below the whole curve, and `images` the end of the curve there.
    """
    heights = np.maximum.accumulate(np.asarray(curve, dtype=float))
    if value > heights[-1]:
        return {"images": int(counts[-1]), "beyond": "more"}
    if value < heights[0]:
        return {"images": int(counts[0]), "beyond": "fewer"}
    # of equal heights the smaller number of images counts
    kept = np.append(True, np.diff(heights) > 0)
    found = np.interp(value, heights[kept], np.log(np.asarray(counts, dtype=float))[kept])
    return {"images": round(float(np.exp(found))), "beyond": None}
