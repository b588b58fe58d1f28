"""What a time budget buys: every choice follows from a few numbers."""

import pytest

from jobs.commands.running.budget import (
    LEAST_REPLICATES,
    NARROWEST,
    RESERVE,
    Asked,
    Costs,
    Plan,
    Times,
    Work,
    choose,
    fit_steps,
    least,
    minutes_for,
    said,
    usable_s,
)

EMOJI = Plan(epochs=100, every=5, width=16, replicates=5)
ROUND = Costs({16: 10.0, 8: 4.0}, snapshot_s=5.0, replicate_s=200.0, once_s=60.0, abreast=2, one_thread=True)
"""A GAN of 100 epochs takes 1,000 seconds, its 20 snapshots 100, all else 200; two replicates run at once."""


def chosen(seconds: float, asked: Asked | None = None, costs: Costs = ROUND) -> Plan | None:
    """Return the choice, which must be done in time."""
    plan = choose(seconds, costs, asked or Asked(EMOJI))
    assert plan is None or costs.of(plan) <= seconds
    return plan


@pytest.mark.parametrize(
    ("replicates", "abreast", "processes", "one_thread", "rounds"),
    [
        (5, 1, 0, True, 5.0),
        (3, 2, 0, True, 1.5),  # three on two cores: one more at a time, each slower
        (4, 2, 0, True, 2.0),
        (5, 2, 0, True, 2.5),
        (5, 2, 0, False, 3.0),  # with more threads each the last one has cores to itself
        (3, 16, 0, True, 1.0),
        (5, 2, 1, True, 5.0),
        (4, 2, 4, True, 2.0),
    ],
)
def test_replicates_share_cores(replicates: int, abreast: int, processes: int, one_thread: bool, rounds: float) -> None:
    """The time of all, in times of one, is that of the rule by which a job starts processes."""
    costs = Costs({16: 1.0}, 0.0, 0.0, 0.0, abreast, processes, one_thread)
    assert costs.rounds(replicates) == rounds


def test_the_whole_plan_is_done_where_there_is_time() -> None:
    """Never more than the recipe has."""
    assert ROUND.of(EMOJI) == 60 + 2.5 * 1300
    assert chosen(1e9) == EMOJI
    assert chosen(ROUND.of(EMOJI)) == EMOJI


def test_replicates_go_first_then_epochs_then_width() -> None:
    """Three replicates at least; a quarter of the epochs before narrower networks, a tenth at least."""
    assert chosen(ROUND.of(EMOJI) - 1) == Plan(100, 5, 16, 4)
    assert chosen(2100.0) == Plan(100, 5, 16, 3)
    assert chosen(1300.0) == Plan(53, 3, 16, 3)
    assert chosen(710.0) == Plan(35, 2, 8, 3)
    assert chosen(500.0) == Plan(10, 1, 8, 3)
    assert chosen(400.0) is None
    assert least(ROUND, Asked(EMOJI)) == Plan(10, 1, 8, 3)


def test_more_time_never_buys_less() -> None:
    """Over a range of budgets the epochs at a width and the replicates only grow."""
    plans = [plan for seconds in range(400, 4000, 7) if (plan := chosen(float(seconds)))]
    ranks = [(plan.replicates, plan.width, plan.epochs) for plan in plans]
    assert ranks == sorted(ranks)
    assert {plan.replicates for plan in plans} == {3, 4, 5}
    assert {plan.width for plan in plans} == {8, 16}


@pytest.mark.parametrize(
    ("given", "plan"),
    [
        ({"epochs"}, Plan(100, 5, 8, 3)),
        ({"width"}, Plan(53, 3, 16, 3)),
        ({"every"}, Plan(56, 5, 16, 3)),
        ({"replicates"}, Plan(51, 3, 8, 5)),
    ],
)
def test_what_is_given_stays(given: set[str], plan: Plan) -> None:
    """An explicit option wins; the rest is chosen around it."""
    taken = chosen(1300.0, Asked(EMOJI, given))
    assert taken is not None
    assert all(getattr(taken, name) == getattr(EMOJI, name) for name in given)
    assert taken == plan


def test_fewer_replicates_than_three_are_made_only_where_they_are_given() -> None:
    """A recipe of one replicate is not the choice of who names a budget."""
    one = Plan(100, 5, 16, 1)
    assert chosen(1e9, Asked(one)) == Plan(100, 5, 16, LEAST_REPLICATES)
    assert chosen(1e9, Asked(one, {"replicates"})) == one


def test_narrow_networks_are_not_halved() -> None:
    """No width below NARROWEST is chosen."""
    assert Asked(Plan(40, 5, 2 * NARROWEST - 1, 5)).widths == [2 * NARROWEST - 1]
    assert Asked(Plan(40, 5, 64, 5)).widths == [64, 32, 16, 8]


def test_the_slowest_process_counts() -> None:
    """A run ends with its last process."""
    fast, slow = Times({8: 1.0, 16: 5.0}, 1.0, 2.0, 3.0, 4.0), Times({8: 2.0, 16: 4.0}, 2.0, 1.0, 1.0, 9.0)
    assert Times.slowest([fast, slow]) == Times({8: 2.0, 16: 5.0}, 2.0, 2.0, 3.0, 9.0)


def test_costs_grow_with_the_work() -> None:
    """Each number of the work adds to what a plan takes."""
    times, work = Times({16: 1.0}, 0.01, 0.02, 0.001, 3.0), Work(1000, 5, 400, 2000, 1257)
    plan = Plan(40, 5, 16, 5)
    costs = Costs.from_times(times, work, 2, 0, one_thread=True)
    for name, value in vars(work).items():
        more = Costs.from_times(times, Work(**vars(work) | {name: 2 * value}), 2, 0, one_thread=True)
        assert more.of(plan) > costs.of(plan), name


@pytest.mark.parametrize(
    ("steps", "patience", "expected"),
    [
        (1500, 8, 1525),  # it improves until step 1,125, then waits for eight measurements
        (400, 8, 700),
        (1500, 2, 1500),  # one that stops early goes on for its control
        (20, 8, 200),
        (400, 0, 4000),
    ],
)
def test_a_fit_takes_steps_until_it_stops(steps: int, patience: int, expected: int) -> None:
    """With measurements every 50 steps, and ten times the recipe's steps at most."""
    assert fit_steps(steps, 10 * steps, patience, 50) == expected


def test_the_least_budget_that_is_named_is_enough() -> None:
    """Who follows the refusal is not refused again, nor could less be asked for."""
    smallest = ROUND.of(least(ROUND, Asked(EMOJI)))
    minutes = minutes_for(smallest, elapsed_s=30.0)
    assert chosen(usable_s(minutes, 30.0)) is not None
    assert chosen(usable_s(minutes - 1, 30.0)) is None
    assert usable_s(10.0) == pytest.approx(600 * (1 - RESERVE))


def test_what_more_time_buys_is_said() -> None:
    """The choice, then the budgets of the same replicates whole, and of the whole recipe."""
    plan = chosen(1300.0)
    assert plan is not None
    first, second = said(26.0, plan, ROUND, Asked(EMOJI))
    assert first == (
        "--minutes 26: 3 replicates, GANs of width 16 for 53 epochs; about 22 minutes on 2 processes at a time"
    )
    assert second == (
        "more time buys: --minutes 40: 3 replicates, GANs of width 16 for 100 epochs; "
        "--minutes 65: 5 replicates, GANs of width 16 for 100 epochs"
    )
    assert "all the recipe has" in said(90.0, EMOJI, ROUND, Asked(EMOJI))[1]
