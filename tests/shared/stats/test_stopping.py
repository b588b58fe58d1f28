"""Adding replicates until an interval is narrow enough: looks, widths, what only more images can narrow."""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from shared.stats.inference import Inference
from shared.stats.intervals import difference_interval
from shared.stats.looks import FIRST, STRETCH, following, schedule
from shared.stats.stopping import of_splits, of_test_images, two_digits, widths
from shared.stats.two_way import Sums, variance_components
from tests.checks.coverage.resplit import MOST as MOST_SPLITS
from tests.checks.coverage.resplit import SET, STOPPED_AT, TEST, stopped_row, stopped_splits
from tests.checks.coverage.stopping import (
    AIMS,
    MOST,
    NEEDS_CELLS,
    STOPPING_CELLS,
    StoppingTally,
    needs_images,
    stopped_learners,
    tally_stopping,
)


def answers(replicates: int, images: int, seed: int = 0, of_images: float = 0.7) -> np.ndarray:
    """Return differences of -1, 0 and 1 (replicates, images), with effects of images."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(0, of_images, (1, images)) + rng.normal(0, 0.7, (replicates, images))
    return np.sign(np.round(latent / 2)).astype(float)


def test_the_looks_are_the_same_everywhere() -> None:
    """Five, then a quarter more each time, up to the most; the calibration holds for these alone."""
    assert list(schedule(100)) == [5, 7, 9, 12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 100]
    assert list(schedule(10)) == [5, 7, 9, 10]
    assert list(schedule(5)) == [5]
    assert [following(number, 12) for number in (5, 6, 9, 11, 12, 13)] == [7, 7, 12, 12, None, None]


def test_the_width_is_that_of_the_interval_that_is_printed() -> None:
    """Half of the stretched interval of the two-way model."""
    values = answers(7, 200)
    found, plain = of_test_images(values, 0.01), difference_interval(values)
    stretched = Inference(stretch=STRETCH).difference(values)
    assert found.half_width == pytest.approx((stretched.high - stretched.low) / 2)
    assert found.half_width == pytest.approx(STRETCH * (plain.high - plain.low) / 2)


def test_the_floor_is_what_test_images_leave() -> None:
    """Their component of the variance and that of the two added images, on as many degrees of freedom as images."""
    values = answers(6, 300, seed=1)
    component = variance_components(values).images
    with_added = np.concatenate([values, np.ones((6, 1)), -np.ones((6, 1))], axis=1)
    added = 6 * 2 - 6 * 302 * with_added.mean() ** 2 + 6 * 300 * values.mean() ** 2
    variance = component * 299 / 301 / 302 + added / 301 / (6 * 302)
    expected = STRETCH * stats.t.ppf(0.975, 301) * variance**0.5
    assert of_test_images(values, 0.01).floor == pytest.approx(expected)


def test_the_floor_is_not_that_of_one_replicates_images() -> None:
    """Images that are different in every replicate can be averaged out: nearly nothing of them remains."""
    noise = of_test_images(answers(12, 400, of_images=0.0), 0.01)
    same = of_test_images(np.repeat(answers(1, 400), 12, axis=0), 0.01)
    assert noise.floor < 0.5 * noise.half_width
    assert same.floor == pytest.approx(same.half_width, rel=0.05)


def test_more_replicates_approach_the_floor_and_do_not_pass_it() -> None:
    """With 100 replicates the half-width is within a tenth of the floor that 10 of them foresee."""
    values = answers(100, 500, seed=3)
    foreseen, reached = of_test_images(values[:10], 0.01), of_test_images(values, 0.01)
    assert reached.floor <= reached.half_width
    assert reached.half_width == pytest.approx(foreseen.floor, rel=0.1)
    assert foreseen.half_width > 1.05 * foreseen.floor


def test_as_many_images_bring_half_of_the_variance() -> None:
    """With the number that is told, images leave a floor of the wanted width over the square root of 2."""
    wanted = 0.5 * of_test_images(answers(5, 200, seed=4), 0.01).floor
    needs = of_test_images(answers(5, 200, seed=4), wanted).needs_images
    assert needs is not None
    # the same images over and over: their component is as it was
    more = np.tile(answers(5, 200, seed=4), (1, round(needs / 200)))
    assert of_test_images(more, wanted).floor == pytest.approx(wanted / 2**0.5, rel=0.05)


def test_random_splits_leave_what_their_overlap_leaves() -> None:
    """The variance of the means times test over train, on infinitely many degrees of freedom; no number of images."""
    values = answers(8, 150, seed=5)
    inference = Inference(stretch=STRETCH, test_over_train=0.25)
    interval = inference.difference(values)
    found = of_splits(interval, 8, 0.25)
    assert found.half_width == pytest.approx((interval.high - interval.low) / 2)
    assert found.floor == pytest.approx(
        STRETCH * 1.959964 * (0.25 * interval.standard_error**2 / (1 / 8 + 0.25)) ** 0.5
    )
    assert found.needs_images is None


@pytest.mark.parametrize(("number", "rounded"), [(7, 7), (99, 99), (100.1, 110), (1234, 1300), (56001, 57000)])
def test_numbers_are_rounded_up(number: float, rounded: int) -> None:
    """To two digits: no more of them are known."""
    assert two_digits(number) == rounded


WORST = (
    "n=10000 R=30 acc=80 gen=0.6 fit=0 dis=1 diff=0 per=20",
    "n=2000 R=30 acc=80 gen=0.6 fit=0.3 dis=10 diff=1 per=20",
    "n=360 R=30 acc=80 gen=0 fit=0.3 dis=10 diff=0 per=80",
)


@cache
def tallied(name: str) -> StoppingTally:
    """Return the tally of the committed cell of this name."""
    cell = next(cell for cell in STOPPING_CELLS if cell.name == name)
    return tally_stopping(cell, 200 if cell.images == 10_000 else 400)


@pytest.mark.parametrize("name", WORST)
def test_intervals_hold_the_truth_after_stopping(name: str) -> None:
    """At every wanted width, to within three standard errors of 95 %."""
    found = tallied(name)
    least = 0.95 - 3 * (0.95 * 0.05 / found.runs) ** 0.5
    assert min(found.covered) >= least
    assert max(found.false or (0.0,)) <= 1 - least
    assert found.replicates[0] < found.replicates[-1] <= MOST
    assert len(found.covered) == len(AIMS)


def test_without_the_stretch_they_do_not() -> None:
    """Replicates are nearly all of the variance: looking at a width that is estimated from few costs coverage."""
    found = tallied(WORST[0])
    assert sum(found.unstretched) / len(AIMS) < 0.94 < 0.945 <= sum(found.covered) / len(AIMS)


def test_the_number_of_test_images_that_is_told_is_about_right() -> None:
    """Most experiments that want less than their images leave say so at the first look; with N they get there."""
    line, told, reached = needs_images(NEEDS_CELLS[0], 60)
    assert told > 0.9
    assert reached > 0.9
    assert "needs about N test images" in line


def test_real_classifiers_are_ended_by_the_rule() -> None:
    """Few experiments without a difference: some go on after the first look, few give a false answer."""
    found = list(stopped_learners(8, 3.0))
    assert {replicates for _, _, replicates in found} > {FIRST}
    assert all(high - low <= 0.06 or replicates == MOST for low, high, replicates in found)
    assert sum(low > 0 or high < 0 for low, high, _ in found) <= 2
    assert found[:2] == list(stopped_learners(2, 3.0))


def test_random_splits_are_ended_by_the_rule() -> None:
    """Few experiments without a difference: they end where the width says, and intervals are as wide as is said."""
    found = list(stopped_splits(6, STOPPED_AT[0]))
    assert len({each.replicates for each in found}) > 1
    assert all(each.replicates in schedule(MOST_SPLITS) for each in found)
    for each in found:
        wide, narrow = each.interval.high - each.interval.low, each.plain.high - each.plain.low
        assert wide == pytest.approx(STRETCH * narrow)
        floor = of_splits(each.interval, each.replicates, TEST / (SET - TEST)).floor
        assert wide / 2 <= STOPPED_AT[0] / 100 or floor > STOPPED_AT[0] / 100 or each.replicates == MOST_SPLITS
    assert sum(each.interval.low > 0 or each.interval.high < 0 for each in found) <= 1
    assert found[:2] == list(stopped_splits(2, STOPPED_AT[0]))
    line, low = stopped_row(2, STOPPED_AT[0])
    assert "random splits of 400 digits, ended at 8 points, true difference 0: covered" in line
    assert 0 <= low <= 1


def test_many_experiments_at_once_are_as_one_at_a_time() -> None:
    """The simulation's widths are those of the experiment."""
    several = np.stack([answers(5, 100, seed=seed) for seed in range(3)])
    found = widths(Sums.of(several))
    for place, values in enumerate(several):
        alone = of_test_images(values, 0.01)
        assert (found.half_width[place], found.floor[place]) == pytest.approx((alone.half_width, alone.floor))
