"""The tables of metrics: names, directions and bounds that comparisons rely on, and rows that their functions fill."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from shared.metrics.features.frechet import class_frechet
from shared.metrics.metric import (
    CLASSIFICATION_METRICS,
    FEATURE_METRICS,
    FeatureMetric,
    FeaturePair,
    headline_names,
    metric_of,
)
from shared.metrics.scorer import Scorer, equal_classes
from shared.models.extractor import Extractor, Features, FeatureSet
from shared.models.tables import EXTRACTORS
from shared.runtime.process_group import SingleProcess

CPU = torch.device("cpu")


def feature_set(seed: int, count: int = 40) -> FeatureSet:
    """Return features in 3 dimensions and probabilities of 2 classes, labels in turn."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([1, 1], count).astype(np.float32)
    return FeatureSet(Features(rng.normal(size=(count, 3)).astype(np.float32), probabilities), np.arange(count) % 2)


@pytest.fixture
def scorer() -> Scorer:
    """Return a scorer whose extractor is never called."""
    extractor = Extractor("classifier", "hash", "none", lambda images: (images, images))
    return Scorer(extractor, SingleProcess(CPU), seed=0)


@pytest.mark.parametrize(
    ("name", "extractor", "stored"),
    [
        ("frechet", "classifier", "frechet_classifier"),
        ("frechet", "inception_clean", "fid_inception_clean"),
        ("frechet_infinite", "inception_legacy", "fid_inception_legacy_infinite"),
        ("kernel", "efficientnet_lite0", "kernel_efficientnet_lite0"),
        ("kernel_se", "inception_clean", "kid_inception_clean_se"),
        ("precision", "inception_clean", "precision_inception_clean"),
        ("class_score_std", "classifier", "class_score_classifier_std"),
        ("class_score", "inception_clean", "inception_score_inception_clean"),
    ],
)
def test_scores_are_named_after_their_extractor(name: str, extractor: str, stored: str) -> None:
    """Only Inception's scores are called FID, KID and Inception Score."""
    (row,) = [row for row in FEATURE_METRICS if row.key == name]
    assert row.stored_name(extractor) == stored
    assert metric_of(stored, EXTRACTORS) is row


def test_no_two_rows_share_a_name() -> None:
    """A name in results identifies one row."""
    names = [row.stored_name(extractor) for row in FEATURE_METRICS for extractor in EXTRACTORS]
    assert len(set(names)) == len(names)
    assert len({row.name for row in CLASSIFICATION_METRICS}) == len(CLASSIFICATION_METRICS)


@pytest.mark.parametrize(
    ("stored", "higher", "bounds"),
    [
        ("frechet_classifier", False, (0, math.inf)),
        ("kid_inception_clean", False, (-math.inf, math.inf)),
        ("kid_inception_clean_se", None, (0, math.inf)),
        ("frechet_classifier_slope", None, (-math.inf, math.inf)),
        ("recall_classifier", True, (0, 1)),
        ("density_classifier", True, (0, math.inf)),
        ("class_score_classifier", True, (1, math.inf)),
        ("agreement", True, (0, 1)),
    ],
)
def test_a_row_has_direction_and_bounds(stored: str, higher: bool | None, bounds: tuple[float, float]) -> None:
    """Low distances and high shares are better; errors and slopes have no direction."""
    row = metric_of(stored, EXTRACTORS)
    assert row is not None
    assert (row.higher_is_better, (row.low, row.high)) == (higher, bounds)


def test_an_unknown_name_has_no_row() -> None:
    """A score unknown to this version has no direction."""
    assert metric_of("frechet_nothing", EXTRACTORS) is None


def test_each_function_fills_its_rows_within_their_bounds() -> None:
    """Every row gets a number that its bounds allow, from the function that it names."""
    pair = FeaturePair(feature_set(0), feature_set(1), ["cat", "dog"], seed=0)
    for row in FEATURE_METRICS:
        value = row.compute.get()(pair)[row.key]
        for number in value.values() if isinstance(value, dict) else [value]:
            assert row.low <= number <= row.high, row


def test_the_scorer_fills_every_row(scorer: Scorer) -> None:
    """Scores are the rows of the table, in its order; snapshots get those marked for them."""
    first, second = feature_set(0), feature_set(1)
    found = scorer.scores(first, second, ["cat", "dog"])
    names = [row.stored_name("classifier") for row in FEATURE_METRICS]
    assert list(found.scores) == [name for name in names if not name.endswith("_by_class")]
    assert set(found.facts()) == set(names)
    assert set(found.by_class["frechet_classifier"]) == {"cat", "dog"}
    assert scorer.distances(first, second).facts() == {
        name: found.scores[name] for name in ("frechet_classifier", "kernel_classifier", "kernel_classifier_se")
    }


def test_a_new_metric_is_a_row(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scorer and the lookups need only the row."""
    row = replace(FEATURE_METRICS[0], name="twice", inception_name=None)
    calls: list[FeaturePair] = []

    def twice(pair: FeaturePair) -> dict[str, float]:
        calls.append(pair)
        return {"twice": 2.0}

    monkeypatch.setattr("shared.metrics.features.frechet.score", twice)
    monkeypatch.setattr("shared.metrics.scorer.FEATURE_METRICS", (row,))
    monkeypatch.setattr("shared.metrics.metric.FEATURE_METRICS", (row,))
    assert scorer.scores(feature_set(0), feature_set(1), ["cat", "dog"]).scores == {"twice_classifier": 2.0}
    assert len(calls) == 1
    assert isinstance(metric_of("twice_classifier", EXTRACTORS), FeatureMetric)


def test_headline_metrics_are_those_that_tuning_is_told_by() -> None:
    """Short tables have the distances first, then PRDC and the classifiers' scores."""
    assert list(headline_names("classifier")) == [
        "frechet_classifier",
        "kernel_classifier",
        "precision_classifier",
        "recall_classifier",
        "density_classifier",
        "coverage_classifier",
        "agreement",
        "synthetic_only_accuracy",
    ]


def test_distances_by_class_are_of_equal_numbers_of_images(scorer: Scorer) -> None:
    """Each set is cut to the smallest class on either side, so that the same images cost both the same bias."""
    rng = np.random.default_rng(0)

    def drawn(*counts: int) -> FeatureSet:
        labels = np.repeat(np.arange(len(counts)), counts)
        return FeatureSet(
            Features(rng.normal(size=(len(labels), 3)).astype(np.float32), np.eye(2, dtype=np.float32)[labels]), labels
        )

    many, few, test = drawn(50, 9), drawn(8, 30), drawn(20, 20)
    cut = equal_classes((many, few))
    assert [np.bincount(images.labels).tolist() for images in cut] == [[8, 9], [8, 9]]
    np.testing.assert_array_equal(cut[0].features[:8], many.features[:8])
    np.testing.assert_array_equal(cut[0].features[8:], many.features[50:59])
    found = scorer.class_scores((many, few), test, ["cat", "dog"])
    for scores, images in zip(found, cut, strict=True):
        assert scores.scores == {}
        wanted = class_frechet(images.features, images.labels, test.features, test.labels)
        assert scores.by_class == {"frechet_classifier": {"cat": wanted[0], "dog": wanted[1]}}
