"""Coverage after stopping: simulated experiments to which replicates are added until their interval is narrow enough.

Each kind of experiment is ended by several wanted half-widths, those that half of its runs have at one of AIMS looks.
Most undercoverage comes from runs whose width is estimated too small early on; a wanted width that is reached at the
first look by all, or at the last by none, leaves nothing to chance.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from shared.stats.intervals import DIFFERENCE, wilson_interval
from shared.stats.looks import FIRST, STRETCH, schedule
from shared.stats.stopping import images_needed, of_test_images, two_digits, widths
from tests.checks.coverage.cells import Cell
from tests.checks.coverage.learner import Pair
from tests.checks.coverage.simulation import CHUNK, growing

Array = NDArray[np.float64]

AIMS = (5, 7, 9, 12, 15, 19)
"""Looks at which half of the runs would end."""

MOST = 30
"""Replicates at most: an experiment that is ended by their number is one whose number is given."""

NOMINAL = 0.95

LEARNERS = 400
"""Experiments with a real classifier at most."""

LEARNER_POINTS = (3.0, 2.0)
"""Half-widths, in points, that end the experiments with a real classifier: some at the first look, most later."""

STOPPING_CELLS = tuple(
    Cell(images, MOST, 0.8, *values)
    for images in (360, 2_000, 10_000)
    for values in product((0.0, 0.006), (0.0, 0.003), (0.01, 0.10), (0.0, 0.01), (0.2, 0.8))
)
"""Accuracies are those of both arms: differences know nothing of them."""


@dataclass(frozen=True)
class Seen:
    """What each run of a cell shows at each look, (looks, runs): centre, half-width and floor of the interval."""

    centre: Array
    half_width: Array
    floor: Array


def seen(cell: Cell, runs: int, looks: Sequence[int], stretch: float = STRETCH) -> Seen:
    """Simulate a cell up to its last look; its draws depend on its name alone."""
    rng = np.random.default_rng(zlib.crc32(cell.name.encode()))
    size = max(CHUNK // cell.images, 1)
    parts = []
    for start in range(0, runs, size):
        rows = []
        for sums, _ in growing(cell, min(size, runs - start), rng, looks):
            found = widths(sums, stretch=stretch)
            rows.append((sums.with_images(DIFFERENCE.added).mean, found.half_width, found.floor))
        parts.append(np.asarray(rows))
    whole = np.concatenate(parts, axis=2)
    return Seen(whole[:, 0], whole[:, 1], whole[:, 2])


@dataclass(frozen=True)
class Ended:
    """The look at which each run ended, (runs,), whether its interval is narrow enough, whether it lacks images."""

    look: NDArray[np.int64]
    narrow: NDArray[np.bool_]
    lacks_images: NDArray[np.bool_]


def ended(found: Seen, wanted: float) -> Ended:
    """Return where the rule ends each run: its first look that is narrow enough, or that only images can narrow."""
    narrow = found.half_width <= wanted
    lacks = ~narrow & (found.floor > wanted)
    stops = narrow | lacks
    stops[-1] = True
    look = stops.argmax(axis=0)
    runs = np.arange(look.size)
    return Ended(look, narrow[look, runs], lacks[look, runs])


@dataclass(frozen=True)
class StoppingTally:
    """Shares of a cell's runs for each of AIMS; `false` is None where the true difference is not 0."""

    cell: Cell
    runs: int
    covered: tuple[float, ...]
    false: tuple[float, ...] | None
    narrow: tuple[float, ...]
    replicates: tuple[float, ...]
    unstretched: tuple[float, ...]


def tally_stopping(cell: Cell, runs: int) -> StoppingTally:
    """Return how often intervals hold the truth after stopping."""
    looks = tuple(schedule(cell.replicates))
    found, places = seen(cell, runs, looks), np.arange(runs)
    covered, false, narrow, replicates, unstretched = ([] for _ in range(5))
    for aim in AIMS:
        end = ended(found, float(np.median(found.half_width[looks.index(aim)])))
        centre, reach = found.centre[end.look, places], found.half_width[end.look, places]
        off = np.abs(centre - cell.difference)
        covered.append(float(np.mean(off <= reach)))
        unstretched.append(float(np.mean(off <= reach / STRETCH)))
        false.append(float(np.mean(np.abs(centre) > reach)))
        narrow.append(float(end.narrow.mean()))
        replicates.append(float(np.asarray(looks)[end.look].mean()))
    values = (tuple(each) for each in (covered, false, narrow, replicates, unstretched))
    covers, errs, *others = values
    return StoppingTally(cell, runs, covers, None if cell.difference else errs, *others)


STOPPING_HEADER = "kind of experiment: coverage after stopping, false answers, mean replicates, for each wanted width"


def stopping_row(found: StoppingTally) -> str:
    """Return a cell's line, percentages."""
    covered = " ".join(f"{100 * share:5.1f}" for share in found.covered)
    false = "-" if found.false is None else " ".join(f"{100 * share:3.1f}" for share in found.false)
    replicates = " ".join(f"{number:.1f}" for number in found.replicates)
    return f"{found.cell.name.replace(f'R={MOST} acc=80 ', '')}: {covered} | {false} | {replicates}"


NEEDS_CELLS = (
    Cell(360, 100, 0.8, 0.002, 0.0, 0.10, 0.0, 0.8),
    Cell(2_000, 100, 0.8, 0.004, 0.003, 0.10, 0.0, 0.8),
    Cell(2_000, 100, 0.95, 0.002, 0.0, 0.05, 0.0, 0.5),
)
"""Kinds of experiment whose test images alone make the interval wider than it is wanted."""


def needs_images(cell: Cell, runs: int, share: float = 0.7) -> tuple[str, float, float]:
    """Return a line on an experiment that wants `share` of what its test images leave, and what that line shows.

    These are the share of runs that end for want of test images at the first look, and the share of runs with as many
    test images as half of them say that end with an interval that is narrow enough.
    """
    looks = tuple(schedule(cell.replicates))
    wanted = share * float(np.median(seen(replace(cell, replicates=60), min(runs, 200), (60,)).floor))
    rng = np.random.default_rng(zlib.crc32(cell.name.encode()) + 1)
    sums = next(growing(cell, runs, rng, looks))[0]
    found = widths(sums)
    told = (found.half_width > wanted) & (found.floor > wanted)
    counts = images_needed(found.error, cell.images, wanted, NOMINAL, STRETCH)[told]
    low, median, high = np.quantile(counts, (0.1, 0.5, 0.9))
    needed = two_digits(float(median))
    more = ended(seen(replace(cell, images=needed), min(runs, 100), looks), wanted)
    replicates = np.asarray(looks)[more.look]
    line = (
        f"{cell.name}, {100 * wanted:.2f} points wanted: {100 * told.mean():.0f} % end after {FIRST} replicates with "
        f"'needs about N test images', N {median:,.0f} (80 % of runs {low:,.0f} to {high:,.0f}); with {needed:,} test "
        f"images {100 * more.narrow.mean():.0f} % get there, with {replicates.mean():.0f} replicates"
    )
    return line, float(told.mean()), float(more.narrow.mean())


def stopped_learners(experiments: int, points: float, seed: int = 1) -> Iterator[tuple[float, float, int]]:
    """Yield low, high and replicates of A/A experiments with a real classifier, ended by the rule at `points`."""
    data = load_digits()
    for experiment in range(experiments):
        pair = Pair.drawn(data.data / 16, data.target, np.random.default_rng((seed, experiment)))
        rows: list[Array] = []
        for look in schedule(MOST):
            rows += [pair.difference() for _ in range(look - len(rows))]
            differences = np.stack(rows)
            found = of_test_images(differences, points / 100)
            if found.half_width <= points / 100 or found.floor > points / 100 or look == MOST:
                centre = float(np.append(differences.mean(axis=0), DIFFERENCE.added).mean())
                yield centre - found.half_width, centre + found.half_width, look
                break


def stopped_fits(experiments: int, points: float) -> tuple[str, float]:
    """Return a line on false answers of real classifiers after stopping, and the low end of their interval."""
    found = list(stopped_learners(experiments, points))
    false = sum(low > 0 or high < 0 for low, high, _ in found)
    low, high = wilson_interval(false, experiments)
    replicates = [number for _, _, number in found]
    line = (
        f"A/A of logistic regression on digits, ended at {points:g} points, true difference 0: covered "
        f"{experiments - false} of {experiments} ({100 * (1 - false / experiments):.1f} %, 95 % interval "
        f"{100 * (1 - high):.1f} to {100 * (1 - low):.1f} %); {min(replicates)} to {max(replicates)} replicates, mean "
        f"{sum(replicates) / experiments:.1f}"
    )
    return line, low
