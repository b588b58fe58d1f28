"""The rule by which a study is answered."""

from itertools import product

import pytest

from jobs.study.answer import study_answer
from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT
from shared.store.records.study import BETWEEN, EVERYWHERE, FROM, NOWHERE, SCATTERED, UP_TO
from tests.jobs.study.points import point, points

YES, NO = HELPED, NO_EFFECT


@pytest.mark.parametrize(
    ("outcomes", "outcome", "ends", "said"),
    [
        ((NO, NO, YES, YES), FROM, (377, 1257), "From about 377 real train images on, adding synthetic images helped"),
        ((NO, NO, NO, YES), FROM, (1257, 1257), "From about 1,257 real train images on"),
        ((YES, YES, NO, NO), UP_TO, (63, 126), "Up to about 126 real train images, adding synthetic images helped"),
        ((YES, NO, NO, NO), UP_TO, (63, 63), "Up to about 63 real train images"),
        ((NO, YES, YES, NO), BETWEEN, (126, 377), "From about 126 to about 377 real train images"),
        ((NO, YES, NO, NO), BETWEEN, (126, 126), "With about 126 real train images"),
        ((YES, YES, YES, YES), EVERYWHERE, (63, 1257), "At every number tried, from about 63 to about 1,257"),
        ((YES, NO, YES, YES), SCATTERED, (None, None), "With about 63, 377 and 1,257 real train images"),
        ((NO, NO, NO, NO), NOWHERE, (None, None), "Not within what was tried, from about 63 to about 1,257"),
    ],
)
def test_the_range_in_which_synthetic_images_helped(
    outcomes: tuple[str, ...], outcome: str, ends: tuple[int | None, int | None], said: str
) -> None:
    """It is named by its ends where it is one range, and has its own words where it is none."""
    found = study_answer("images", points(*outcomes))
    assert (found.outcome, (found.from_images, found.to_images)) == (outcome, ends)
    assert found.sentence.startswith(said), found.sentence


@pytest.mark.parametrize("outcomes", [*product((HELPED, HURT, NO_EFFECT, COPIES), repeat=4)])
def test_no_range_holds_a_point_that_did_not_help(outcomes: tuple[str, ...]) -> None:
    """Every point from the one end to the other helped, and the points next to the ends did not."""
    tried = points(*outcomes)
    found = study_answer("images", tried)
    helped = [each.n_train for each in tried if each.headline.outcome == HELPED]
    assert found.helped_at == helped
    if found.from_images is not None and found.to_images is not None:
        within = [each.n_train for each in tried if found.from_images <= each.n_train <= found.to_images]
        assert within == helped
    else:
        assert found.outcome == (SCATTERED if helped else NOWHERE)
    # "on" reaches to the largest number tried, or it is not said
    assert (" on, adding" in found.sentence) == (found.outcome == FROM)
    assert found.outcome != FROM or found.to_images == 1257


def test_what_hurt_and_what_was_copied_is_said() -> None:
    """An answer of where it helped does not hide where it hurt, or a gain that is from copies."""
    found = study_answer("images", points(HURT, COPIES, YES, YES))
    assert found.sentence.startswith("From about 377 ")
    assert "It hurt with about 63." in found.sentence
    assert "A gain with about 126 does not count: it is from copies." in found.sentence
    assert found.hurt_at == [63]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (YES, "With about 377 real train images, the one number tried, adding synthetic images helped."),
        (NO, "Not within what was tried, about 377 real train images: "),
    ],
)
def test_one_point_alone(outcome: str, said: str) -> None:
    """It is no range."""
    assert study_answer("images", [point(377, outcome)]).sentence.startswith(said)
