"""The verdict over random splits: each replicate has test images of its own, and as many as there are."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics

from jobs.train_mixed.experiment import as_outcome
from jobs.train_mixed.fits import EQUAL_STEPS, PROBABILITIES
from jobs.train_mixed.outcome import NO_IMAGE, Outcome, class_estimates, metric_estimates
from shared.plots.answers import certainty, interval_is_for, what_a_replicate_is
from shared.plots.formatting import percent_interval
from shared.stats.inference import Inference
from shared.store.records.mixed import MixedRecord
from tests.jobs.train_mixed.planted import TEST, experiment, headline, outcome_of, pair, right

RATIO = 0.25
SIZES = (120, 90, 101)
"""Test images of the replicates."""


def own_images(accuracy: float, seed: int = 0) -> Outcome:
    """Return answers of three replicates to test images of their own, of three classes, right with this probability."""
    random = np.random.default_rng(seed)
    truth = [np.arange(size) % 3 for size in SIZES]
    read = []
    for own in truth:
        answers = np.where(random.random(len(own)) < accuracy, own, (own + 1) % 3)
        logits = torch.tensor(3 * np.eye(3)[answers] + random.random((len(own), 3)))
        probabilities = logits.softmax(dim=1)
        read.append([{PROBABILITIES: probabilities, EQUAL_STEPS: probabilities}])
    return as_outcome(read, truth)


def answered(a: Outcome, b: Outcome) -> MixedRecord:
    """Return the experiment of the headline's two arms over random splits."""
    split = {"resplit": "all", "test_over_train": RATIO, "n_test": min(SIZES), "n_test_most": max(SIZES)}
    three = {"classes": ["a", "b", "c"], "train_counts": [50, 50, 50], "synthetic_counts": [50, 50, 50]}
    return pair(a, b, **split, **three)


def test_answers_are_kept_whole() -> None:
    """By hand: the replicates' accuracies are those of their own images, not of what is behind the shorter ones."""
    made = own_images(0.8)
    assert made.truth.shape == (3, 120)
    assert [int((row == NO_IMAGE).sum()) for row in made.truth] == [0, 30, 19]
    for number, size in enumerate(SIZES):
        right = made.predicted[number, 0, :size] == made.truth[number, :size]
        assert metric_estimates(made)["accuracy"].values[number] == pytest.approx(right.mean())


def test_every_metric_is_that_of_a_replicates_own_images() -> None:
    """Against scikit-learn, of all classes and of each, and none of them knows the images that there are not."""
    made = own_images(0.8)
    found, rows = metric_estimates(made), class_estimates(made, ["a", "b", "c"])
    for number, size in enumerate(SIZES):
        truth, answers = made.truth[number, :size], made.predicted[number, 0, :size]
        assert found["f1"].values[number] == pytest.approx(metrics.f1_score(truth, answers, average="macro"))
        ranked = metrics.roc_auc_score(truth, made.probabilities[number, 0, :size], multi_class="ovr", average="macro")
        assert found["roc_auc"].values[number] == pytest.approx(ranked)
        for label, row in enumerate(rows):
            assert row.f1.values[number] == pytest.approx(metrics.f1_score(truth == label, answers == label))
            assert row.recall.values[number] == pytest.approx(metrics.recall_score(truth == label, answers == label))
    assert [row.n for row in rows] == [30, 30, 30]


@pytest.mark.parametrize("splits", [Inference(test_over_train=RATIO), Inference()], ids=["splits", "one split"])
def test_a_class_of_one_image_leaves_an_area_without_an_interval(splits: Inference) -> None:
    """Without that image its class has no curve: the area has its value and no interval, others have both."""
    made = outcome_of(right(0.8, replicates=3))
    truth = np.zeros((3, TEST), dtype=np.int64)
    truth[:, 5] = 1
    made = replace(made, truth=truth if splits.test_over_train else truth[0])
    found = metric_estimates(made, splits)
    area, f1 = found["roc_auc"], found["f1"]
    assert (area.low, area.high) == (None, None)
    assert area.mean == pytest.approx(np.mean(area.values))
    assert None not in (f1.low, f1.high)
    assert percent_interval(area) == "interval undefined"


def test_a_replicate_without_an_area_leaves_none_for_all() -> None:
    """A test split of one class has no ROC curve: the value is None, the mean that of the others; JSON has no NaN."""
    made = outcome_of(right(0.8, replicates=3))
    truth = np.stack([made.truth, np.zeros_like(made.truth), made.truth])
    record = pair(*[replace(made, truth=truth)] * 2, resplit="all", test_over_train=RATIO)
    area = record.arm("real_100").metrics["roc_auc"]
    assert area.values[1] is None
    assert area.mean == pytest.approx(np.mean([area.values[0], area.values[2]]))
    assert (area.std, area.low, area.high) == (None, None, None)
    assert percent_interval(area) == "undefined in 1 of 3"
    kept = json.loads(json.dumps(record.facts(), allow_nan=False))
    assert MixedRecord.model_validate(kept) == record


def test_images_that_there_are_not_weigh_nothing() -> None:
    """More of them behind every replicate's own change no metric and no interval."""
    made = own_images(0.8)
    wide = ((0, 0), (0, 0), (0, 60))
    padded = Outcome(
        np.pad(made.truth, wide[1:], constant_values=NO_IMAGE),
        np.pad(made.predicted, wide),
        np.pad(made.probabilities, (*wide, (0, 0))),
        np.pad(made.equal_steps, wide),
    )
    splits = Inference(test_over_train=RATIO)
    found, wanted = metric_estimates(padded, splits), metric_estimates(made, splits)
    for name, estimate in wanted.items():
        assert found[name].values == estimate.values
        assert (found[name].low, found[name].high) == pytest.approx((estimate.low, estimate.high))


def test_the_headline_has_the_corrected_resampled_interval() -> None:
    """By hand from the three differences of accuracy alone: variance (1/3 + 1/4) S^2 and Student's t with 2 degrees."""
    a, b = own_images(0.9, seed=1), own_images(0.8, seed=2)
    answer = headline(answered(a, b))
    accuracies = [np.array(metric_estimates(each)["accuracy"].values) for each in (a, b)]
    differences = accuracies[0] - accuracies[1]
    assert answer.values == pytest.approx(differences)
    assert answer.difference == pytest.approx(differences.mean())
    reach = stats.t.ppf(0.975, 2) * math.sqrt((1 / 3 + RATIO) * differences.var(ddof=1))
    assert answer.freedom == 2
    # a little more, since images are added so that no width is 0
    assert reach < (answer.high - answer.low) / 2 < 1.3 * reach


def test_arms_classes_and_questions_have_it_too() -> None:
    """With means that do not differ, all intervals have the width that added images give them, at R - 1 degrees."""
    level, splits = own_images(1.0), Inference(test_over_train=RATIO)
    record = answered(level, level)
    wanted = splits.share(np.where(level.truth == NO_IMAGE, np.nan, 1.0))
    accuracy = record.arms[0].metrics["accuracy"]
    assert (accuracy.low, accuracy.high) == pytest.approx((wanted.low, wanted.high))
    classes = record.arms[0].classes
    assert classes is not None
    for row in classes:
        assert row.recall.low is not None
        assert row.recall.low < accuracy.low
    others = experiment("short").questions
    assert others
    equal = headline(record).equal_steps
    assert (equal.low, equal.high) == (headline(record).low, headline(record).high)


def test_where_the_variance_is_from_is_not_known() -> None:
    """A replicate with its own test images does not tell generators, fits and images apart."""
    variance = answered(own_images(0.9, 1), own_images(0.8, 2)).variance
    assert variance is not None
    assert (variance.generator, variance.fit, variance.images) == (None, None, None)


def test_the_words_are_those_of_splits() -> None:
    """Page, card and terminal say what a replicate is, what intervals are for, and how many images were tested on."""
    record = answered(own_images(0.9, 1), own_images(0.8, 2))
    assert what_a_replicate_is(record).startswith("a new random split, a new generator")
    assert interval_is_for(record).startswith("other random splits of such images (corrected resampled t, Nadeau")
    assert "the spread between splits" in certainty(record)
    assert record.protocol.test_images == "90 to 120"
    usual = experiment("short")
    assert what_a_replicate_is(usual).startswith("a new generator")
    assert interval_is_for(usual) == "other replicates and other test images (two-way random effects)"
    assert usual.protocol.test_images == "240"


def test_options_that_were_tuned_on_more_are_flagged() -> None:
    """An experiment of few images or labels has no tuned options of its own."""
    plain = pair(*[outcome_of(right(0.8))] * 2)
    assert not any("tuned" in line for line in headline(plain).warnings)
    tuned = pair(*[outcome_of(right(0.8))] * 2, tuned_on_more=["recipe rps_cgan_tuned"])
    starts = "Options were tuned (recipe rps_cgan_tuned) with more real images or labels than this experiment has"
    assert any(line.startswith(starts) for line in headline(tuned).warnings)


def test_options_that_were_tuned_on_one_split_are_flagged() -> None:
    """The warning is read before the answer."""
    plain = pair(own_images(0.9, 1), own_images(0.8, 2), test_over_train=RATIO, classes=["a", "b", "c"])
    assert not any("tuned" in line for line in headline(plain).warnings)
    tuned = pair(
        own_images(0.9, 1),
        own_images(0.8, 2),
        test_over_train=RATIO,
        classes=["a", "b", "c"],
        tuned=["recipe rps_cgan_tuned"],
    )
    assert any(
        line.startswith("Options were tuned on one split (recipe rps_cgan_tuned)") for line in headline(tuned).warnings
    )


def test_one_split_alone_says_so() -> None:
    """One replicate knows nothing of other splits."""
    made = own_images(0.8)
    one = replace(
        made,
        truth=made.truth[:1],
        predicted=made.predicted[:1],
        probabilities=made.probabilities[:1],
        equal_steps=made.equal_steps[:1],
    )
    record = pair(one, one, resplit="all", classes=["a", "b", "c"])
    assert "this split and this draw only" in headline(record).warnings[-1]
