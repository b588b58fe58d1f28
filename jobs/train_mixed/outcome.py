"""The predictions of one arm's classifiers, and every classification metric with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.attributes import bits_of
from shared.metrics.classification import POSITIVE
from shared.metrics.influence import CLASS_METRICS, class_ratio, pseudo_values, weights_of
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.stats.confidence import LEVEL
from shared.stats.inference import TWO_WAY, Inference
from shared.stats.intervals import MeanInterval, weighted_share
from shared.store.records.mixed import ArmClass, Estimate, OptionalEstimate

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

NO_IMAGE = -1
"""The truth at the end of a replicate that has fewer test images than others."""


@dataclass(frozen=True)
class Outcome:
    """The predictions of one arm's classifiers on the test images, by replicate and fit.

    `truth` is int64 (images,), `predicted` and `equal_steps` int64 (replicates, fits, images), `probabilities` float
    (replicates, fits, images, classes). `equal_steps` are the predictions of the control of early stopping: the best
    weights within the same number of steps for every arm. Where each replicate has test images of its own, `truth` is
    (replicates, images), and NO_IMAGE where it has fewer than others. Where labels are combinations of `attributes`,
    the last axis of `probabilities` are these.
    """

    truth: Labels
    predicted: Labels
    probabilities: NDArray[np.floating]
    equal_steps: Labels
    attributes: int = 0

    def __post_init__(self) -> None:
        shape = self.predicted.shape
        shapes = (self.equal_steps.shape, self.probabilities.shape[:3], len(shape))
        if shapes != (shape, shape, 3) or self.truth.shape not in (shape[2:], (shape[0], *shape[2:])):
            raise ValueError(
                f"an outcome with truth {self.truth.shape}, predicted {shape}, equal_steps {self.equal_steps.shape}, "
                f"probabilities {self.probabilities.shape}; want (n,) or (R, n), (R, F, n), (R, F, n), "
                "(R, F, n, classes)"
            )

    @property
    def has_own_images(self) -> bool:
        """Whether each replicate has test images of its own."""
        return self.truth.ndim == 2

    @property
    def truths(self) -> Labels:
        """The truth in each replicate: (replicates, images)."""
        return np.broadcast_to(self.truth, (len(self.predicted), self.predicted.shape[2]))

    def only(self, attribute: int) -> "Outcome":
        """Return the outcome of one of several attributes alone."""

        def bit(labels: Labels) -> Labels:
            return np.where(labels == NO_IMAGE, NO_IMAGE, labels >> attribute & 1)

        return Outcome(
            bit(self.truth),
            bit(self.predicted),
            self.probabilities[..., attribute : attribute + 1],
            bit(self.equal_steps),
            attributes=1,
        )

    @property
    def correct(self) -> Array:
        """The share of a replicate's classifiers that are right about an image: (replicates, images)."""
        share: Array = self.correct_by_fit.mean(axis=1)
        return share

    @property
    def correct_by_fit(self) -> Array:
        """1 where a classifier is right about an image: (replicates, fits, images); NaN where there is no image.

        With several attributes it is the share of them that are right.
        """
        return self._right(self.predicted)

    # kept, since each arm is in several questions, and a macro F1 is computed without each image in turn
    @cached_property
    def judged_by_fit(self) -> Array:
        """What an image contributes to the metric that answers are about: (replicates, fits, images), as above.

        That is the accuracy, or the macro F1 of attributes.
        """
        return image_values(self, "f1", self.predicted)[1] if self.attributes else self.correct_by_fit

    @cached_property
    def equal_steps_judged_by_fit(self) -> Array:
        """The same for the control of early stopping: (replicates, fits, images)."""
        return image_values(self, "f1", self.equal_steps)[1] if self.attributes else self._right(self.equal_steps)

    def _right(self, predicted: Labels) -> Array:
        truth = self.truths[:, None, :]
        right = predicted == truth
        if self.attributes:
            right = (bits_of(predicted, self.attributes) == bits_of(truth, self.attributes)).mean(axis=-1)
        return np.where(truth == NO_IMAGE, np.nan, right)


def repetitions(by_fit: Array) -> Array:
    """Return what an interval is over besides images: (replicates, images) means over fits of (replicates, fits, ...).

    Of one replicate with several fits it is these, (fits, images): the interval is then for other fits with the same
    synthetic images, since nothing is known of others.
    """
    only_fits = len(by_fit) == 1 and by_fit.shape[1] > 1
    repeated: Array = by_fit[0] if only_fits else by_fit.mean(axis=1)
    return repeated


def metric_estimates(outcome: Outcome, inference: Inference = TWO_WAY) -> dict[str, Estimate | OptionalEstimate]:
    """Return every metric: mean, spread and values over replicates, and its interval for others and other images.

    A replicate's value is the mean over its fits. The interval is that of the mean of the images' jackknife
    pseudo-values, since most metrics are no mean over images. There is none where the metric, or that without one of
    the images, is undefined.
    """
    return {metric.name: _estimate(outcome, metric.name, inference) for metric in CLASSIFICATION_METRICS}


def image_values(outcome: Outcome, metric: str, predicted: Labels) -> tuple[Array, Array]:
    """Return a metric of the answers `predicted`, (replicates, fits), and what each image contributes to it.

    Contributions are (replicates, fits, images), with the metric as their mean, NaN where there is no image.
    """
    replicates, fits, images = predicted.shape
    values, found = np.zeros((replicates, fits)), np.full((replicates, fits, images), np.nan)
    for place in np.ndindex(replicates, fits):
        truth = outcome.truths[place[0]]
        there = truth != NO_IMAGE
        answers = predicted[place][there], outcome.probabilities[place][there]
        value, pseudo = pseudo_values(truth[there], *answers, metric, outcome.attributes)
        # around the value that is printed: the mean of pseudo-values is the value less its bias of order 1 / images
        values[place], found[place][there] = value, pseudo - pseudo.mean() + value
    return values, found


def _estimate(outcome: Outcome, metric: str, inference: Inference) -> Estimate | OptionalEstimate:
    values, found = image_values(outcome, metric, outcome.predicted)
    by_replicate = values.mean(axis=1)
    there = np.broadcast_to((outcome.truths != NO_IMAGE)[:, None], found.shape)
    if np.isnan(found[there]).any():
        return _optional(by_replicate, None)
    # random splits are stratified: images of the first weigh as those of any other
    first = outcome.truths[0]
    scale = weighted_share(weights_of(first[first != NO_IMAGE], metric, outcome.attributes))
    interval = inference.share(repetitions(found), LEVEL, scale)
    return Estimate(
        mean=float(by_replicate.mean()),
        std=float(by_replicate.std(ddof=1)) if len(by_replicate) > 1 else None,
        values=by_replicate.tolist(),
        low=interval.low,
        high=interval.high,
    )


def _optional(by_replicate: Array, interval: MeanInterval | None) -> OptionalEstimate:
    """Return a metric of replicates, NaN where it is undefined, and its interval where it has one."""
    known = by_replicate[~np.isnan(by_replicate)]
    whole = len(known) == len(by_replicate)
    return OptionalEstimate(
        mean=float(known.mean()) if len(known) else None,
        std=float(known.std(ddof=1)) if whole and len(known) > 1 else None,
        values=[None if np.isnan(value) else float(value) for value in by_replicate],
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def class_estimates(outcome: Outcome, classes: Sequence[str], inference: Inference = TWO_WAY) -> list[ArmClass]:
    """Return precision, recall and F1 of each class over replicates, in the order of `classes`, the names of labels.

    With several attributes `classes` are their names, and metrics are of the images that have them. Mean, spread and
    interval as in `metric_estimates`, each over the images that the metric of that class is about.
    """
    if outcome.attributes:
        asked = [(outcome.only(attribute), POSITIVE) for attribute in range(outcome.attributes)]
    else:
        asked = [(outcome, label) for label in range(len(classes))]
    return [
        ArmClass(
            class_name=name,
            # of replicates with images of their own the fewest
            n=int((own.truths == label).sum(axis=1).min()),
            **{metric: _class_estimate(own, label, metric, inference) for metric in CLASS_METRICS},
        )
        for name, (own, label) in zip(classes, asked, strict=True)
    ]


def _class_estimate(outcome: Outcome, label: int, metric: str, inference: Inference) -> OptionalEstimate:
    values, contributions = _ratios(outcome, label, metric)
    # a fit that is undefined leaves its replicate undefined, too
    by_replicate = values.mean(axis=1)
    whole = not np.isnan(by_replicate).any()
    return _optional(by_replicate, inference.share(repetitions(contributions), LEVEL) if whole else None)


def _ratios(outcome: Outcome, label: int, metric: str) -> tuple[Array, Array]:
    """Return `class_ratio` of every fit; contributions are NaN where a replicate has fewer images than others."""
    if not outcome.has_own_images:
        return class_ratio(outcome.truth, outcome.predicted, label, metric)
    found = []
    for truth, predicted in zip(outcome.truth, outcome.predicted, strict=True):
        there = truth != NO_IMAGE
        found.append(class_ratio(truth[there], predicted[:, there], label, metric))
    values, contributions = zip(*found, strict=True)
    most = max(each.shape[1] for each in contributions)
    return np.stack(values), np.stack([padded(each, most, np.nan, axis=1) for each in contributions])


def padded(values: NDArray[Any], length: int, value: float, axis: int = 0) -> NDArray[Any]:
    """Return values with the same `value` behind them along an axis, up to a `length`."""
    room = [(0, length - size if place == axis else 0) for place, size in enumerate(values.shape)]
    return np.pad(values, room, constant_values=value)
