"""What each test image contributes to a metric of a classifier's answers.

A metric that is no mean over images, such as macro F1, gets values of images whose mean has its variance: jackknife
pseudo-values (Tukey 1958; Efron and Stein 1981) or, for a ratio, its linear part (Cochran 1977, section 6.3). Intervals
of means over replicates and images are then its intervals too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.attributes import bits_of
from shared.metrics.classification import POSITIVE, Counts
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.stats.intervals import share_above

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def pseudo_values(
    truth: Labels, predicted: Labels, probabilities: NDArray[np.floating], metric: str, attributes: int = 0
) -> tuple[float, Array]:
    """Return the metric of a classifier's answers, and the pseudo-value of each image: n m - (n - 1) m without it.

    `truth` and `predicted` are (images,), `probabilities` (images, classes); `metric` is a name of
    CLASSIFICATION_METRICS, KeyError for another. The pseudo-values of the accuracy are 1 where the answer is right,
    else 0; those of other metrics may lie outside of [0, 1], and their mean is the metric with its bias of order 1 / n
    removed. NaN where the metric is: an area under the curve with one class in `truth`. Where labels are combinations
    of `attributes`, `probabilities` are those of the attributes, and metrics are means over these; see `Counts`.
    """
    row = {known.name: known for known in CLASSIFICATION_METRICS}[metric]
    function: Callable[..., Any] = row.compute.get()
    images, classes = len(truth), probabilities.shape[1]
    if row.ranked:
        areas, areas_without = _areas(truth, probabilities, attributes)
        value, without = function(areas), function(areas_without)
    else:
        labels = 2**attributes if attributes else classes
        cells, place = np.unique(truth * labels + predicted, return_inverse=True)
        true, named = places_of(truth, attributes), places_of(predicted, attributes)
        right, truly, answered = (
            np.bincount(found.ravel(), minlength=2 * attributes or classes).astype(np.float64)
            for found in (true[true == named], true, named)
        )
        counts = Counts(right, truly, answered, attributes or None)
        value = function(counts)
        # images in one cell of the confusion matrix leave the same counts behind
        pairs = zip(*(places_of(side, attributes) for side in np.divmod(cells, labels)), strict=True)
        without = np.asarray([function(counts.less_one(*pair)) for pair in pairs])[place]
    return float(value), images * value - (images - 1) * without


def places_of(labels: Labels, attributes: int = 0) -> Labels:
    """Return the classes of `Counts` that images (images,) are in, (images, 1), or (images, attributes)."""
    if not attributes:
        return labels[:, None]
    return np.arange(attributes) + attributes * (1 - bits_of(labels, attributes))


def weights_of(truth: Labels, metric: str, attributes: int = 0) -> Array:
    """Return what each image (images,) weighs in a metric of CLASSIFICATION_METRICS, with a mean of 1.

    In the accuracy all weigh alike, in a mean over classes an image weighs the more the fewer its class has; of
    `attributes` the mean over them, each of which has two classes.
    """
    if metric == "accuracy":
        return np.ones(len(truth))
    weights = []
    for classes in bits_of(truth, attributes).T if attributes else [truth]:
        _, place, counts = np.unique(classes, return_inverse=True, return_counts=True)
        weights.append(len(truth) / (len(counts) * counts[place]))
    mean: Array = np.mean(weights, axis=0)
    return mean


CLASS_METRICS = ("precision", "recall", "f1")
"""The metrics of one class."""


def class_ratio(truth: Labels, predicted: Labels, label: int, metric: str) -> tuple[Array, Array]:
    """Return a metric of CLASS_METRICS of the class `label`: its values, and what each image contributes to them.

    `truth` is (images,), `predicted` (..., images). Each metric is a ratio of sums over images: precision of the right
    answers to those that name the class, recall to its images, F1 of twice the right answers to both together. Values
    are (...), NaN where there is nothing to divide by: no answer names the class, or no image is of it. Contributions
    are (..., images that are in any of the denominators); their mean is the value, and that of recall is the share of
    the class's images that are right, with each image's 1 or 0 as its contribution.
    """
    # not by the jackknife: the denominators hold a few of the images, and the interval must be that of so few
    true, named = np.broadcast_to(truth == label, predicted.shape), predicted == label
    right = (true & named).astype(np.float64)
    above, below = {
        "precision": (right, named.astype(np.float64)),
        "recall": (right, true.astype(np.float64)),
        "f1": (2 * right, true + named.astype(np.float64)),
    }[metric]
    held = below.reshape(-1, len(truth)).any(axis=0)
    above, below = above[..., held], below[..., held]
    total = below.sum(axis=-1)
    value = np.divide(above.sum(axis=-1), total, out=np.full(total.shape, np.nan), where=total > 0)
    weight = np.divide(held.sum(), total, out=np.full(total.shape, np.nan), where=total > 0)
    return value, value[..., None] + weight[..., None] * (above - value[..., None] * below)


def _areas(truth: Labels, probabilities: NDArray[np.floating], attributes: int = 0) -> tuple[Array, Array]:
    """Return the areas under the ROC curves (ranked classes,), and those without each image (images, ranked classes).

    Each class is ranked against the rest, of two classes the positive one only, since the other would say the same; of
    attributes the images with each against those without.
    """
    if attributes:
        sides = zip(probabilities.T, bits_of(truth, attributes).T == 1, strict=True)
        whole, without = zip(*(_area(scores, positive) for scores, positive in sides), strict=True)
        return np.asarray(whole), np.stack(without, axis=1)
    classes = probabilities.shape[1]
    ranked = [POSITIVE] if classes == 2 else list(range(classes))
    whole, without = zip(*(_area(probabilities[:, label], truth == label) for label in ranked), strict=True)
    return np.asarray(whole), np.stack(without, axis=1)


def _area(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the area under the ROC curve, and that without each image; NaN where one side has no image."""
    above, below = scores[positive], scores[~positive]
    # an image takes its pairs with the other side out of those that are in order, equal scores counting half
    ordered = np.zeros(len(scores))
    if len(above) and len(below):
        ordered[positive] = (1 - share_above(above, np.sort(below))) * len(below)
        ordered[~positive] = share_above(below, np.sort(above)) * len(above)
    total = ordered[positive].sum()
    pairs = np.where(positive, (len(above) - 1) * len(below), len(above) * (len(below) - 1))
    without = np.divide(total - ordered, pairs, out=np.full(len(scores), np.nan), where=pairs > 0)
    return float(total / (len(above) * len(below))) if len(above) and len(below) else float("nan"), without
