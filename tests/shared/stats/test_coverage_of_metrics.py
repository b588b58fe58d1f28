"""A small part of `python -m tests.checks.coverage --metrics` and `--resplit`; seeds are fixed."""

from dataclasses import replace

import numpy as np
import pytest

from shared.stats.intervals import SHARE, weighted_share
from tests.checks.coverage.__main__ import COVERAGE, FALSE, main, margin
from tests.checks.coverage.metrics import METRIC_CELLS, METRICS, QUICK_METRICS, outcome_of, tally_metrics, truths
from tests.checks.coverage.resplit import CORRECTED, SET, TEST, answers, resplit, tallies

RUNS, EXPERIMENTS = 150, 40


@pytest.mark.parametrize("cell", [QUICK_METRICS[0], QUICK_METRICS[4]], ids=lambda cell: cell.name)
def test_intervals_of_macro_metrics_hold_the_truth(cell: object) -> None:
    """Also with five images of one class, all of which are right in many experiments."""
    for name, found in tally_metrics(cell, RUNS).items():  # type: ignore[arg-type]
        assert found.covered >= COVERAGE - margin(COVERAGE, RUNS), name


def test_the_truth_of_the_metrics() -> None:
    """Classes of one size are recalled alike, so that accuracy and balanced accuracy are the cell's number."""
    cell = next(cell for cell in METRIC_CELLS if cell.sizes == (100, 100) and cell.accuracy == 0.95 and cell.spread)
    true = truths(cell, np.random.default_rng(0))
    for name in METRICS[:-1]:
        assert true[name] == pytest.approx(0.95, abs=0.002)
    # two normal scores with the signal s between them: Phi(s / 2^0.5) is right, and the area is Phi(s)
    assert true["roc_auc"] == pytest.approx(0.990, abs=0.002)


def test_what_persists_is_alike_in_every_replicate() -> None:
    """Answers of two replicates agree more often than their accuracy alone would make them."""
    truth = np.repeat([0, 1], 2_000)
    made = outcome_of(truth, np.asarray([0.8, 0.8]), 2, np.random.default_rng(0))
    first, second = made.correct
    assert (first == second).mean() > 0.8**2 + 0.2**2 + 0.1
    assert made.correct.mean() == pytest.approx(0.8, abs=0.02)


def test_equal_weights_change_nothing_and_unequal_ones_cost_freedom() -> None:
    """Of 5 and 100 images in two classes the variance has the freedom of little more than 5."""
    assert weighted_share(np.full(30, 0.7)) == SHARE
    scale = weighted_share(np.repeat([105 / 10, 105 / 200], [5, 100]))
    assert scale.freedom is not None
    assert 4 < scale.freedom < 6
    assert sum(scale.added) == pytest.approx(1)
    assert max(scale.added) > 2
    with pytest.raises(ValueError, match="want some above 0"):
        weighted_share(np.zeros(3))


def test_the_command_prints_every_metric(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each kind of experiment, then where coverage is lowest; too little of it ends with 1."""
    small = replace(QUICK_METRICS[0], sizes=(20, 20))
    monkeypatch.setattr("tests.checks.coverage.metrics.QUICK_METRICS", (small,))
    assert main(["--metrics", "--quick", "--runs", "20"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].startswith(small.name)
    assert [line.partition(":")[0] for line in printed[3:-1]] == list(METRICS)
    monkeypatch.setattr("tests.checks.coverage.__main__.margin", lambda *_: -1.0)
    assert main(["--metrics", "--quick", "--runs", "20"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("BROKEN")


def test_corrected_intervals_hold_the_truth_of_random_splits() -> None:
    """Other sets, five splits each: the correction is needed, and enough."""
    helps, equal = tallies(list(answers(EXPERIMENTS, 5)))
    assert 0.01 < helps.truth < 0.06
    assert equal.truth == 0
    assert equal.false is not None
    for found in (helps, equal):
        assert found.covered >= (COVERAGE - margin(COVERAGE, EXPERIMENTS)) * EXPERIMENTS
    assert helps.plain < helps.covered
    assert equal.false <= (FALSE + margin(FALSE, EXPERIMENTS)) * EXPERIMENTS


def test_splits_differ_and_sets_are_those_of_the_experiment() -> None:
    """Equal seeds give equal answers; another replicate has other test images, and with one set only splits differ."""
    first, again = next(answers(1, 2)), next(answers(1, 2))
    assert np.array_equal(first, again)
    assert first.shape == (2, 3, TEST)
    assert not np.array_equal(first[0], first[1])
    one, other = answers(2, 1, one_set=True)
    assert not np.array_equal(one, other)
    assert CORRECTED.test_over_train == TEST / (SET - TEST)


def test_the_table_of_splits(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both questions for other sets and for one; a promise that no experiment keeps is said to be broken."""
    monkeypatch.setattr("tests.checks.coverage.resplit.REPLICATES", (3,))
    assert resplit(4, 0.2, 0.9) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in printed[2:6]] == [
        [sets, "3", question] for sets in ("others", "one") for question in ("helps", "equal")
    ]
    assert resplit(4, 1.1, 0.9) == 1
