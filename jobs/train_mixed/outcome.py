"""The predictions of one arm's classifiers, and every classification metric with its interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.metrics.classification import Counts, Ranking
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.stats.bootstrap import bootstrap_summaries
from shared.stats.intervals import HierarchicalSummary

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """The predictions of one arm's classifiers on the test images, by seed.

    `truth` is int64 (images,), `predicted` int64 (seeds, images), `probabilities` float (seeds, images, classes).
    """

    truth: Labels
    predicted: Labels
    probabilities: NDArray[np.floating]

    @property
    def correct(self) -> Array:
        """1 where the classifier of a seed is right about an image: (seeds, images)."""
        right: Array = (self.predicted == self.truth).astype(np.float64)
        return right

    @property
    def voted(self) -> NDArray[np.bool_]:
        """Whether more than half of the seeds are right about an image: (images,)."""
        right: NDArray[np.bool_] = self.correct.mean(axis=0) > 0.5
        return right


def metric_summaries(outcome: Outcome, redraws: int = 300, seed: int = 0) -> dict[str, HierarchicalSummary]:
    """Return each metric's mean over seeds, spread, values and interval for other seeds and other test images.

    See `bootstrap_summaries`. ROC-AUC ranks each class against the rest, of two classes the second only, since the
    first would say the same.
    """
    seeds, images = outcome.predicted.shape
    classes = outcome.probabilities.shape[2]
    # a cell of the confusion matrix for each answer, so that one bincount makes the whole matrix
    cells = outcome.truth * classes + outcome.predicted
    ranked = [1] if classes == 2 else range(classes)
    # sorted once, outside the bootstrap, which then only reweights images
    rankings = [
        [Ranking(outcome.probabilities[place, :, label], outcome.truth == label) for label in ranked]
        for place in range(seeds)
    ]
    functions = {metric.name: metric.compute.get() for metric in CLASSIFICATION_METRICS}

    def measure(weights: Array) -> dict[str, list[float]]:
        """Return the values of each metric, a seed each, with the images weighted."""
        counted = []
        for place in range(seeds):
            counts = np.bincount(cells[place], weights=weights, minlength=classes**2).astype(np.float64)
            areas = [ranking.area(weights) for ranking in rankings[place]]
            counted.append(Counts(counts.reshape(classes, classes), areas))
        return {name: [function(counts) for counts in counted] for name, function in functions.items()}

    return bootstrap_summaries(measure, images, redraws, seed)
