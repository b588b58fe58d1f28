"""Metrics of several attributes against scikit-learn's of vectors, and their pseudo-values against the definition."""

import numpy as np
import pytest
from sklearn import metrics as peer

from shared.attributes import bits_of, labels_of
from shared.metrics.classification import score_table
from shared.metrics.influence import pseudo_values, weights_of
from shared.metrics.metric import CLASSIFICATION_METRICS

ATTRIBUTES = ["A", "B", "C"]

CHANCE = np.random.default_rng(4)
TRUTH = CHANCE.integers(0, 8, 60)
SURE = np.clip(bits_of(TRUTH, 3) * 0.3 + CHANCE.random((60, 3)) * 0.7, 0, 1)
PREDICTED = labels_of(SURE > 0.5)
TRUE, NAMED = bits_of(TRUTH, 3), bits_of(PREDICTED, 3)

EXPECTED = {
    "accuracy": (TRUE == NAMED).mean(),
    "balanced_accuracy": np.mean([peer.balanced_accuracy_score(t, n) for t, n in zip(TRUE.T, NAMED.T, strict=True)]),
    "precision": peer.precision_score(TRUE, NAMED, average="macro"),
    "recall": peer.recall_score(TRUE, NAMED, average="macro"),
    "f1": peer.f1_score(TRUE, NAMED, average="macro"),
    "roc_auc": peer.roc_auc_score(TRUE, SURE, average="macro"),
}


@pytest.mark.parametrize("metric", [row.name for row in CLASSIFICATION_METRICS])
def test_a_metric_is_scikit_learns_of_vectors(metric: str) -> None:
    """Macro means run over attributes, each by the images that have it."""
    assert pseudo_values(TRUTH, PREDICTED, SURE, metric, 3)[0] == pytest.approx(EXPECTED[metric])


@pytest.mark.parametrize("metric", [row.name for row in CLASSIFICATION_METRICS])
def test_pseudo_values_leave_one_image_out(metric: str) -> None:
    """N m - (n - 1) m without the image, computed from the images that are left."""
    value, pseudo = pseudo_values(TRUTH, PREDICTED, SURE, metric, 3)
    for image in (0, 7, 59):
        left = np.arange(60) != image
        without = pseudo_values(TRUTH[left], PREDICTED[left], SURE[left], metric, 3)[0]
        assert pseudo[image] == pytest.approx(60 * value - 59 * without)


def test_a_table_has_a_row_for_each_attribute() -> None:
    """Precision, recall and F1 are of the images that have it; the confusion is of combinations."""
    table = score_table(TRUTH, PREDICTED, [], ATTRIBUTES)
    assert [row.class_name for row in table.classes] == ATTRIBUTES
    assert [row.f1 for row in table.classes] == pytest.approx(peer.f1_score(TRUE, NAMED, average=None))
    assert [row.n for row in table.classes] == TRUE.sum(axis=0).tolist()
    assert (table.accuracy, table.f1) == (pytest.approx(EXPECTED["accuracy"]), pytest.approx(EXPECTED["f1"]))
    assert table.sizes() == np.bincount(TRUTH, minlength=8).tolist()


def test_one_attribute_weighs_as_two_classes() -> None:
    """The rule for classes holds for each attribute, and the mean over attributes is taken."""
    bits = bits_of(TRUTH, 3)
    assert weights_of(TRUTH, "f1", 3) == pytest.approx(np.mean([weights_of(side, "f1") for side in bits.T], axis=0))
