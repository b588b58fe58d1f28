"""Run the coverage check: `python -m tests.checks.coverage`.

A line for each simulated kind of experiment, then what the promises are and in how many cells they hold. `--fits N`
makes N experiments with a real classifier and without a difference, in place of the simulated ones; `--classes` looks
at precision, recall and F1 of one class, `--metrics` at macro metrics and the area under the ROC curve, `--attributes`
at macro F1 of several attributes; `--until` ends experiments by the width of their interval. `--resplit N` makes N
experiments of each kind with random splits and a real classifier. Exits with 1 where a promise is broken by more than
three standard errors of the simulation, or is outside of the interval of a real classifier's share.
"""

import argparse
import math
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from shared.stats.intervals import wilson_interval
from shared.stats.looks import STRETCH
from tests.checks.coverage.cells import CELLS, Cell
from tests.checks.coverage.tally import Tally, tally

COVERAGE, FALSE = 0.92, 0.06
"""The promises: the least coverage of every cell, and the most false answers with `JUDGED` or more replicates."""

JUDGED = 5

MARGIN = 3.0
"""Standard errors of the simulation that a share may be beyond its promise."""

QUICK = ("n=360 R=5 acc=95 ", "n=360 R=3 acc=95 ")

WORST = 5
"""Cells that are named for each promise."""

HEADER = (
    f"{'images':>6} {'R':>3} {'acc':>5} {'gen':>4} {'fit':>4} {'dis':>4} {'diff':>4} {'pers':>4}"
    f" {'cover':>6} {'false':>6} {'half':>7} {'oracle':>7} {'excess':>6} {'level':>6}"
)


def margin(promise: float, runs: int) -> float:
    """Return how far the share of `runs` may be beyond its promise by chance."""
    return MARGIN * math.sqrt(promise * (1 - promise) / runs)


def row(found: Tally) -> str:
    """Return a cell's line: percentages, half-widths in points."""
    cell, false = found.cell, "" if found.false is None else f"{100 * found.false:.1f}"
    return (
        f"{cell.images:6d} {cell.replicates:3d} {100 * cell.accuracy:5.1f} {100 * cell.generator_sd:4.1f}"
        f" {100 * cell.fit_sd:4.1f} {100 * cell.disagreement:4.0f} {100 * cell.difference:4.0f}"
        f" {100 * cell.persistence:4.0f} {100 * found.covered:6.1f} {false:>6} {100 * found.half_width:7.2f}"
        f" {100 * found.oracle:7.2f} {100 * found.excess:+6.0f} {100 * found.level_covered:6.1f}"
    )


def promised(name: str, values: Sequence[tuple[float, str]], least: float | None, most: float | None) -> Iterator[str]:
    """Yield in how many of `values`, each with its cell, the promise holds, and the worst of those."""
    bound = most if least is None else least
    assert bound is not None
    holds = sum(value <= bound if least is None else value >= bound for value, _ in values)
    what = f"at most {100 * bound:g} %" if least is None else f"at least {100 * bound:g} %"
    mean = statistics.fmean(value for value, _ in values)
    yield f"{name} {what}: {holds} of {len(values)} cells, mean {100 * mean:.1f} %; worst:"
    for value, cell in sorted(values, reverse=least is None)[:WORST]:
        yield f"  {100 * value:.1f} %  {cell}"


def summary(tallies: Sequence[Tally]) -> tuple[list[str], bool]:
    """Return the last lines, and whether every promise is kept within the error of the simulation."""
    runs = tallies[0].runs
    covered = [(found.covered, found.cell.name) for found in tallies]
    levels: dict[str, list[float]] = defaultdict(list)
    for found in tallies:
        cell = found.cell
        levels[f"n={cell.images} R={cell.replicates} acc={100 * cell.accuracy:g}"].append(found.level_covered)
    # the worst of the kinds of experiment with these images, replicates and accuracy
    own = [(min(values), name) for name, values in levels.items()]
    lines = [
        *promised("coverage", covered, COVERAGE, None),
        *promised("coverage of one arm's own accuracy", own, COVERAGE, None),
    ]
    kept = all(value >= COVERAGE - margin(COVERAGE, runs) for value, _ in covered + own)
    for replicates in sorted({found.cell.replicates for found in tallies}):
        mine = [found for found in tallies if found.cell.replicates == replicates]
        false = [(found.false, found.cell.name) for found in mine if found.false is not None]
        excess = [found.excess for found in mine if not math.isnan(found.excess)]
        lines += promised(f"false answers with {replicates} replicates", false, None, FALSE) if false else []
        lines.append(
            f"width beyond the oracle's with {replicates} replicates: median {100 * statistics.median(excess):.0f} %,"
            f" largest {100 * max(excess):.0f} %"
        )
        if replicates >= JUDGED:
            kept &= all(value <= FALSE + margin(FALSE, runs) for value, _ in false)
    lines.append("every promise is kept" if kept else f"BROKEN by more than {MARGIN:g} standard errors")
    return lines, kept


def tallied(cells: Sequence[Cell], runs: int, processes: int) -> Iterable[Tally]:
    """Yield the tally of each cell, in their order."""
    if processes == 1:
        yield from map(partial(tally, runs=runs), cells)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(partial(tally, runs=runs), cells, chunksize=4)


def simulated(cells: Sequence[Cell], runs: int, processes: int) -> int:
    """Print the table and what it shows; return the exit code."""
    print(f"{len(cells)} kinds of experiment, {runs} runs each; percentages, widths in points", HEADER, sep="\n")
    tallies = []
    for found in tallied(cells, runs, processes):
        tallies.append(found)
        print(row(found), flush=True)
    lines, kept = summary(tallies)
    print(*lines, sep="\n")
    return 0 if kept else 1


def fitted(experiments: int) -> int:
    """Print the false answers of experiments with a real classifier; return the exit code."""
    from tests.checks.coverage.learner import REPLICATES, answers

    found = list(answers(experiments))
    false = sum(answer.low > 0 or answer.high < 0 for answer in found)
    low, high = wilson_interval(false, experiments)
    half_width = statistics.fmean(answer.high - answer.low for answer in found) / 2
    print(
        f"A/A, {REPLICATES} replicates of logistic regression on digits, true difference 0:"
        f" false answers {false} of {experiments} ({100 * false / experiments:.1f} %,"
        f" 95 % interval {100 * low:.1f} to {100 * high:.1f} %); mean half-width {100 * half_width:.2f} points"
    )
    return 1 if low > FALSE else 0


def classes(runs: int) -> int:
    """Print the coverage of the intervals of one class in each kind of experiment; return the exit code."""
    from tests.checks.coverage.classes import CLASS_CELLS, class_row, tally_classes

    print(f"{len(CLASS_CELLS)} kinds of experiment, {runs} runs each: coverage in % (half-width in points)")
    shares = []
    for cell in CLASS_CELLS:
        found = tally_classes(cell, runs)
        print(class_row(cell, found), flush=True)
        shares += [row.covered for row in found.values()]
    kept = min(shares) >= COVERAGE - margin(COVERAGE, runs)
    print(f"coverage from {100 * min(shares):.1f} %, mean {100 * statistics.fmean(shares):.1f} %")
    print("every promise is kept" if kept else f"BROKEN by more than {MARGIN:g} standard errors")
    return 0 if kept else 1


def stopping(runs: int, processes: int) -> int:
    """Print the coverage of experiments that were ended by the width of their interval; return the exit code."""
    from tests.checks.coverage import resplit as splits
    from tests.checks.coverage import stopping as until

    print(f"{len(until.STOPPING_CELLS)} kinds of experiment, {runs} runs each", until.STOPPING_HEADER, sep="\n")
    found = []
    with ProcessPoolExecutor(processes) as pool:
        for each in pool.map(partial(until.tally_stopping, runs=runs), until.STOPPING_CELLS):
            print(until.stopping_row(each), flush=True)
            found.append(each)
    covered, plain = ([share for each in found for share in getattr(each, name)] for name in ("covered", "unstretched"))
    false = [share for each in found if each.false is not None for share in each.false]
    kept = min(covered) >= until.NOMINAL - margin(until.NOMINAL, runs)
    kept &= max(false) <= 1 - until.NOMINAL + margin(1 - until.NOMINAL, runs)
    print(
        f"coverage after stopping from {100 * min(covered):.1f} %, mean {100 * statistics.fmean(covered):.1f} %; false"
        f" answers up to {100 * max(false):.1f} %, mean {100 * statistics.fmean(false):.1f} %; without the stretch of"
        f" {STRETCH:g} coverage from {100 * min(plain):.1f} %, mean {100 * statistics.fmean(plain):.1f} %"
    )
    for cell in until.NEEDS_CELLS:
        print(until.needs_images(cell, min(runs, 300))[0], flush=True)
    for points in until.LEARNER_POINTS:
        line, low = until.stopped_fits(min(runs, until.LEARNERS), points)
        kept &= low <= 1 - until.NOMINAL
        print(line, flush=True)
    for points in splits.STOPPED_AT:
        line, low = splits.stopped_row(min(runs, until.LEARNERS), points)
        kept &= low <= 1 - until.NOMINAL
        print(line, flush=True)
    print("every promise is kept" if kept else f"BROKEN by more than {MARGIN:g} standard errors")
    return 0 if kept else 1


def others(given: argparse.Namespace) -> int | None:
    """Run what is asked for in place of the simulated kinds of experiment; return the exit code, None for nothing."""
    if given.fits is not None:
        return fitted(given.fits)
    if given.until:
        return stopping(given.runs, given.processes)
    if given.classes:
        return classes(given.runs)
    if given.metrics:
        from tests.checks.coverage.metrics import metrics

        return metrics(given.runs, given.quick, COVERAGE - margin(COVERAGE, given.runs))
    if given.attributes:
        from tests.checks.coverage.attributes import attributes

        runs = given.runs
        return attributes(runs, given.quick, COVERAGE - margin(COVERAGE, runs), FALSE + margin(FALSE, runs))
    if given.resplit is not None:
        from tests.checks.coverage.resplit import resplit

        return resplit(given.resplit, COVERAGE, FALSE)
    return None


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2_000, help="experiments of each kind [default: 2000]")
    parser.add_argument(
        "--cells", metavar="TEXT", action="append", help="only cells with this in their names; repeatable"
    )
    parser.add_argument("--quick", action="store_true", help="few cells")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at once [default: all cores]")
    parser.add_argument("--fits", type=int, metavar="N", help="N experiments with a real classifier instead")
    parser.add_argument("--classes", action="store_true", help="the metrics of one class instead")
    parser.add_argument("--until", action="store_true", help="experiments that end by their width instead")
    parser.add_argument("--metrics", action="store_true", help="macro metrics and ROC-AUC instead")
    parser.add_argument("--attributes", action="store_true", help="macro F1 of several attributes instead")
    parser.add_argument("--resplit", type=int, metavar="N", help="N experiments of each kind of random splits instead")
    given = parser.parse_args(words)
    for name in ("runs", "processes", "fits", "resplit"):
        value = getattr(given, name)
        if value is not None and value < 1:
            parser.error(f"--{name} {value}, want 1 or more")
    code = others(given)
    if code is not None:
        return code
    wanted = given.cells or (QUICK if given.quick else [""])
    cells = [cell for cell in CELLS if any(text in cell.name for text in wanted)]
    if not cells:
        parser.error(f"no cell named like {given.cells}; one is {CELLS[0].name!r}")
    return simulated(cells, given.runs, given.processes)


if __name__ == "__main__":
    sys.exit(main())
