"""Metrics of an arm against scikit-learn, and the coverage of their intervals."""

import numpy as np
import pytest
from sklearn import metrics

from jobs.train_mixed.outcome import Outcome, class_estimates, metric_estimates, repetitions
from shared.stats.intervals import share_interval
from shared.store.records.mixed import Estimate
from tests.checks.coverage.classes import ClassCell, tally_classes
from tests.jobs.train_mixed.planted import CLASSES, experiment, outcome_of, right


def outcome(replicates: int = 3, fits: int = 2, images: int = 200, classes: int = 4) -> Outcome:
    """Return predictions that are better than chance, different for every fit; the control's are independent."""
    rng = np.random.default_rng(0)
    truth = rng.choice(classes, images, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    logits = rng.normal(size=(replicates, fits, images, classes)) + 1.5 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=3, keepdims=True)
    control = rng.integers(0, classes, (replicates, fits, images))
    return Outcome(truth, probabilities.argmax(axis=3), probabilities, control)


def measured(made: Outcome, replicate: int, fit: int) -> dict[str, float]:
    """Return scikit-learn's metrics of a fit."""
    predicted, answers = made.predicted[replicate, fit], made.probabilities[replicate, fit]
    macro = metrics.precision_recall_fscore_support(made.truth, predicted, average="macro", zero_division=0)
    scores = answers[:, 1] if answers.shape[1] == 2 else answers
    return {
        "accuracy": float(metrics.accuracy_score(made.truth, predicted)),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(made.truth, predicted)),
        "precision": float(macro[0]),
        "recall": float(macro[1]),
        "f1": float(macro[2]),
        "roc_auc": float(metrics.roc_auc_score(made.truth, scores, multi_class="ovr", average="macro")),
    }


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_are_scikit_learns(classes: int) -> None:
    """A replicate's value is the mean of scikit-learn's over its fits; mean and spread are over replicates."""
    made = outcome(classes=classes)
    found = metric_estimates(made)
    by_fit = [[measured(made, replicate, fit) for fit in range(2)] for replicate in range(3)]
    assert found.keys() == by_fit[0][0].keys()
    for name, estimate in found.items():
        values = [float(np.mean([fit[name] for fit in fits])) for fits in by_fit]
        assert estimate.values == pytest.approx(values)
        assert estimate.mean == pytest.approx(np.mean(values))
        assert estimate.std == pytest.approx(np.std(values, ddof=1))
        assert estimate.low < estimate.mean < estimate.high


def test_metrics_of_classes_are_scikit_learns() -> None:
    """Each class has its own, as the mean over fits and then over replicates, and its number of test images."""
    made = outcome()
    found = class_estimates(made, ["a", "b", "c", "d"])
    assert [row.class_name for row in found] == ["a", "b", "c", "d"]
    assert [row.n for row in found] == np.bincount(made.truth).tolist()
    tables = [
        [metrics.precision_recall_fscore_support(made.truth, predicted, zero_division=np.nan)[:3] for predicted in fits]
        for fits in made.predicted
    ]
    expected = np.mean(tables, axis=1)  # (replicates, metrics, classes)
    for label, row in enumerate(found):
        for place, estimate in enumerate((row.precision, row.recall, row.f1)):
            assert estimate.values == pytest.approx(expected[:, place, label])
            assert estimate.mean == pytest.approx(expected[:, place, label].mean())
            assert estimate.std == pytest.approx(expected[:, place, label].std(ddof=1))
            assert estimate.low < estimate.mean < estimate.high


def test_the_interval_of_recall_is_that_of_the_classs_images() -> None:
    """A class of few images has a wide interval, however many others there are."""
    made = outcome()
    for label, row in enumerate(class_estimates(made, ["a", "b", "c", "d"])):
        wanted = share_interval(made.correct[:, made.truth == label])
        assert (row.recall.low, row.recall.high) == pytest.approx((wanted.low, wanted.high))


def test_the_positive_class_is_the_second_of_two() -> None:
    """It is the one whose probabilities the ROC-AUC ranks; of three classes none is."""
    (arm,) = experiment({"real_100": outcome_of(right(0.9))}).arms
    assert arm.positive_class == CLASSES[1]
    assert [row.class_name for row in arm.classes or []] == list(CLASSES)
    made = outcome(classes=2)
    ranked = [[metrics.roc_auc_score(made.truth, fit[:, 1]) for fit in fits] for fits in made.probabilities]
    # the first column says something else where it is not what the second leaves
    other = Outcome(made.truth, made.predicted, made.probabilities * [0, 1], made.equal_steps)
    assert metric_estimates(other)["roc_auc"].values == pytest.approx(np.mean(ranked, axis=1))
    (three,) = experiment({"real_100": outcome(classes=3)}, classes=["a", "b", "c"]).arms
    assert three.positive_class is None


def test_what_is_undefined_is_not_0() -> None:
    """No answer names the class in a replicate: its precision is none there, and the mean has no interval."""
    truth = np.array([0] * 20 + [1] * 20)
    predicted = np.stack([truth, truth, np.zeros(40, int)])[:, None]
    made = Outcome(truth, predicted, np.eye(3)[predicted], predicted)
    _, second, third = class_estimates(made, ["a", "b", "c"])
    precision = second.precision
    assert precision.values == [1.0, 1.0, None]
    assert (precision.mean, precision.std, precision.low, precision.high) == (1.0, None, None, None)
    assert second.recall.values == [1.0, 1.0, 0.0]
    assert second.recall.low is not None
    assert [third.precision.mean, third.recall.mean, third.f1.mean] == [None] * 3
    assert (third.n, third.f1.values) == (0, [None] * 3)


@pytest.mark.parametrize("accuracy", [1.0, 0.0])
def test_no_interval_of_a_class_is_a_point(accuracy: float) -> None:
    """All right or all wrong, on ten images of each class: each interval has a width, and holds the mean."""
    for row in class_estimates(outcome_of(right(accuracy, images=20)), ["a", "b"]):
        for estimate in (row.precision, row.recall, row.f1):
            assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1
            assert estimate.high - estimate.low > 0.04


def test_the_interval_of_accuracy_is_that_of_correctness() -> None:
    """Its pseudo-values are the answers themselves."""
    made = outcome()
    found, wanted = metric_estimates(made)["accuracy"], share_interval(made.correct)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize("accuracy", [1.0, 0.0])
def test_no_interval_is_a_point(accuracy: float) -> None:
    """All right or all wrong, on few images: each interval still has a width, within [0, 1], and holds the mean."""
    for estimate in metric_estimates(outcome_of(right(accuracy, images=20))).values():
        assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1
        assert estimate.high - estimate.low > 0.02


def test_one_replicate_has_no_spread() -> None:
    """Its standard deviation is unknown, not 0; its interval is of the test images."""
    found = metric_estimates(outcome(replicates=1))
    assert {estimate.std for estimate in found.values()} == {None}
    assert all(estimate.low < estimate.high for estimate in found.values())


def test_the_control_is_counted_apart() -> None:
    """`correct` is of the weights that were kept, `equal_steps_judged_by_fit` of the control."""
    made = outcome()
    assert np.array_equal(made.correct, (made.predicted == made.truth).mean(axis=1))
    control = repetitions(made.equal_steps_judged_by_fit)
    assert np.array_equal(control, (made.equal_steps == made.truth).mean(axis=1))
    assert made.correct.shape == control.shape == (3, 200)
    assert made.correct.mean() > control.mean() + 0.2


def test_of_one_replicate_the_fits_are_what_varies() -> None:
    """Its intervals allow for other fits: wider than those of the fits' mean, as if that were all there is."""
    made = outcome(replicates=1)
    assert made.correct_by_fit.shape[1] > 1
    assert np.array_equal(repetitions(made.correct_by_fit), made.correct_by_fit[0])
    several = outcome()
    assert np.array_equal(repetitions(several.correct_by_fit), several.correct)
    found = metric_estimates(made)["accuracy"]
    of_means = share_interval(made.correct)
    assert found.high - found.low > of_means.high - of_means.low


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    """A missing axis of fits, or a control of other images, is an error before any number is made of it."""
    made = outcome()
    for wrong in (
        (made.truth, made.predicted[0], made.probabilities[0], made.equal_steps[0]),
        (made.truth, made.predicted, made.probabilities, made.equal_steps[:, :, :-1]),
        (made.truth[:-1], made.predicted, made.probabilities, made.equal_steps),
        (made.truth, made.predicted, made.probabilities[:, :1], made.equal_steps),
    ):
        with pytest.raises(ValueError, match="an outcome with truth"):
            Outcome(*wrong)


@pytest.mark.slow
def test_the_intervals_cover_what_they_claim() -> None:
    """Over 400 repetitions with new replicates and images, 95 % intervals hold the truth in 92 to 98 %."""
    rng = np.random.default_rng(0)
    names = ("accuracy", "balanced_accuracy", "f1", "precision")
    hits = dict.fromkeys(names, 0)
    for _ in range(400):
        truth = rng.integers(0, 2, 150)
        level = 0.8 + rng.normal(0, 0.02, (5, 1, 1)) + rng.normal(0, 0.1, (1, 1, 150))
        predicted = np.where(rng.random((5, 1, 150)) < level, truth, 1 - truth)
        found: dict[str, Estimate] = metric_estimates(Outcome(truth, predicted, np.eye(2)[predicted], predicted))
        # two classes of equal size, as often mistaken for each other: every metric is 0.8
        for name in names:
            hits[name] += found[name].low <= 0.8 <= found[name].high
    assert all(0.92 <= count / 400 <= 0.98 for count in hits.values()), hits


@pytest.mark.parametrize(
    "cell",
    [
        ClassCell((36,) * 10, 3, 0.9, 0.0),
        ClassCell((100, 100), 5, 0.95, 0.01),
        ClassCell((10, 100, 100), 3, 0.8, 0.01),
        ClassCell((5, 60), 5, 0.95, 0.0),
    ],
    ids=lambda cell: cell.name,
)
def test_the_intervals_of_a_class_cover_what_they_claim(cell: ClassCell) -> None:
    """Over 300 repetitions those of each metric hold the truth in at least 92 %, also of few images."""
    for name, found in tally_classes(cell, 300).items():
        assert found.known >= 270, name
        assert found.covered >= 0.92, name
        # wide enough by being as wide as everything would be no promise
        assert found.half_width < 0.4, name
