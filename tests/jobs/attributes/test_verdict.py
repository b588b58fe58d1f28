"""The verdict on several attributes: macro F1, or the F1 of one of them."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from jobs.train_mixed.fits import named_in
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.outcome import NO_IMAGE, Outcome
from jobs.train_mixed.summaries import majority_baseline
from jobs.train_mixed.validate import validate
from shared.attributes import bits_of, combinations, labels_of
from shared.data.specs import ImageSpec, Specs
from shared.errors import BadConfig
from shared.store.records.mixed import HELPED, MixedRecord
from shared.store.work_shards import Shard
from tests.jobs.train_mixed.planted import HEADLINE, experiment

IMAGES, REPLICATES = 200, 3
ATTRIBUTES = ["Bald", "Male"]
TRUTH = labels_of(np.random.default_rng(0).random((IMAGES, 2)) < [0.1, 0.5])
SKILL = {HEADLINE[0]: (0.75, 0.95), HEADLINE[1]: (0.75, 0.7)}
"""The share of images whose attribute each arm has right: the first is better at Male alone."""


def planted(skill: tuple[float, float], seed: int) -> Outcome:
    """Return the outcome of classifiers with this share of right answers for each attribute."""
    chance = np.random.default_rng(seed)
    right = chance.random((REPLICATES, 1, IMAGES, 2)) < skill
    named = np.where(right, bits_of(TRUTH, 2), 1 - bits_of(TRUTH, 2)) == 1
    answers = 0.1 + 0.8 * named
    return Outcome(TRUTH, labels_of(named), answers, labels_of(named), attributes=2)


OUTCOMES = {name: planted(skill, seed) for seed, (name, skill) in enumerate(SKILL.items())}


def record(verdict_on: str | None = None) -> MixedRecord:
    """Return the record of these outcomes."""
    counts = [90, 10, 90, 10]
    return experiment(
        OUTCOMES,
        classes=combinations(ATTRIBUTES),
        attributes=ATTRIBUTES,
        train_counts=counts,
        synthetic_counts=counts,
        verdict_on=verdict_on,
    )


def f1_of(name: str, average: str | None = "macro") -> np.ndarray:
    """Return scikit-learn's F1 of an arm, mean over replicates."""
    truth = bits_of(TRUTH, 2)
    found = [f1_score(truth, bits_of(fit[0], 2), average=average) for fit in OUTCOMES[name].predicted]
    return np.mean(found, axis=0)


def test_the_verdict_is_about_macro_f1() -> None:
    """The difference is that of scikit-learn's macro F1 of vectors, and its words say so."""
    headline = record().headline
    assert headline is not None
    assert headline.metric == "f1"
    assert headline.difference == pytest.approx(f1_of(HEADLINE[0]) - f1_of(HEADLINE[1]))
    assert headline.low < headline.difference < headline.high
    assert "points of test macro F1" in headline.sentence


@pytest.mark.parametrize(("place", "outcome"), [(0, None), (1, HELPED)])
def test_a_verdict_on_one_attribute_is_about_its_f1(place: int, outcome: str | None) -> None:
    """The other attribute is no part of it: the arm that is better at Male is not said to help with Bald."""
    name = ATTRIBUTES[place]
    headline = record(name).headline
    assert headline is not None
    assert headline.metric == f"F1 of {name}"
    difference = f1_of(HEADLINE[0], None)[place] - f1_of(HEADLINE[1], None)[place]
    assert headline.difference == pytest.approx(difference)
    assert (headline.outcome == HELPED) == (outcome == HELPED)
    assert f"test F1 of {name}" in headline.sentence


def test_an_arm_has_a_row_for_each_attribute() -> None:
    """F1 of the images that have it; accuracy is the share of attributes that are right."""
    arm = record().arm(HEADLINE[0])
    assert [(row.class_name, row.n) for row in arm.classes or []] == [
        *zip(ATTRIBUTES, bits_of(TRUTH, 2).sum(axis=0).tolist(), strict=True)
    ]
    assert [row.f1.mean for row in arm.classes or []] == pytest.approx(f1_of(HEADLINE[0], None))
    right = bits_of(OUTCOMES[HEADLINE[0]].predicted, 2) == bits_of(TRUTH, 2)
    assert arm.accuracy.mean == pytest.approx(right.mean())
    assert arm.positive_class is None


def test_one_attribute_alone_keeps_what_is_no_image() -> None:
    """Where replicates have test images of their own, some have fewer."""
    truth = np.stack([TRUTH, np.where(np.arange(IMAGES) < 150, TRUTH, NO_IMAGE)])
    both = planted((0.9, 0.9), 3)
    outcome = Outcome(truth, both.predicted[:2], both.probabilities[:2], both.equal_steps[:2], attributes=2)
    assert np.array_equal(outcome.only(1).truth == NO_IMAGE, truth == NO_IMAGE)
    assert np.isnan(outcome.judged_by_fit).sum() == np.isnan(outcome.only(0).correct).sum() == 50


def test_one_answer_for_every_image_gives_each_attribute_its_more_frequent_value() -> None:
    """By the train images: hardly any is Bald, most are Male."""
    bits = bits_of(TRUTH, 2)
    assert majority_baseline([30, 5, 60, 5], TRUTH, 2) == pytest.approx((bits == [0, 1]).mean())


def test_answers_name_the_attributes_above_one_half() -> None:
    """Those of classes name the likeliest class."""
    answers = np.array([[0.2, 0.9, 0.6], [0.7, 0.1, 0.4]])
    assert named_in(answers, 3).tolist() == [6, 1]
    assert named_in(answers, 0).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [(("Young", "Male"), "did you mean Male"), ((), "leave it out: they have one label")],
)
def test_a_verdict_on_what_images_do_not_have_is_refused(attributes: tuple[str, ...], said: str) -> None:
    """Before anything is trained, as soon as the images are described."""
    real = ImageSpec(size_px=16, channels=1, source="celeba", mirrors=True, attributes=attributes)
    with pytest.raises(BadConfig, match=said):
        validate(MixedOptions(verdict_on="Mal"), Shard(0, 1), Specs(real))
    validate(MixedOptions(verdict_on=None), Shard(0, 1), Specs(real))
