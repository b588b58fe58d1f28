"""The predictions of one arm's classifiers, and every classification metric with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.metrics.influence import CLASS_METRICS, class_ratio, pseudo_values, weights_of
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.stats.confidence import LEVEL
from shared.stats.inference import TWO_WAY, Inference
from shared.stats.intervals import weighted_share
from shared.store.records.mixed import ArmClass, ClassEstimate, Estimate

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """The predictions of one arm's classifiers on the test images, by replicate and fit.

    `truth` is int64 (images,), `predicted` and `equal_steps` int64 (replicates, fits, images), `probabilities` float
    (replicates, fits, images, classes). `equal_steps` are the predictions of the control of early stopping: the best
    weights within the same number of steps for every arm.
    """

    truth: Labels
    predicted: Labels
    probabilities: NDArray[np.floating]
    equal_steps: Labels

    def __post_init__(self) -> None:
        shape = self.predicted.shape
        shapes = (self.truth.shape, self.equal_steps.shape, self.probabilities.shape[:3], len(shape))
        if shapes != (shape[2:], shape, shape, 3):
            raise ValueError(
                f"an outcome with truth {self.truth.shape}, predicted {shape}, equal_steps {self.equal_steps.shape}, "
                f"probabilities {self.probabilities.shape}; want (n,), (R, F, n), (R, F, n), (R, F, n, classes)"
            )

    @property
    def correct(self) -> Array:
        """The share of a replicate's classifiers that are right about an image: (replicates, images)."""
        share: Array = self.correct_by_fit.mean(axis=1)
        return share

    @property
    def correct_by_fit(self) -> Array:
        """1 where a classifier is right about an image: (replicates, fits, images)."""
        right: Array = (self.predicted == self.truth).astype(np.float64)
        return right

    @property
    def equal_steps_correct_by_fit(self) -> Array:
        """The same for the control of early stopping: (replicates, fits, images)."""
        right: Array = (self.equal_steps == self.truth).astype(np.float64)
        return right


def repetitions(by_fit: Array) -> Array:
    """Return what an interval is over besides images: (replicates, images) means over fits of (replicates, fits, ...).

    Of one replicate with several fits it is these, (fits, images): the interval is then for other fits with the same
    synthetic images, since nothing is known of others.
    """
    only_fits = len(by_fit) == 1 and by_fit.shape[1] > 1
    repeated: Array = by_fit[0] if only_fits else by_fit.mean(axis=1)
    return repeated


def metric_estimates(outcome: Outcome, inference: Inference = TWO_WAY) -> dict[str, Estimate]:
    """Return every metric: mean, spread and values over replicates, and its interval for others and other images.

    A replicate's value is the mean over its fits. The interval is that of the mean of the images' jackknife
    pseudo-values, since most metrics are no mean over images.
    """
    return {metric.name: _estimate(outcome, metric.name, inference) for metric in CLASSIFICATION_METRICS}


def _estimate(outcome: Outcome, metric: str, inference: Inference) -> Estimate:
    replicates, fits, images = outcome.predicted.shape
    values, contributions = np.zeros((replicates, fits)), np.zeros((replicates, fits, images))
    for place in np.ndindex(replicates, fits):
        value, found = pseudo_values(outcome.truth, outcome.predicted[place], outcome.probabilities[place], metric)
        # around the value that is printed: the mean of pseudo-values is the value less its bias of order 1 / images
        values[place], contributions[place] = value, found - found.mean() + value
    by_replicate = values.mean(axis=1)
    scale = weighted_share(weights_of(outcome.truth, metric))
    interval = inference.share(repetitions(contributions), LEVEL, scale)
    return Estimate(
        mean=float(by_replicate.mean()),
        std=float(by_replicate.std(ddof=1)) if replicates > 1 else None,
        values=by_replicate.tolist(),
        low=interval.low,
        high=interval.high,
    )


def class_estimates(outcome: Outcome, classes: Sequence[str], inference: Inference = TWO_WAY) -> list[ArmClass]:
    """Return precision, recall and F1 of each class over replicates, in the order of `classes`, the names of labels.

    Mean, spread and interval as in `metric_estimates`, each over the images that the metric of that class is about.
    """
    counts = np.bincount(outcome.truth, minlength=len(classes)).tolist()
    return [
        ArmClass(
            class_name=name,
            n=counts[label],
            **{metric: _class_estimate(outcome, label, metric, inference) for metric in CLASS_METRICS},
        )
        for label, name in enumerate(classes)
    ]


def _class_estimate(outcome: Outcome, label: int, metric: str, inference: Inference) -> ClassEstimate:
    values, contributions = class_ratio(outcome.truth, outcome.predicted, label, metric)
    # a fit that is undefined leaves its replicate undefined, too
    by_replicate = values.mean(axis=1)
    known = by_replicate[~np.isnan(by_replicate)]
    whole = len(known) == len(by_replicate)
    interval = inference.share(repetitions(contributions), LEVEL) if whole else None
    return ClassEstimate(
        mean=float(known.mean()) if len(known) else None,
        std=float(known.std(ddof=1)) if whole and len(known) > 1 else None,
        values=[None if np.isnan(value) else float(value) for value in by_replicate],
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )
