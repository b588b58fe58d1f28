"""What the verdict says of an experiment that adds replicates until its interval is narrow enough."""

from typing import Any

import numpy as np
import pytest

from jobs.train_mixed.experiment import WIDER, interval_words
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.stopping import seen_replicates, stopped_for, with_width
from shared.errors import BadConfig
from shared.stats.inference import Inference
from shared.stats.looks import IMAGES, MINUTES, REPLICATES, STRETCH, TEST_IMAGES, WIDTH
from shared.stats.stopping import Width, of_test_images
from shared.store.records.mixed import MixedRecord
from shared.store.records.mixed_protocol import MixedProtocol
from tests.jobs.train_mixed.planted import HEADLINE, Array, headline, outcome_of, pair, right

INFERENCE = Inference(stretch=STRETCH)


def judged(hits: tuple[Array, Array], until: float, ended: str = "no", inference: Inference = INFERENCE) -> MixedRecord:
    """Return the record of the headline's two arms, whose replicates were added until a half-width."""
    outcomes = dict(zip(HEADLINE, map(outcome_of, hits), strict=True))
    record = pair(*outcomes.values())
    record = record.model_copy(update={"protocol": record.protocol.model_copy(update={"until": until})})
    return with_width(record, outcomes, inference, ended)


def arms(gain: float = 0.0, replicates: int = 5, images: int = 400, same: bool = False) -> tuple[Array, Array]:
    """Return the hits of two arms; with `same` each image is as difficult in every replicate."""
    rng = np.random.default_rng(1)
    # replicates differ by 3 points, far more than the answers to 400 images do by chance
    levels = 0.75 + np.array([[gain], [0.0]]) + 0.03 * rng.standard_normal((2, replicates))
    a, b = (rng.random((2, replicates, images)) < levels[:, :, None]).astype(float)
    return (np.repeat(a[:1], replicates, axis=0), np.repeat(b[:1], replicates, axis=0)) if same else (a, b)


def test_an_interval_that_is_narrow_enough_ends_it() -> None:
    """The half-width is that of the interval that is printed; nothing more is needed."""
    hits = arms()
    found = of_test_images(hits[0] - hits[1], 0.2)
    record = judged(hits, until=found.half_width)
    assert record.protocol.stopped_for == WIDTH
    assert (record.protocol.half_width, record.protocol.floor) == pytest.approx((found.half_width, found.floor))
    assert headline(record).needs_test_images is None
    assert judged(hits, until=0.999 * found.half_width).protocol.stopped_for is None


def test_the_width_alone_decides() -> None:
    """However clear the answer is: looking at it would find effects where there are none."""
    for gain in (0.0, 0.19):
        hits = arms(gain)
        found = of_test_images(hits[0] - hits[1], 0.2)
        assert judged(hits, until=0.99 * found.half_width).protocol.stopped_for is None
        assert judged(hits, until=1.01 * found.half_width).protocol.stopped_for == WIDTH


def test_fewer_than_five_replicates_never_end_it() -> None:
    """Their variances are too uncertain for any width."""
    assert judged(arms(replicates=4), until=0.9).protocol.stopped_for is None
    assert judged(arms(replicates=5), until=0.9).protocol.stopped_for == WIDTH
    assert judged(arms(replicates=4, same=True), until=0.001).protocol.stopped_for is None


def test_what_only_test_images_can_narrow_ends_it() -> None:
    """Where the same images are difficult in every replicate, no number of replicates helps."""
    record = judged(arms(same=True), until=0.02)
    assert record.protocol.stopped_for == TEST_IMAGES
    assert record.protocol.floor is not None
    assert record.protocol.floor > 0.02
    needs = headline(record).needs_test_images
    # half of the variance of that width: 400 images times (floor / 0.02)^2 times 2
    assert needs == pytest.approx(2 * 400 * (record.protocol.floor / 0.02) ** 2, rel=0.05)
    assert judged(arms(), until=0.015).protocol.stopped_for is None


@pytest.mark.parametrize("ended", [REPLICATES, MINUTES])
def test_what_else_has_ended_it_is_said_where_the_width_has_not(ended: str) -> None:
    """The answers come first: an interval that is narrow enough was not cut short."""
    assert judged(arms(), until=0.015, ended=ended).protocol.stopped_for == ended
    assert judged(arms(), until=0.9, ended=ended).protocol.stopped_for == WIDTH
    assert judged(arms(same=True), until=0.02, ended=ended).protocol.stopped_for == TEST_IMAGES
    assert headline(judged(arms(), until=0.015, ended=ended)).needs_test_images is None


def test_random_splits_are_ended_by_what_all_of_them_share() -> None:
    """More splits of the same images leave their overlap: more images are needed, and how many is not known."""
    inference = Inference(stretch=STRETCH, test_over_train=0.25)
    hits = arms()
    interval = inference.difference(hits[0] - hits[1])
    reach = (interval.high - interval.low) / 2
    assert judged(hits, until=1.01 * reach, inference=inference).protocol.stopped_for == WIDTH
    record = judged(hits, until=reach / 10, inference=inference)
    assert record.protocol.stopped_for == IMAGES
    assert headline(record).needs_test_images is None


def test_a_width_that_equals_the_floor_goes_on() -> None:
    """It can be approached; below it nothing can."""
    protocol = judged(arms(), until=0.015).protocol
    assert stopped_for(Width(0.08, 0.015, 100), protocol, INFERENCE) is None
    assert stopped_for(Width(0.08, 0.0151, 100), protocol, INFERENCE) == TEST_IMAGES


def protocol(replicates: int, **changed: Any) -> MixedProtocol:
    """Return the protocol of a result with this number of replicates."""
    return pair(outcome_of(right(0.9)), outcome_of(right(0.8))).protocol.model_copy(
        update={"replicates": replicates, "planned": replicates, **changed}
    )


@pytest.mark.parametrize(
    ("before", "until", "now", "seen"),
    [
        (None, 0.01, 5, None),
        (None, None, 5, None),
        # the same rule, from its first look on
        (protocol(5, until=0.01), 0.01, 7, None),
        (protocol(9, until=0.01), 0.01, 5, None),
        # an answer was seen before the rule began, and so it remains
        (protocol(5), 0.01, 7, 5),
        (protocol(7, until=0.01, planned=5, added=2, seen_replicates=5), 0.01, 9, 5),
        # another width
        (protocol(9, until=0.02), 0.01, 12, 9),
        (protocol(9, until=0.01), 0.02, 5, 9),
        # the rule found the number, and the interval no longer allows for that
        (protocol(9, until=0.01), None, 9, 5),
        (protocol(9, until=0.01), None, 12, 5),
        (protocol(5, until=0.01), None, 5, 5),
        # some are left out
        (protocol(9, until=0.01), None, 5, 9),
        # as ever without the rule
        (protocol(3), None, 8, 3),
        (protocol(8, planned=3, added=5), None, 9, 3),
    ],
)
def test_an_answer_that_was_seen_under_another_rule_counts(
    before: MixedProtocol | None, until: float | None, now: int, seen: int | None
) -> None:
    """Only looks of one rule, with one width, are allowed for by its intervals."""
    assert seen_replicates(before, until, now) == seen


def test_the_protocol_says_that_intervals_are_wider() -> None:
    """With the rule, and only with it."""
    wider = MixedOptions(until=1.0)
    assert "20 % wider" in WIDER
    for over_splits in (False, True):
        plain = interval_words(5, over_splits, MixedOptions())
        assert "wider" not in plain
        assert interval_words(5, over_splits, wider) == plain + WIDER


def test_a_width_is_that_of_the_headline() -> None:
    """Arms without it are refused, in words; any that have it are taken."""
    with pytest.raises(BadConfig, match="--arms curve lacks an arm"):
        MixedOptions(until=0.5, arms="curve")
    assert MixedOptions(until=0.5, arms="judge").until == 0.5
    assert MixedOptions(arms="curve").until == 0
