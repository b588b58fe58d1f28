"""The verdict: intervals that cover what they claim, simulated outcomes found, sentences by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.train_mixed.outcome import Outcome
from jobs.train_mixed.verdict import (
    COMPARISONS,
    Question,
    compare,
    compare_all,
    data_equivalents,
    judged,
    majority_baseline,
    sentence,
)
from shared.store.records.mixed import RealImages

Array = NDArray[np.float64]


def outcome_of(hits: Array) -> Outcome:
    """Return a two-class outcome that is right where `hits` (seeds, images) is 1."""
    predicted = (hits < 0.5).astype(np.int64)
    return Outcome(np.zeros(hits.shape[1], np.int64), predicted, np.eye(2)[predicted])


def arms(a: float, b: float, images: int = 400, seeds: int = 3) -> tuple[Outcome, Outcome]:
    """Return arms with these accuracies on independent images, the same for every seed."""
    chance = np.random.default_rng(4)
    first, second = (np.repeat((chance.random((1, images)) < rate).astype(float), seeds, axis=0) for rate in (a, b))
    return outcome_of(first), outcome_of(second)


QUESTION = Question("a", "b", "adding a")


@pytest.mark.parametrize(
    ("accuracies", "outcome"),
    [((0.9, 0.7), "helped"), ((0.7, 0.9), "hurt"), ((0.95, 0.95), "no difference shown")],
)
def test_a_planted_outcome_is_found(accuracies: tuple[float, float], outcome: str) -> None:
    """20 points on 400 images (eight standard errors) are found with their sign; no difference is not."""
    found = compare(QUESTION, *arms(*accuracies), 400)
    assert found.outcome == outcome
    assert found.low <= found.difference <= found.high


def test_no_difference_at_all_is_not_called_one() -> None:
    """Two arms with equal hits everywhere show no difference, and no test finds one."""
    same = arms(0.8, 0.8)[0]
    found = compare(QUESTION, same, same, 400)
    assert (found.outcome, found.difference, found.low, found.high) == ("no difference shown", 0, 0, 0)
    assert (found.p_mcnemar, found.p_permutation) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.001, 0.2, "helped"),
        (-0.2, -0.001, "hurt"),
        (-0.04, 0.05, "no difference shown"),
        (-0.1, 0.1, "not enough data to tell"),
    ],
)
def test_an_interval_says_what_it_can(low: float, high: float, says: str) -> None:
    """An interval that contains 0 shows no difference where it is narrow, and is undecided where it is wide."""
    assert judged(low, high) == says


def test_p_values_are_corrected_for_the_number_of_comparisons() -> None:
    """Every comparison of available arms is made; Holm's p is never below the plain one."""
    good, bad = arms(0.9, 0.7)
    outcomes = {"synthetic_70_real_30": good, "real_30": bad, "real_100": good, "synthetic_only": bad}
    found = compare_all(outcomes, 400)
    assert len(found) == 3
    for row in found:
        assert row.p_mcnemar_holm >= row.p_mcnemar
        assert row.p_permutation_holm >= row.p_permutation
    assert found[0].p_permutation_holm < 0.01


def test_the_data_equivalent_is_read_off_the_learning_curve() -> None:
    """An arm as good as 50 % of the real images is worth about as many as those, with an interval around it."""
    chance = np.random.default_rng(0)
    hard = chance.random((1, 3000))
    heights = {"real_5": 0.6, "real_10": 0.7, "real_25": 0.8, "real_50": 0.9, "real_100": 0.95}
    outcomes = {name: outcome_of(np.repeat(hard < height, 3, axis=0).astype(float)) for name, height in heights.items()}
    counts = dict(zip(heights, (50, 100, 250, 500, 1000), strict=True))
    outcomes["synthetic_70_real_30"] = outcomes["real_50"]
    (row,) = data_equivalents(outcomes, counts | {"synthetic_70_real_30": 300})
    assert row.effective == RealImages(images=500, beyond=None)
    assert row.effective_low.images < 500 < row.effective_high.images
    assert data_equivalents({"synthetic_only": outcomes["real_5"]}, {"synthetic_only": 0}) == []


@pytest.mark.parametrize(
    ("outcome", "numbers", "expected"),
    [
        (
            "helped",
            (0.0123, 0.004, 0.0206),
            "Adding x helped: +1.2 points of test accuracy (95 % interval +0.4 to +2.1).",
        ),
        (
            "hurt",
            (-0.105, -0.2, -0.0101),
            "Adding x hurt: \u221210.5 points of test accuracy (95 % interval \u221220.0 to \u22121.0).",
        ),
        (
            "no difference shown",
            (0.001, -0.01, 0.012),
            "Adding x made no difference that this experiment can show: "
            "+0.1 points of test accuracy (95 % interval \u22121.0 to +1.2).",
        ),
    ],
)
def test_the_sentence_says_the_outcome_in_points(
    outcome: str, numbers: tuple[float, float, float], expected: str
) -> None:
    """The verdict is one sentence: the question, the outcome, the difference in points and its interval."""
    assert sentence("adding x", outcome, *numbers) == expected


def test_the_headline_asks_whether_adding_helps() -> None:
    """The first comparison is 70 % synthetic and 30 % real images against the 30 % alone."""
    assert (COMPARISONS[0].a, COMPARISONS[0].b) == ("synthetic_70_real_30", "real_30")


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [([0, 0, 1], [0, 1, 1, 1], 0.25), ([2, 2, 1, 2], [2, 2, 0, 1], 0.5), ([1], [0, 0], 0.0)],
)
def test_majority_baseline_by_hand(train: list[int], test: list[int], expected: float) -> None:
    """The baseline is the share of test images of the class most frequent in train, not in test."""
    assert majority_baseline(np.array(train), np.array(test)) == expected
