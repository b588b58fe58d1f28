"""Pseudo-values against leaving each image out in turn, with scikit-learn's metrics."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from shared.metrics.influence import pseudo_values

Measure = Callable[[NDArray, NDArray, NDArray], float]


def area(truth: NDArray, predicted: NDArray, probabilities: NDArray) -> float:
    """Return the macro area of the classes that occur, of two classes the second's."""
    ranked = [1] if probabilities.shape[1] == 2 else sorted(set(truth))
    return float(np.mean([metrics.roc_auc_score(truth == label, probabilities[:, label]) for label in ranked]))


MEASURES: dict[str, Measure] = {
    "accuracy": lambda truth, predicted, _: metrics.accuracy_score(truth, predicted),
    "balanced_accuracy": lambda truth, predicted, _: metrics.recall_score(
        truth, predicted, labels=sorted(set(truth)), average="macro", zero_division=0
    ),
    "precision": lambda truth, predicted, _: metrics.precision_score(
        truth, predicted, average="macro", zero_division=0
    ),
    "recall": lambda truth, predicted, _: metrics.recall_score(truth, predicted, average="macro", zero_division=0),
    "f1": lambda truth, predicted, _: metrics.f1_score(truth, predicted, average="macro", zero_division=0),
    "roc_auc": area,
}


def answers(classes: int, images: int, seed: int = 3) -> tuple[NDArray, NDArray, NDArray]:
    """Return truth, predictions and probabilities with many ties; the last class has one image."""
    rng = np.random.default_rng(seed)
    truth = np.append(rng.integers(0, classes - 1, images - 1), classes - 1)
    scores = np.round(rng.random((images, classes)) + 0.7 * np.eye(classes)[truth], 1)
    return truth, scores.argmax(axis=1), scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", list(MEASURES))
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_pseudo_values_are_those_of_leaving_each_image_out(name: str, classes: int) -> None:
    """N m - (n - 1) m without image i, for classes that vanish with it too."""
    truth, predicted, probabilities = answers(classes, 40) if classes > 2 else answers(3, 40)
    if classes == 2:
        truth, predicted, probabilities = truth % 2, predicted % 2, probabilities[:, :2]
    measure = MEASURES[name]
    whole = measure(truth, predicted, probabilities)
    left = [np.arange(40) != place for place in range(40)]
    expected = [40 * whole - 39 * measure(truth[rest], predicted[rest], probabilities[rest]) for rest in left]
    value, found = pseudo_values(truth, predicted, probabilities, name)
    assert value == pytest.approx(whole)
    assert found == pytest.approx(expected)


def test_those_of_the_accuracy_are_the_answers() -> None:
    """1 where the answer is right, 0 where it is not."""
    truth, predicted, probabilities = answers(5, 60)
    value, found = pseudo_values(truth, predicted, probabilities, "accuracy")
    assert found == pytest.approx((truth == predicted).astype(float))
    assert value == pytest.approx(found.mean())


def test_an_area_of_one_class_is_unknown() -> None:
    """Without an image of another class there is nothing to rank against."""
    value, found = pseudo_values(np.zeros(4, int), np.zeros(4, int), np.full((4, 2), 0.5), "roc_auc")
    assert np.isnan(value)
    assert np.isnan(found).all()
    with pytest.raises(KeyError):
        pseudo_values(np.zeros(4, int), np.zeros(4, int), np.full((4, 2), 0.5), "auc")


def test_pseudo_values_give_the_standard_error_of_macro_f1() -> None:
    """Over 300 draws of 200 images the standard deviation of F1 is the mean jackknife error, to within 12 %."""
    rng = np.random.default_rng(0)
    values, errors = [], []
    for _ in range(300):
        truth = rng.integers(0, 4, 200)
        predicted = np.where(rng.random(200) < 0.75, truth, rng.integers(0, 4, 200))
        value, found = pseudo_values(truth, predicted, np.eye(4)[predicted], "f1")
        values.append(value)
        errors.append(found.std(ddof=1) / np.sqrt(200))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)
