"""A small part of `python -m tests.checks.coverage`: intervals hold what they promise, and the check itself is right.

Seeds are fixed, so that every share is the same on each run.
"""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.checks.coverage.__main__ import COVERAGE, FALSE, JUDGED, main, margin, row, summary
from tests.checks.coverage.cells import CELLS, Cell
from tests.checks.coverage.learner import answers
from tests.checks.coverage.simulation import experiments
from tests.checks.coverage.tally import Tally, tally

RUNS = 400

NAMES = (
    # replicates are most of the variance: dropping them, or 1.96 in place of Student's t, covers too little
    "n=2000 R=3 acc=80 gen=0.6 fit=0 dis=1 diff=0 per=20",
    "n=2000 R=5 acc=80 gen=0.6 fit=0.3 dis=1 diff=0 per=20",
    "n=2000 R=10 acc=50 gen=0.4 fit=0.3 dis=10 diff=0 per=20",
    "n=10000 R=3 acc=80 gen=0.6 fit=0.3 dis=1 diff=1 per=80",
    # images are
    "n=360 R=5 acc=95 gen=0 fit=0 dis=10 diff=1 per=80",
    "n=2000 R=5 acc=99 gen=0.2 fit=0 dis=1 diff=0 per=80",
    "n=360 R=3 acc=50 gen=0 fit=0 dis=10 diff=0 per=20",
    # few images: often the arms disagree on none, or all answers are right
    "n=60 R=3 acc=99 gen=0 fit=0 dis=1 diff=1 per=80",
    "n=60 R=5 acc=99.5 gen=0 fit=0 dis=1 diff=1 per=80",
    "n=360 R=10 acc=99.5 gen=0 fit=0 dis=1 diff=0 per=20",
)


def cell_named(name: str) -> Cell:
    """Return the committed cell of this name."""
    return next(cell for cell in CELLS if cell.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_intervals_hold_what_they_promise(name: str) -> None:
    """The truth is covered in 92 %, of the difference and of one arm's accuracy; false answers are 6 % at most."""
    found = tally(cell_named(name), RUNS)
    assert found.covered >= COVERAGE - margin(COVERAGE, RUNS)
    assert found.level_covered >= COVERAGE - margin(COVERAGE, RUNS)
    if found.false is not None and found.cell.replicates >= JUDGED:
        assert found.false <= FALSE + margin(FALSE, RUNS)


def test_intervals_are_no_wider_than_they_must_be() -> None:
    """Where images are most of the variance the width is the oracle's to within 10 %: no coverage by sheer width."""
    assert abs(tally(cell_named("n=2000 R=10 acc=80 gen=0 fit=0 dis=10 diff=0 per=80"), RUNS).excess) < 0.1


def test_the_truth_of_the_simulation() -> None:
    """Means over 400 experiments of 2,000 images are the cell's numbers, to within four standard errors."""
    cell = cell_named("n=2000 R=5 acc=80 gen=0.6 fit=0.3 dis=10 diff=1 per=20")
    differences, levels = experiments(cell, RUNS, seed=1)
    for found, truth in ((differences.mean, 0.01), (levels.mean, 0.805)):
        assert found.mean() == pytest.approx(truth, abs=4 * found.std() / RUNS**0.5)
    # the arms disagree on 10 % of the images, a replicate's difference varies by all three effects
    assert differences.squares.mean() / (2000 * 5) == pytest.approx(0.1, rel=0.01)
    of_replicates = differences.of_replicates / 2000
    expected = 0.006**2 + 2 * 0.003**2 + 0.1 / 2000
    assert of_replicates.var(axis=1, ddof=1).mean() == pytest.approx(expected, rel=0.15)


def test_images_that_persist_are_alike_in_every_replicate() -> None:
    """With a persistence of 1 and no effects each image has one answer; with 0 its answers are independent."""
    cell = cell_named("n=360 R=5 acc=80 gen=0 fit=0 dis=10 diff=0 per=20")
    kept, _ = experiments(replace(cell, persistence=1.0), 50, seed=0)
    assert kept.image_squares == pytest.approx(5 * kept.squares)
    assert (kept.of_replicates == kept.of_replicates[:, :1]).all()
    new, _ = experiments(replace(cell, persistence=0.0), 200, seed=0)
    assert new.image_squares.mean() == pytest.approx(new.squares.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("changed", "feasible"),
    [
        ({}, True),
        ({"difference": 0.02}, False),  # more than the disagreement
        ({"accuracy": 0.996}, False),  # an arm cannot be wrong where the other alone is right
        ({"accuracy": 0.99, "generator_sd": 0.006}, False),  # the best replicates would be right more than always
    ],
)
def test_a_cell_must_be_feasible(changed: dict[str, float], feasible: bool) -> None:
    """Disagreement holds the difference, errors hold the disagreement and every effect."""
    cell = cell_named("n=60 R=3 acc=99.5 gen=0 fit=0 dis=1 diff=0 per=20")
    assert replace(cell, **changed).feasible is feasible  # type: ignore[arg-type]


def test_a_broken_promise_is_said() -> None:
    """Too little coverage, or too many false answers with 5 replicates; 3 replicates are reported alone."""
    kept = Tally(
        cell_named(NAMES[1]), 2000, covered=0.95, false=0.05, half_width=0.02, oracle=0.018, level_covered=0.95
    )
    three = replace(kept, cell=cell_named(NAMES[0]))
    assert summary([kept, three])[1]
    assert summary([replace(three, false=0.079, covered=0.921)])[1]
    assert summary([replace(kept, covered=0.91)])[1]  # within the error of 2,000 runs
    for broken in (replace(kept, covered=0.90), replace(kept, false=0.08), replace(kept, level_covered=0.90)):
        lines, holds = summary([kept, broken])
        assert not holds
        assert lines[-1].startswith("BROKEN")
    assert "coverage at least 92 %: 1 of 2 cells, mean 92.5 %; worst:" in summary([kept, replace(kept, covered=0.9)])[0]


def test_the_command_prints_a_line_for_each_cell(capsys: pytest.CaptureFixture[str]) -> None:
    """Cells are chosen by part of their names; the table's numbers are those of the tally."""
    assert main(["--cells", NAMES[4], "--cells", NAMES[6], "--runs", "40", "--processes", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("2 kinds of experiment, 40 runs each")
    assert set(printed[2:4]) == {row(tally(cell_named(NAMES[place]), 40)) for place in (4, 6)}
    assert printed[-1] == "every promise is kept"


@pytest.mark.parametrize("words", [["--cells", "n=61 "], ["--runs", "0"], ["--fits", "0"]])
def test_what_cannot_be_checked_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No such cell, no runs."""
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "want 1 or more" in (error := capsys.readouterr().err) or "no cell" in error


def test_equal_arms_of_a_real_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty experiments without a difference: answers of different experiments differ, few of them are false."""
    assert main(["--fits", "20"]) == 0
    said = re.search(r"false answers (\d+) of 20 ", capsys.readouterr().out)
    assert said
    assert int(said[1]) <= 3
    first, second = answers(2)
    assert first.mean != second.mean
    assert next(answers(1)) == first
    assert np.sign(first.low) != np.sign(first.high)
