"""Classification metrics, weighted and not, against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from shared.metrics.classification import Ranking


def test_the_area_counts_ties_and_weights() -> None:
    """Scikit-learn's area with sample weights, where many scores are equal."""
    rng = np.random.default_rng(1)
    scores, positive, weights = rng.integers(0, 6, 80) / 6, rng.random(80) < 0.4, rng.integers(0, 4, 80) * 1.0
    expected = metrics.roc_auc_score(positive, scores, sample_weight=weights)
    assert Ranking(scores, positive).area(weights) == pytest.approx(expected)
