"""Pseudo-values against leaving each image out in turn, with scikit-learn's metrics."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from shared.metrics.influence import CLASS_METRICS, class_ratio, pseudo_values, weights_of

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


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_a_metric_of_a_class_is_scikit_learns(metric: str) -> None:
    """For each class and each of several sets of answers; what images contribute has the metric as its mean."""
    truth, first, _ = answers(5, 80)
    predicted = np.stack([first, truth, answers(5, 80, seed=4)[1]])
    measure = getattr(metrics, f"{metric}_score")
    for label in range(5):
        value, contributions = class_ratio(truth, predicted, label, metric)
        expected = [measure(truth, one, labels=[label], average="macro", zero_division=np.nan) for one in predicted]
        assert value == pytest.approx(expected, nan_ok=True)
        assert contributions.mean(axis=1) == pytest.approx(expected, nan_ok=True)


def test_the_recall_of_a_class_is_the_mean_of_its_images_answers() -> None:
    """Its contributions are those answers, so that its interval is that of a share of the class's images."""
    truth, predicted, _ = answers(5, 80)
    _, contributions = class_ratio(truth, predicted, 2, "recall")
    assert contributions == pytest.approx((predicted[truth == 2] == 2).astype(float))


def test_what_has_nothing_to_divide_by_is_undefined() -> None:
    """Not 0: precision where no answer names the class, recall without an image of it, F1 without either."""
    truth, predicted = np.array([0, 0, 1, 1]), np.array([[0, 0, 0, 0], [0, 0, 1, 0]])
    assert class_ratio(truth, predicted, 1, "precision")[0] == pytest.approx([np.nan, 1.0], nan_ok=True)
    assert class_ratio(truth, predicted, 1, "f1")[0] == pytest.approx([0.0, 2 / 3])
    assert np.isnan(class_ratio(truth, predicted, 2, "recall")[0]).all()
    assert np.isnan(class_ratio(truth, predicted, 2, "f1")[0]).all()


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_contributions_give_the_standard_error_of_a_class(metric: str) -> None:
    """Over 300 draws of 200 images the standard deviation of the metric is the mean error, to within 12 %."""
    rng = np.random.default_rng(0)
    values, errors = [], []
    for _ in range(300):
        truth = rng.integers(0, 4, 200)
        predicted = np.where(rng.random(200) < 0.75, truth, rng.integers(0, 4, 200))
        value, found = class_ratio(truth, predicted, 1, metric)
        values.append(float(value))
        errors.append(found.std(ddof=1) / np.sqrt(len(found)))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_images_of_small_classes_weigh_more() -> None:
    """Each class as much as any other in a mean over classes; in the accuracy each image."""
    truth = np.repeat([0, 1, 3], [5, 20, 75])
    weights = weights_of(truth, "f1")
    assert [weights[truth == label].sum() for label in (0, 1, 3)] == pytest.approx([100 / 3] * 3)
    assert weights.mean() == pytest.approx(1)
    assert np.array_equal(weights_of(truth, "accuracy"), np.ones(100))
