"""Metrics of an arm against scikit-learn, and the coverage of their intervals."""

import numpy as np
import pytest
from sklearn import metrics

from jobs.train_mixed.outcome import Outcome, metric_summaries


def outcome(seeds: int = 3, images: int = 200, classes: int = 4, skill: float = 1.5, seed: int = 0) -> Outcome:
    """Return predictions that are better than chance, different for every seed."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, images, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    logits = rng.normal(size=(seeds, images, classes)) + skill * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return Outcome(truth, probabilities.argmax(axis=2), probabilities)


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_are_scikit_learns(classes: int) -> None:
    """Each metric of each seed is scikit-learn's."""
    made = outcome(classes=classes)
    found = metric_summaries(made, redraws=5)
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


@pytest.mark.slow
def test_the_intervals_cover_what_they_claim() -> None:
    """Over 200 repetitions with new seeds and images, 95 % intervals hold the truth in 91 to 99.5 %."""
    rng = np.random.default_rng(2)
    hits = {"accuracy": 0, "balanced_accuracy": 0}
    for _ in range(200):
        truth = rng.integers(0, 2, 150)
        level = 0.8 + rng.normal(0, 0.02, (3, 1)) + rng.normal(0, 0.1, (1, 150))
        right = rng.random((3, 150)) < level
        predicted = np.where(right, truth, 1 - truth)
        found = metric_summaries(Outcome(truth, predicted, np.eye(2)[predicted]), redraws=100)
        for name in hits:
            hits[name] += found[name]["low"] <= 0.8 <= found[name]["high"]
    assert all(0.91 <= count / 200 <= 0.995 for count in hits.values()), hits
