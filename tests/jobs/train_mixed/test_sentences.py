"""Answers in words, by hand: no bound that reads 0 on the wrong side, no sign that is not there."""

import pytest

from jobs.train_mixed.sentences import augmentation_clause, sentence
from shared.plots.formatting import bounds_decimals, detectable_sentence, level_text, signed_points
from shared.stats.intervals import MeanInterval
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT
from tests.jobs.train_mixed.planted import experiment

SENTENCES = {
    "helped": (
        HELPED,
        (0.0123, 0.004, 0.0206),
        "Adding x helped: +1.2 points of test accuracy (95 % interval +0.4 to +2.1); augmentation was not compared.",
    ),
    "barely helped": (
        HELPED,
        (0.0082, 0.0004, 0.016),
        "Adding x helped: +0.82 points of test accuracy (95 % interval +0.04 to +1.60); augmentation was not compared.",
    ),
    "hurt": (
        HURT,
        (-0.105, -0.2, -0.0101),
        "Adding x hurt: \u221210.5 points of test accuracy (95 % interval \u221220.0 to \u22121.0).",
    ),
    "barely hurt": (
        HURT,
        (-0.005, -0.0099, -0.00002),
        "Adding x hurt: \u22120.500 points of test accuracy (95 % interval \u22120.990 to \u22120.002).",
    ),
    "no effect": (
        NO_EFFECT,
        (-0.003, -0.009, 0.003),
        "Adding x: no effect shown. Gains above 0.3 and losses beyond 0.9 points of test accuracy are excluded "
        "(difference \u22120.3, 95 % interval \u22120.9 to +0.3).",
    ),
    "no difference": (
        NO_EFFECT,
        (0.0, -0.012, 0.012),
        "Adding x: no effect shown. Gains above 1.2 and losses beyond 1.2 points of test accuracy are excluded "
        "(difference 0.0, 95 % interval \u22121.2 to +1.2).",
    ),
    "barely no effect": (
        NO_EFFECT,
        (0.007, -0.0003, 0.0143),
        "Adding x: no effect shown. Gains above 1.43 and losses beyond 0.03 points of test accuracy are excluded "
        "(difference +0.70, 95 % interval \u22120.03 to +1.43).",
    ),
    "from 0 on": (
        NO_EFFECT,
        (0.01, 0.0, 0.02),
        "Adding x: no effect shown. Gains above 2.0 points and any loss of test accuracy are excluded "
        "(difference +1.0, 95 % interval 0.0 to +2.0).",
    ),
    "up to 0": (
        NO_EFFECT,
        (-0.01, -0.02, 0.0),
        "Adding x: no effect shown. Any gain and losses beyond 2.0 points of test accuracy are excluded "
        "(difference \u22121.0, 95 % interval \u22122.0 to 0.0).",
    ),
    "beyond what accuracies can differ by": (
        NO_EFFECT,
        (-0.275, -1.0, 1.0),
        "Adding x: no effect shown, and none is excluded: too few replicates (difference \u221227.5).",
    ),
    "copies": (
        COPIES,
        (0.028, 0.001, 0.056),
        "Adding x cannot be credited to new images: the synthetic set holds copies of training images "
        "(+2.8 points of test accuracy, 95 % interval +0.1 to +5.6).",
    ),
}


@pytest.mark.parametrize(("outcome", "numbers", "expected"), SENTENCES.values(), ids=SENTENCES)
def test_the_sentence_says_the_outcome_in_points(
    outcome: str, numbers: tuple[float, float, float], expected: str
) -> None:
    """What was asked, the outcome, the difference in points and its interval with its level."""
    assert sentence("adding x", outcome, MeanInterval(*numbers, 0.01, 9.0, 0.95), augmentation_clause(None)) == expected


def test_the_level_is_that_of_the_interval() -> None:
    """Other questions have a level of their own, which is said."""
    found = sentence("x", NO_EFFECT, MeanInterval(0.0, -0.01, 0.01, 0.01, 9.0, 1 - 0.05 / 3))
    assert "(difference 0.0, 98.3 % interval" in found
    assert [level_text(level) for level in (0.95, 1 - 0.05 / 2, 1 - 0.05 / 11)] == ["95 %", "97.5 %", "99.5 %"]


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [
        (0.0123, 1, "+1.2"),
        (-0.0123, 1, "\u22121.2"),
        (0.0, 1, "0.0"),
        (-0.0, 1, "0.0"),
        (-0.0001, 1, "0.0"),
        (0.0001, 1, "0.0"),
        (-0.0001, 2, "\u22120.01"),
        (1.0, 1, "+100.0"),
    ],
)
def test_points_have_a_sign_only_where_there_is_one(share: float, decimals: int, text: str) -> None:
    """The proper minus, no "+0.0" and no "-0.0"."""
    assert signed_points(share, decimals) == text


@pytest.mark.parametrize(
    ("bounds", "digits"),
    [((0.1, 0.2), 1), ((0.0, 0.2), 1), ((0.0004, 0.2), 2), ((-0.2, -0.0006), 1), ((1e-5, 1.0), 3), ((1e-12, 1.0), 6)],
)
def test_bounds_get_the_decimals_that_tell_them_from_0(bounds: tuple[float, float], digits: int) -> None:
    """At least one decimal, more for a bound that would read 0."""
    assert bounds_decimals(*bounds) == digits


def test_what_can_be_found_is_a_sentence_of_its_own() -> None:
    """Four times in five, in points, without a sign."""
    found = experiment("short").headline
    assert found is not None
    assert detectable_sentence(found.model_copy(update={"detectable": 0.0234})) == (
        "An experiment like this one finds a difference of 2.3 points of test accuracy four times in five."
    )
    assert "a difference of more than 100 points" in detectable_sentence(found.model_copy(update={"detectable": 1.9}))
