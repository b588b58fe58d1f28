"""Statistics of the experiment against scikit-learn, scipy and statsmodels' definitions, and by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from shared.stats.outcomes import Outcome, Ranking, effective_real, holm, mcnemar, metrics_of, permutation


def outcome(seeds: int = 3, images: int = 200, classes: int = 4, skill: float = 1.5, seed: int = 0) -> Outcome:
    """Return answers that are better than chance, different for every seed."""
    chance = np.random.default_rng(seed)
    truth = chance.choice(classes, images, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    logits = chance.normal(size=(seeds, images, classes)) + skill * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return Outcome(truth, probabilities.argmax(axis=2), probabilities)


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_are_scikit_learns(classes: int) -> None:
    """Each metric of each seed is scikit-learn's."""
    made = outcome(classes=classes)
    found = metrics_of(made, draws=5)
    for place in range(3):
        predicted, answers = made.predicted[place], made.probabilities[place]
        macro = metrics.precision_recall_fscore_support(made.truth, predicted, average="macro", zero_division=0)
        scores = answers[:, 1] if classes == 2 else answers
        expected = {
            "accuracy": metrics.accuracy_score(made.truth, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(made.truth, predicted),
            "precision": macro[0],
            "recall": macro[1],
            "f1": macro[2],
            "roc_auc": metrics.roc_auc_score(made.truth, scores, multi_class="ovr", average="macro"),
        }
        assert {name: found[name]["values"][place] for name in expected} == pytest.approx(expected)


def test_the_area_counts_ties_and_weights() -> None:
    """Scikit-learn's area with sample weights, where many scores are equal."""
    chance = np.random.default_rng(1)
    scores, positive, weights = chance.integers(0, 6, 80) / 6, chance.random(80) < 0.4, chance.integers(0, 4, 80) * 1.0
    expected = metrics.roc_auc_score(positive, scores, sample_weight=weights)
    assert Ranking(scores, positive).area(weights) == pytest.approx(expected)


@pytest.mark.slow
def test_the_intervals_cover_what_they_claim() -> None:
    """Over 200 repetitions intervals of 95 % hold the truth in 91 to 99.5 %, seeds and images drawn anew."""
    chance = np.random.default_rng(2)
    hits = {"accuracy": 0, "balanced_accuracy": 0}
    for _ in range(200):
        truth = chance.integers(0, 2, 150)
        level = 0.8 + chance.normal(0, 0.02, (3, 1)) + chance.normal(0, 0.1, (1, 150))
        right = chance.random((3, 150)) < level
        predicted = np.where(right, truth, 1 - truth)
        found = metrics_of(Outcome(truth, predicted, np.eye(2)[predicted]), draws=100)
        for name in hits:
            hits[name] += found[name]["low"] <= 0.8 <= found[name]["high"]
    assert all(0.91 <= count / 200 <= 0.995 for count in hits.values()), hits


def test_mcnemar_is_the_exact_test() -> None:
    """Of 14 images on which the arms differ 12 go to one: twice the binomial tail; no difference gives 1."""
    truth = np.zeros(100, np.int64)
    a, b = np.ones((1, 100), np.int64), np.ones((1, 100), np.int64)
    a[0, :12], b[0, 12:14], a[0, 20:60], b[0, 20:60] = 0, 0, 0, 0
    first, second = (Outcome(truth, each, np.eye(2)[each]) for each in (a, b))
    assert mcnemar(first, second) == pytest.approx(2 * stats.binom.cdf(2, 14, 0.5))
    assert mcnemar(first, first) == 1.0


def test_the_permutation_test_agrees_with_scipys() -> None:
    """A paired sign-flip test, as scipy's permutation_test of samples, to within the noise of 5,000 draws."""
    good, bad = outcome(skill=1.8, seed=3), outcome(skill=1.5, seed=3)
    difference = (good.correct - bad.correct).mean(axis=0)
    theirs = stats.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=5000, rng=np.random.default_rng(0)
    )
    assert permutation(good, bad) == pytest.approx(theirs.pvalue, abs=0.03)


def test_holm_by_hand() -> None:
    """0.01, 0.04, 0.03 of three: 3 x 0.01, then 2 x 0.03, then the larger of 0.06 and 0.04."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.7, (100, None)),
        (0.75, (316, None)),  # half way in accuracy is half way in log n: sqrt(100 * 1000)
        (0.8, (1000, None)),
        (0.81, (1000, "more")),
        (0.59, (10, "fewer")),
    ],
)
def test_effective_real_images_by_hand(value: float, expected: tuple[int, str | None]) -> None:
    """Read off linearly in log n between the points of the curve; beyond its ends it says so."""
    found = effective_real([10, 100, 1000], [0.6, 0.7, 0.8], value)
    assert (found["images"], found["beyond"]) == expected


def test_a_curve_that_dips_is_made_monotone() -> None:
    """More real images are never worth less: a dip by chance counts as the height before it."""
    assert effective_real([10, 100, 1000], [0.7, 0.6, 0.8], 0.7) == {"images": 10, "beyond": None}
