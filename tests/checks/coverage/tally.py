"""What one simulated kind of experiment shows of the intervals: coverage, false answers, width."""

import math
import zlib
from dataclasses import dataclass

import numpy as np

from shared.stats.confidence import LEVEL, quantile
from shared.stats.intervals import DIFFERENCE, SHARE, bounds
from tests.checks.coverage.cells import Cell
from tests.checks.coverage.simulation import experiments


@dataclass(frozen=True)
class Tally:
    """Shares of a cell's `runs`; `half_width` and `oracle` are in shares of 1.

    `false` is None where the true difference is not 0. The oracle's half-width is that of an interval whose variance is
    known: 1.96 times the standard deviation of the runs' means around the truth. `level_covered` is the coverage of the
    interval of arm A's own accuracy.
    """

    cell: Cell
    runs: int
    covered: float
    false: float | None
    half_width: float
    oracle: float
    level_covered: float

    @property
    def excess(self) -> float:
        """By which share the interval is wider than the oracle's; NaN where the runs' means do not vary."""
        return self.half_width / self.oracle - 1 if self.oracle else math.nan


def tally(cell: Cell, runs: int, level: float = LEVEL) -> Tally:
    """Simulate a cell; its draws depend on its name alone."""
    differences, levels = experiments(cell, runs, seed=zlib.crc32(cell.name.encode()))
    found = bounds(differences, DIFFERENCE, level)
    of_level = bounds(levels, SHARE, level)
    truth, own_truth = cell.difference, cell.accuracy + cell.difference / 2
    false = float(np.mean((found.low > 0) | (found.high < 0))) if truth == 0 else None
    return Tally(
        cell,
        runs,
        covered=float(np.mean((found.low <= truth) & (truth <= found.high))),
        false=false,
        half_width=float(np.mean(found.high - found.low)) / 2,
        oracle=quantile(level=level) * float(np.sqrt(np.mean((differences.mean - truth) ** 2))),
        level_covered=float(np.mean((of_level.low <= own_truth) & (own_truth <= of_level.high))),
    )
