"""What is said with an answer: warnings, copies, like for like, augmentation."""

import numpy as np
import pytest

from jobs.train_mixed.arms import ARMS
from jobs.train_mixed.outcome import Outcome
from jobs.train_mixed.sentences import collapse
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT
from tests.jobs.train_mixed.planted import (
    GAIN,
    HEADLINE,
    HEADLINE_OF_ALL,
    HEADLINE_OF_LABELS,
    REPLICATES,
    TEST,
    asked,
    experiment,
    headline,
    outcome_of,
    pair,
    right,
)


def test_a_flagged_set_never_helps() -> None:
    """However large the gain of arms with synthetic images: no answer is HELPED, none is called no effect."""
    gains = {name: 0.95 for name, arm in ARMS.items() if arm.has_synthetic}
    plain, flagged = experiment("all", gains), experiment("all", gains, copies=["pixels in 1 of 5 replicates"])
    assert HELPED in {found.outcome for found in asked(plain)}
    for before, after in zip(asked(plain), asked(flagged), strict=True):
        assert after.outcome == {HELPED: COPIES}.get(before.outcome, before.outcome)
        assert (after.low, after.high) == (before.low, before.high)
        assert " helped" not in after.sentence
        assert ("cannot be credited to new images" in after.sentence) == (after.outcome == COPIES)
        assert "Synthetic images are copies of training images: pixels in 1 of 5 replicates." in after.warnings
    assert flagged.copies_flagged == ["pixels in 1 of 5 replicates"]


def test_flags_that_chance_may_bring_are_a_warning() -> None:
    """They take no gain away, and are said."""
    plain, flagged = (
        experiment("short", {HEADLINE[0]: 0.95}, copies_by_chance=found)
        for found in ([], ["pixels in 1 of 5 replicates"])
    )
    assert headline(flagged).outcome == headline(plain).outcome == HELPED
    added = set(headline(flagged).warnings) - set(headline(plain).warnings)
    assert len(added) == 1
    assert added.pop().startswith(
        "Synthetic images were flagged as copies of training images: pixels in 1 of 5 replicates, which is no more than"
    )
    assert flagged.copies_flagged == []


def test_a_flagged_set_still_hurts() -> None:
    """A loss is a loss, and an interval that holds 0 shows no effect, with the warning."""
    for accuracy, outcome in ((0.6, HURT), (0.8, NO_EFFECT)):
        found = headline(experiment("short", {HEADLINE[0]: accuracy}, copies=["pixels in 5 of 5 replicates"]))
        assert found.outcome == outcome
        assert len(found.warnings) == 1


def test_warnings_come_first_and_the_gravest_leads() -> None:
    """An arm at the majority baseline, a collapse, copies, one replicate, added ones, the other sign: in this order."""
    a, b = right(0.5, 1, 400), right(0.3, 1, 400, seed=1)
    found = headline(
        pair(
            outcome_of(a, control=b),
            outcome_of(b, control=a),
            collapsed=["recall 0.03 in 1 of 1 replicates"],
            copies=["pixels in 1 of 1 replicates"],
            replicates=1,
            planned=1,
            added=1,
        )
    )
    starts = [
        "Arm real_100_plus_synthetic_100 is not shown to be better than always answering the most frequent class",
        "Arm real_100 is not shown to be better than always",
        "The generator collapsed: recall 0.03 in 1 of 1 replicates.",
        "Synthetic images are copies of training images: pixels",
        "One replicate: this holds for this generator and this draw only.",
        "1 of 1 replicates were added after a first answer",
        "Early stopping changes the sign: within the same number of steps for every arm the difference of "
        "real_100_plus_synthetic_100 against real_100 is \u221220.0 points",
    ]
    assert len(found.warnings) == len(starts)
    assert all(line.startswith(start) for line, start in zip(found.warnings, starts, strict=True)), found.warnings
    assert all(line.endswith(".") for line in found.warnings)
    assert found.text == " ".join([*found.warnings, found.sentence])


@pytest.mark.fault(21)
def test_classes_of_very_different_size_are_said_first() -> None:
    """Where all arms answer the large class, the first words say so, with a metric in which classes count alike."""
    truth = np.arange(TEST) >= 2  # two images of the small class
    always = np.zeros((REPLICATES, 1, TEST), dtype=np.int64)
    outcome = Outcome(np.where(truth, 0, 1), always, 0.1 + 0.8 * np.eye(2)[always], always)
    names = [*HEADLINE, "real_5", "real_25", "real_50"]
    record = experiment(dict.fromkeys(names, outcome), train_counts=[600, 4])
    found = headline(record)
    assert found.text.startswith(
        "Classes of very different size (600 train images of cat, 4 train images of dog): accuracy is that of the "
        "large ones. By "
        "balanced accuracy, in which each class counts alike, real_100_plus_synthetic_100 has 50.0 % and real_100 has "
        "50.0 %. Arm real_100_plus_synthetic_100 is not shown to be better than always answering the most frequent"
    )
    assert -1 <= found.low < 0 < found.high <= 1
    assert record.worth == []  # a flat curve gives no number of images
    assert "different size" not in headline(experiment("short", train_counts=[90, 10])).text


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "The generator collapsed: recall 0."),
        (4, "The generator collapsed: recall 0; recall 1; recall 2; recall 3."),
        (9, "The generator collapsed: recall 0; recall 1; recall 2; 6 more signs in the scores."),
    ],
)
def test_many_signs_of_a_collapse_are_counted(count: int, said: str) -> None:
    """The first ones are named."""
    assert collapse([f"recall {number}" for number in range(count)]) == said


def test_an_answer_without_cause_has_no_warning() -> None:
    """Five replicates of arms far from the baseline, with the same sign at equal steps."""
    assert headline(experiment("short", GAIN)).warnings == []


@pytest.mark.parametrize("name", HEADLINE)
def test_only_an_arm_of_the_question_is_held_to_the_baseline(name: str) -> None:
    """An arm at chance is named in the answers that it is part of, and in no other."""
    record = experiment("short", {name: 0.5})
    for found in asked(record):
        warned = [line for line in found.warnings if line.startswith(f"Arm {name} is not shown to be better")]
        assert len(warned) == (name in (found.a, found.b))
    assert record.majority_baseline == 0.5


def test_one_replicate_and_added_ones_are_said() -> None:
    """One replicate says nothing of other generators; replicates added after an answer are counted."""
    one = pair(outcome_of(right(0.9, 1)), outcome_of(right(0.7, 1, seed=1)))
    assert headline(one).warnings == ["One replicate: this holds for this generator and this draw only."]
    added = pair(outcome_of(right(0.9)), outcome_of(right(0.7, seed=1)), planned=3, added=2)
    assert headline(added).warnings == [
        "2 of 5 replicates were added after a first answer: intervals do not allow for adding more until an answer "
        "pleases."
    ]
    fewer = pair(outcome_of(right(0.9)), outcome_of(right(0.7, seed=1)), planned=8)
    assert headline(fewer).warnings == [
        "3 of the 8 replicates of a first answer are left out: intervals do not allow for choosing among them."
    ]


def test_copies_explain_no_difference_between_two_labels_of_the_same_images() -> None:
    """Arms with the same synthetic images and other labels: the gain is that of the labels, copies or not."""
    record = experiment("all", {"synthetic_only_asked": 0.95}, copies=["pixels in 1 of 5 replicates"])
    (found,) = [each for each in asked(record) if each.b == "synthetic_only"]
    assert found.outcome == HELPED


@pytest.mark.parametrize(
    ("a", "b", "warned"),
    [(0.9, 0.7, False), (0.7, 0.9, True), (0.8, 0.8, True)],
    ids=["same sign", "other sign", "no difference"],
)
def test_the_control_of_equal_steps_is_heard(a: float, b: float, warned: bool) -> None:
    """A gain that the same number of steps turns into a loss, or into nothing, is said; its size is in the record."""
    record = pair(outcome_of(right(0.9), right(a)), outcome_of(right(0.7, seed=1), right(b, seed=1)))
    found = headline(record)
    assert found.equal_steps.difference == pytest.approx(a - b)
    assert found.equal_steps.low < found.equal_steps.difference < found.equal_steps.high
    assert [line.startswith("Early stopping changes the sign") for line in found.warnings] == [True] * warned
    assert found.outcome == HELPED


def test_what_is_like_for_like() -> None:
    """By hand: arms with 30 % of the real images next to a generator that saw all of them are not."""
    unlike = {
        ("synthetic_70_real_30", "real_30"),
        ("synthetic_70_real_30_own", "real_30"),
        ("synthetic_70_real_30_own", "real_30_augmented"),
    }
    record = experiment("all")
    words = "Not like for like: the generator saw real images that the baseline did not. "
    for found in asked(record):
        assert found.like_for_like == ((found.a, found.b) not in unlike)
        assert found.sentence.startswith(words) == (not found.like_for_like)
    rows = {row.arm: row.information for row in record.arms}
    for a, b in unlike:  # what the words say is what the rows say
        assert rows[a].generator > rows[b].seen[0] == rows[b].classifier


def test_unlabelled_images_are_information() -> None:
    """A generator and pseudo-labels of the same images are like for like; either against no such images is not."""
    record = experiment("labels")
    found = {(answer.a, answer.b): answer for answer in asked(record)}
    assert found.keys() == {HEADLINE_OF_LABELS, HEADLINE_OF_ALL, ("real_100_plus_pseudo_all", "real_100")}
    assert {pair for pair, answer in found.items() if answer.like_for_like} == {HEADLINE_OF_LABELS}
    words = "Not like for like: the {} saw unlabelled real images that the baseline did not. Adding "
    assert found[HEADLINE_OF_ALL].sentence.startswith(words.format("generator"))
    assert found["real_100_plus_pseudo_all", "real_100"].sentence.startswith(words.format("classifier"))
    pseudo = "900 unlabelled ones with the annotator's labels"
    question = f"adding 300 synthetic images to the 100 labelled ones rather than {pseudo}"
    assert found[HEADLINE_OF_LABELS].question == question
    rows = {row.arm: row.information for row in record.arms}
    assert rows["real_100"].seen == (1, 0)
    for name, networks in (("real_100_plus_pseudo_all", (1, 0)), ("real_100_plus_synthetic_all", (0, 1))):
        assert (rows[name].classifier_unlabelled, rows[name].generator_unlabelled) == networks
        assert (rows[name].annotator, rows[name].seen) == (1, (1, 1))


CLAUSES = {
    "also": ({"real_100_plus_synthetic_100_augmented": 0.95}, "), also beyond standard augmentation."),
    "not shown": ({}, "), but not shown beyond standard augmentation."),
    "hurt": ({"real_100_plus_synthetic_100_augmented": 0.6}, "), but not beyond standard augmentation."),
}


@pytest.mark.parametrize(("accuracies", "end"), CLAUSES.values(), ids=CLAUSES)
def test_helped_says_whether_augmentation_would_have_done(accuracies: dict[str, float], end: str) -> None:
    """The clause is the outcome of the augmented arms against each other."""
    assert headline(experiment("fair", GAIN | accuracies)).sentence.endswith(end)


def test_helped_without_augmented_arms_says_so() -> None:
    """Standard augmentation is free, so that a gain is not a reason for a GAN before both were compared."""
    assert headline(experiment("short", GAIN)).sentence.endswith("); augmentation was not compared.")


def test_only_a_headline_that_helped_has_a_clause() -> None:
    """Other outcomes and other questions say nothing of augmentation."""
    for accuracy in (0.6, 0.8):
        assert "beyond standard" not in headline(experiment("fair", {HEADLINE[0]: accuracy})).sentence
    helped = [
        found for found in experiment("fair", GAIN | {"synthetic_100": 0.95}).questions if found.outcome == HELPED
    ]
    assert helped
    assert not [found for found in helped if "augmentation was" in found.sentence or "beyond" in found.sentence]


def test_the_clause_is_about_the_headline_alone() -> None:
    """What augmented arms say of as many synthetic images says nothing of another number, or of pseudo-labels."""
    names = ("real_100_augmented", "real_100_plus_synthetic_100_augmented")
    augmented = {name: outcome_of(right(0.8, seed=seed)) for seed, name in enumerate(names)}
    gain = outcome_of(right(0.95, seed=2)), outcome_of(right(0.8, seed=3))
    every = experiment(augmented | dict(zip(HEADLINE_OF_ALL, gain, strict=True)))
    assert headline(every).sentence.endswith("); augmentation was not compared.")
    labels = experiment(augmented | dict(zip(HEADLINE_OF_LABELS, gain, strict=True)))
    assert headline(labels).outcome == HELPED
    assert "augmentation" not in headline(labels).sentence
