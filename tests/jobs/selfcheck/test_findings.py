"""Pass, FAIL or underpowered: given answers and tests, what is right to say of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from jobs.selfcheck.controls import ADDED, CONTROLS, REAL_ARMS, REPLACED, Expected, Known
from jobs.selfcheck.findings import (
    FAIL,
    PASS,
    UNDERPOWERED,
    Signs,
    answer_to,
    collapse_check,
    copy_check,
    finding,
    membership_check,
    outcome_check,
    spread_check,
    surely_found,
    worth_check,
)
from shared.stats.intervals import difference_interval
from shared.store.records.copies import CopyTest
from shared.store.records.membership import MembershipTest
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, ORIGINAL, MixedRecord
from tests.jobs.train_mixed.planted import experiment, outcome_of, right

KNOWN = Known({"real_100": 0.9, "real_50": 0.8, "real_30": 0.7, "real_25": 0.6}, majority_baseline=0.5, left_out=0.5)

ALL_OUTCOMES = {HELPED, HURT, NO_EFFECT, COPIES}


def record(accuracy: Mapping[str, float], images: int = 400, replicates: int = 5, **changed: Any) -> MixedRecord:
    """Return the record of arms with these accuracies; the differences are on the same images in every replicate."""
    hits = {
        name: np.tile(np.arange(images) < round(level * images), (replicates, 1)) for name, level in accuracy.items()
    }
    return experiment({name: outcome_of(each.astype(float)) for name, each in hits.items()}, **changed)


def copy(flagged: bool, least_share: float | None = 0.05) -> CopyTest:
    """Return a copy test with this result."""
    fields: dict[str, Any] = dict.fromkeys(("nearer", "nearer_low", "nearer_high", "copy_rate"), 0.5)
    fields |= dict.fromkeys(("expected_copy_rate", "memorisation", "memorisation_held_out"), 0.1)
    fields |= {"n_synthetic": 9, "n_held_out": 9, "n_train": 9, "closest": [], "copy_rate_interval": (0.0, 1.0)}
    return CopyTest(**fields, flagged=flagged, least_share=least_share)


def attack(auc: float, low: float) -> MembershipTest:
    """Return an attack with this AUC."""
    return MembershipTest(
        n_members=75,
        n_non_members=75,
        n_synthetic=150,
        non_members="other real images",
        confounded=False,
        auc=auc,
        auc_low=low,
        auc_high=1.0,
        tpr_at={"0.01": None},
    )


def test_what_is_right_to_say_of_each_control() -> None:
    """Written down once more: the outcomes that pass, whether copies are flagged, whether members are told apart."""
    added = {name: set(outcomes_of(name, ADDED)) for name in CONTROLS}
    copied = {"copies", "own_copies", "shifted", "mirrored", "recontrasted", "blends"}
    assert added == {
        "held_out": {HELPED},
        "noise": {HURT, NO_EFFECT},
        "shuffled": {HURT},
        "label_noise": {HELPED, HURT, NO_EFFECT},
        "half_of_classes": {HELPED, HURT, NO_EFFECT},
        "varying": {HELPED, HURT, NO_EFFECT},
        **{name: {NO_EFFECT, COPIES, HURT} for name in copied},
    }
    assert {name: set(outcomes_of(name, REPLACED)) for name in ("noise", "shuffled", "half_of_classes")} == {
        "noise": {HURT},
        "shuffled": {HURT},
        "half_of_classes": {HURT},
    }
    assert set(outcomes_of("copies", ORIGINAL)) == {COPIES}
    assert {name for name, control in CONTROLS.items() if control.copies} == copied
    assert {name for name, control in CONTROLS.items() if control.member} == copied - {"own_copies", "blends"}
    assert {name for name, control in CONTROLS.items() if control.collapsed} == {"noise", "half_of_classes"}


def outcomes_of(name: str, question: tuple[str, str]) -> tuple[str, ...]:
    """Return the outcomes that are right for a control's question."""
    return next(expected.outcomes for expected in CONTROLS[name].expected if expected.question == question)


@pytest.mark.parametrize(("flagged", "status"), [(True, PASS), (False, FAIL)])
def test_copies_must_never_be_said_to_have_helped(flagged: bool, status: str) -> None:
    """A gain from copies passes where the product flags them; the same gain, said to have helped, FAILs."""
    found = record({ADDED[0]: 0.95, ADDED[1]: 0.9}, copies=["pixels in 5 of 5 replicates"] if flagged else [])
    for name in ("copies", "shifted", "mirrored", "recontrasted", "blends", "own_copies"):
        expected = next(each for each in CONTROLS[name].expected if each.question == ADDED)
        check = outcome_check(expected, found, KNOWN)
        assert check.status == status
        assert check.given.startswith(COPIES if flagged else HELPED)


@pytest.mark.parametrize(
    ("name", "accuracy", "status"),
    [
        ("held_out", 0.95, PASS),
        ("held_out", 0.85, FAIL),
        ("noise", 0.95, FAIL),
        ("noise", 0.9, PASS),
        ("noise", 0.85, PASS),
        ("shuffled", 0.85, PASS),
        ("shuffled", 0.95, FAIL),
        ("label_noise", 0.85, PASS),
        ("label_noise", 0.7, FAIL),
    ],
)
def test_a_wrong_answer_fails(name: str, accuracy: float, status: str) -> None:
    """The answer to the headline is held against the table."""
    found = record({ADDED[0]: accuracy, ADDED[1]: 0.9})
    expected = next(each for each in CONTROLS[name].expected if each.question == ADDED)
    assert outcome_check(expected, found, KNOWN).status == status


def test_underpowered_is_only_what_could_not_have_been_found() -> None:
    """No effect shown is underpowered where the least effect is too small for this experiment, else it is wrong."""
    found, hurt = record({ADDED[0]: 0.9, ADDED[1]: 0.9}), record({ADDED[0]: 0.8, ADDED[1]: 0.9})
    answer = answer_to(ADDED, found)
    assert answer.outcome == NO_EFFECT
    surely = surely_found(answer)
    assert answer.detectable < surely < 0.1
    expected = Expected(ADDED, (HELPED,), "doubling")

    def status(doubling: float, found: MixedRecord = found) -> str:
        accuracies = dict(KNOWN.accuracy) | {"real_50": 0.9 - 2 * doubling}
        known = Known(accuracies, KNOWN.majority_baseline, KNOWN.left_out)
        assert known.doubling == pytest.approx(doubling)
        return outcome_check(expected, found, known).status

    assert status(1.01 * surely) == FAIL
    assert status(0.99 * surely) == UNDERPOWERED
    assert status(-0.1) == UNDERPOWERED  # more real images bring nothing here: nothing to be shown
    # an effect in the wrong direction was found, however little power there is
    assert answer_to(ADDED, hurt).outcome == HURT
    assert status(0.99 * surely, hurt) == FAIL
    # where no effect is right, or no least effect is known, power does not matter
    assert outcome_check(Expected(ADDED, (HURT, NO_EFFECT)), found, KNOWN).status == PASS
    assert outcome_check(Expected(ADDED, (HURT,)), found, KNOWN).status == FAIL


def test_an_effect_that_is_surely_found_is_found_surely() -> None:
    """In simulation, about 99 of 100 experiments show a true difference of that size, which varies by replicate."""
    rng = np.random.default_rng(0)
    replicates, images, true, spread = 5, 400, 0.066, 0.02
    answer = answer_to(ADDED, record({ADDED[0]: 0.9, ADDED[1]: 0.9}, images=40))
    sizes, missed = [], 0
    for _ in range(400):
        levels = true + spread * rng.standard_normal((replicates, 1))
        found = difference_interval((rng.random((replicates, images)) < np.clip(levels, 0, 1)).astype(float))
        made = {"detectable": found.detectable, "freedom": found.freedom, "level": found.level}
        sizes.append(surely_found(answer.model_copy(update=made)))
        missed += found.low <= 0
    # the true difference is about the size that most of these experiments find surely
    assert 0.9 * true < np.median(sizes) < 1.1 * true
    assert missed / 400 <= 0.02


def test_flags_are_held_against_the_table() -> None:
    """One flagged replicate in one space is enough, as for the product; a blind test is underpowered."""
    honest, flagged = (
        {"pixels": copy(False), "classifier": copy(False)},
        {"pixels": copy(False), "classifier": copy(True)},
    )
    assert copy_check(False, [honest, honest]).status == PASS
    assert copy_check(False, [honest, flagged]).status == FAIL
    assert copy_check(True, [honest, flagged]).status == PASS
    assert copy_check(True, [honest, honest]).status == FAIL
    blind = {"pixels": copy(False, None), "classifier": copy(False, None)}
    assert copy_check(True, [blind, blind]).status == UNDERPOWERED
    assert copy_check(True, [blind, honest]).status == FAIL
    assert "flagged in 1 of 2 replicates" in copy_check(True, [honest, flagged]).given


def test_members_are_told_apart_where_they_should_be() -> None:
    """Near 1 in pixels for copies; for others no space may show more than guessing; no attack shows nothing."""
    given_away = [{"pixels": attack(1.0, 0.96), "classifier": attack(0.5, 0.4)}] * 2
    guessed = [{"pixels": attack(0.56, 0.47), "classifier": attack(0.5, 0.4)}] * 2
    leaking = [{"pixels": attack(0.5, 0.4), "classifier": attack(0.6, 0.51)}] * 2
    assert membership_check(True, given_away).status == PASS
    assert membership_check(True, guessed).status == FAIL
    assert membership_check(False, guessed).status == PASS
    assert membership_check(False, given_away).status == FAIL
    assert membership_check(False, leaking).status == FAIL
    assert membership_check(True, [{}, {}]).status == UNDERPOWERED


def test_collapse_is_warned_of_where_there_are_enough_images() -> None:
    """A missing warning is wrong, unless so few images are drawn that absent classes are not looked for."""
    found = record({ADDED[0]: 0.9, ADDED[1]: 0.9}, synthetic_counts=[500, 0])
    assert collapse_check(True, found, ["fewer than 3 images of b were drawn (replicate r00)"]).status == PASS
    assert collapse_check(True, found, []).status == FAIL
    assert collapse_check(False, found, []).status == PASS
    assert collapse_check(False, found, ["little diversity in b (replicate r00)"]).status == FAIL
    few = record({ADDED[0]: 0.9, ADDED[1]: 0.9}, synthetic_counts=[50, 0])
    assert collapse_check(True, few, []).status == UNDERPOWERED


def test_generators_that_differ_must_show_in_the_interval() -> None:
    """Good and bad in turn: the interval is wide and the variance the generators'; an interval that hides it FAILs."""
    images = 400
    levels = [0.95, 0.7, 0.95, 0.7, 0.95]
    varied = np.stack([np.arange(images) < level * images for level in levels]).astype(float)
    rng = np.random.default_rng(0)
    base = np.stack([rng.permutation(np.arange(images) < 0.9 * images) for _ in levels]).astype(float)
    found = experiment({ADDED[0]: outcome_of(varied), ADDED[1]: outcome_of(base)})
    assert spread_check(found).status == PASS
    answer = answer_to(ADDED, found)
    narrow = answer.model_copy(update={"low": answer.difference - 0.01, "high": answer.difference + 0.01})
    assert spread_check(found.model_copy(update={"headline": narrow})).status == FAIL
    assert found.variance is not None
    of_fits = found.variance.model_copy(update={"generator": 0.1, "fit": 0.8, "images": 0.1})
    assert spread_check(found.model_copy(update={"variance": of_fits})).status == FAIL
    of_images = found.variance.model_copy(update={"generator": 0.1, "fit": 0.1, "images": 0.8})
    assert spread_check(found.model_copy(update={"variance": of_images})).status == UNDERPOWERED
    two = experiment({ADDED[0]: outcome_of(varied[:1]), ADDED[1]: outcome_of(base[:1])})
    assert spread_check(two).status == UNDERPOWERED


@pytest.mark.parametrize(("accuracy", "status"), [(0.9, PASS), (0.895, PASS), (0.75, FAIL)])
def test_other_real_images_are_worth_as_many(accuracy: float, status: str) -> None:
    """The number of real images must be in the interval of the data equivalent."""
    levels = dict(zip(REAL_ARMS, (0.9, 0.8, 0.75, 0.7), strict=True)) | {REPLACED[0]: accuracy}
    outcomes = {
        name: outcome_of(right(level, images=1000, seed=place)) for place, (name, level) in enumerate(levels.items())
    }
    assert worth_check(experiment(outcomes)).status == status


def test_a_finding_is_as_bad_as_its_worst_part() -> None:
    """FAIL before underpowered before pass; every part of a control's row is looked at."""
    levels = dict(zip(REAL_ARMS, (0.9, 0.8, 0.7, 0.6), strict=True)) | {ADDED[0]: 0.9, ORIGINAL[0]: 0.85}
    outcomes = {name: outcome_of(right(level, images=400, seed=1)) for name, level in levels.items()}
    flagged = experiment(outcomes, copies=["pixels in 5 of 5 replicates"])
    signs = Signs([{"pixels": copy(True)}] * 5, [{"pixels": attack(1.0, 0.96)}] * 5, [])
    found = finding("copies", flagged, signs, KNOWN)
    assert [check.status for check in found.checks] == [PASS] * 4
    assert found.status == PASS
    unattacked = Signs(signs.copies, [{}] * 5, [])
    assert finding("copies", flagged, unattacked, KNOWN).status == UNDERPOWERED
    unflagged = Signs([{"pixels": copy(False)}] * 5, [{}] * 5, [])
    assert finding("copies", flagged, unflagged, KNOWN).status == FAIL
