"""Accuracy, precision, recall, F1, ROC-AUC and the confusion matrix of a classifier's answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shared.attributes import bits_of
from shared.store.records.classifier import WHOLE_CONFUSION, ClassScore, ClassTable

Array = NDArray[np.float64]
Places = NDArray[np.int64]

POSITIVE = 1
"""The label of the positive class where there are two: the second, which of an attribute is its presence."""


def score_table(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[str], attributes: Sequence[str] = ()
) -> ClassTable:
    """Return accuracy, macro and per-class precision, recall, F1 and the confusion matrix, by scikit-learn.

    Macro means run over the classes that occur in `truth` or `predicted`. Rows of the confusion matrix are true
    classes, columns predicted ones. A ratio whose denominator is 0 counts as 0.

    Where classes are combinations of `attributes` there is a row for each attribute, of the images that have it, and
    macro means run over these rows; the accuracy is the share of attributes that are right.
    """
    from sklearn import metrics  # here, since a command that only asks a classifier need not import it

    if attributes:
        return _attribute_table(truth, predicted, attributes)
    labels = list(range(len(classes)))
    whole = len(classes) <= WHOLE_CONFUSION
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    macro = metrics.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
    return ClassTable(
        n=len(truth),
        accuracy=float(metrics.accuracy_score(truth, predicted)),
        precision=float(macro[0]),
        recall=float(macro[1]),
        f1=float(macro[2]),
        classes=[
            ClassScore(
                class_name=name,
                precision=float(precision[i]),
                recall=float(recall[i]),
                f1=float(f1[i]),
                n=int(support[i]),
            )
            for i, name in enumerate(classes)
        ],
        confusion=metrics.confusion_matrix(truth, predicted, labels=labels).tolist() if whole else None,
        confusion_rows=None if whole else confusion_rows(truth, predicted, len(classes)),
    )


def _attribute_table(truth: NDArray[np.int64], predicted: NDArray[np.int64], attributes: Sequence[str]) -> ClassTable:
    """Return the table of combinations of attributes; see `score_table`."""
    from sklearn import metrics

    true, named = (bits_of(labels, len(attributes)) for labels in (truth, predicted))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(true, named, zero_division=0)
    occurs = (true | named).any(axis=0)
    means = np.mean([values[occurs] for values in (precision, recall, f1)], axis=1) if occurs.any() else np.zeros(3)
    return ClassTable(
        n=len(truth),
        accuracy=float((true == named).mean()),
        precision=float(means[0]),
        recall=float(means[1]),
        f1=float(means[2]),
        classes=[
            ClassScore(class_name=name, precision=float(row[0]), recall=float(row[1]), f1=float(row[2]), n=int(row[3]))
            for name, *row in zip(attributes, precision, recall, f1, support, strict=True)
        ],
        confusion_rows=confusion_rows(truth, predicted, 2 ** len(attributes)),
    )


def confusion_rows(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> list[str]:
    """Return for each of `classes` true classes the predicted ones and how often, "3:12 5:1", in the order of labels.

    Memory and text grow with the images, not with the square of the classes.
    """
    cells = sorted(Counter(zip(truth.tolist(), predicted.tolist(), strict=True)).items())
    rows: list[list[str]] = [[] for _ in range(classes)]
    for (true, named), count in cells:
        rows[true].append(f"{named}:{count}")
    return [" ".join(row) for row in rows]


def confusion_of(tables: Sequence[ClassTable], places: Sequence[int], classes: int) -> NDArray[np.int64]:
    """Return the confusion matrix of the classes at `places`, summed over `tables`: rows true, columns predicted.

    Where these are not all of the `classes` one more column has the answers that name any other class, so that a row
    still has every image of its class.
    """
    column = np.full(classes, len(places))
    column[list(places)] = np.arange(len(places))
    matrix = np.zeros((len(places) + 1, len(places) + 1), np.int64)
    for table in tables:
        for true, named, count in table.confused():
            matrix[column[true], column[named]] += count
    return matrix[: len(places), : len(places) + (len(places) < classes)]


@dataclass(frozen=True)
class Counts:
    """A classifier's answers by class (classes,): right ones, images truly of it, images predicted to be of it.

    A ratio without a denominator counts as 0, as in scikit-learn. With k attributes there are 2k classes: the images
    with each of them, the first `scored` ones, which macro means run over, then those without; an image is in k.
    """

    # not scikit-learn's functions: the jackknife needs each metric without one image, for every cell of the confusion
    # matrix; and not that matrix, which of 1,000 classes is 8 MB for each of them

    right: Array
    true: Array
    named: Array
    scored: int | None = None

    def less_one(self, true: Places, named: Places) -> "Counts":
        """Return the counts without one image of the classes `true` that is predicted to be of the classes `named`."""
        left = Counts(self.right.copy(), self.true.copy(), self.named.copy(), self.scored)
        left.true[true] -= 1
        left.named[named] -= 1
        left.right[true[true == named]] -= 1
        return left

    @cached_property
    def occurs(self) -> NDArray[np.bool_]:
        """The classes that macro means run over: those that truly occur or are named."""
        occurs = (self.true + self.named) > 0
        if self.scored is not None:
            occurs[self.scored :] = False
        return occurs

    @cached_property
    def recalls(self) -> Array:
        """The recall of each class."""
        return _ratio(self.right, self.true)

    @cached_property
    def precisions(self) -> Array:
        """The precision of each class."""
        return _ratio(self.right, self.named)


def _ratio(above: Array, below: Array) -> Array:
    """Return above / below, 0 where `below` is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def accuracy(counts: Counts) -> float:
    """Return the share of images whose class is right."""
    return float(counts.right.sum() / counts.true.sum())


def balanced_accuracy(counts: Counts) -> float:
    """Return the mean recall of the classes that truly occur."""
    return float(counts.recalls[counts.true > 0].mean())


def precision(counts: Counts) -> float:
    """Return the macro precision."""
    return float(counts.precisions[counts.occurs].mean())


def recall(counts: Counts) -> float:
    """Return the macro recall."""
    return float(counts.recalls[counts.occurs].mean())


def f1(counts: Counts) -> float:
    """Return the macro F1, the mean over classes of the harmonic mean of precision and recall."""
    # per class first, then the mean: the F1 of macro precision and macro recall is another number
    scores = _ratio(2 * counts.precisions * counts.recalls, counts.precisions + counts.recalls)
    return float(scores[counts.occurs].mean())


def roc_auc(areas: Array) -> Array:
    """Return the mean over classes (..., classes) of the areas under ROC curves that are known; NaN without any."""
    known = ~np.isnan(areas)
    count = known.sum(axis=-1)
    total = np.where(known, areas, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))
