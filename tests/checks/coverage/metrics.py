"""Coverage of the intervals of macro metrics and of the area under the ROC curve, whose means are none over images.

Each image has a score for each class: noise, a part `SAME` of whose variance is the same in every replicate, and for
its own class a signal. The answer is the class with the highest score, and the area is that of the softmax of the
scores. In replicate r the signal is such that a_r of all answers are right, with a_r as in `classes`. The truth of a
metric is its mean over replicates, on infinitely many images in the proportions of the test images.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import norm

from jobs.train_mixed.outcome import Outcome, metric_estimates
from shared.metrics.influence import pseudo_values
from shared.metrics.metric import CLASSIFICATION_METRICS
from tests.checks.coverage.classes import CLASS_CELLS, SAME, ClassCell

METRICS = tuple(metric.name for metric in CLASSIFICATION_METRICS)

LEVELS, IMAGES = 15, 40_000
"""Replicates, evenly over their distribution, and images of each that a truth is computed from."""

METRIC_CELLS = CLASS_CELLS
"""The kinds of experiment: those of `classes`."""

QUICK_METRICS = tuple(cell for cell in METRIC_CELLS if cell.sizes[0] == 5 and cell.replicates == 3)
"""Those with the fewest images of a class and the fewest replicates, where coverage is lowest."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MetricTally:
    """In how many runs the interval of a metric holds the truth, and its mean half-width."""

    covered: float
    half_width: float


@cache
def signal_grid(classes: int) -> tuple[Array, Array]:
    """Return signals and the shares of right answers that they give with this number of classes."""
    signals, places = np.linspace(0, 9, 181), np.linspace(-6, 15, 2001)
    # right: the own score, at x, is above all others
    below = norm.cdf(places) ** (classes - 1)
    shares = np.trapezoid(norm.pdf(places[None] - signals[:, None]) * below, places, axis=1)
    return signals, shares


def outcome_of(truth: NDArray[np.int64], levels: Array, classes: int, rng: np.random.Generator) -> Outcome:
    """Return the answers to images of these classes in replicates in which `levels` of all answers are right."""
    signals, shares = signal_grid(classes)
    signal = np.interp(levels, shares, signals)
    shape = (len(levels), len(truth), classes)
    noise = SAME**0.5 * rng.standard_normal(shape[1:]) + (1 - SAME) ** 0.5 * rng.standard_normal(shape)
    scores = noise + signal[:, None, None] * np.eye(classes)[truth]
    predicted = scores.argmax(axis=-1)[:, None]
    return Outcome(truth, predicted, softmax(scores, axis=-1)[:, None], predicted)


def truths(cell: ClassCell, rng: np.random.Generator) -> dict[str, float]:
    """Return the true value of each metric."""
    levels = np.sort(cell.accuracy + cell.effects(100_000, rng))[:: 100_000 // LEVELS][:LEVELS]
    levels += cell.accuracy - levels.mean()
    classes = len(cell.sizes)
    truth = np.repeat(np.arange(classes), IMAGES * np.asarray(cell.sizes) // sum(cell.sizes))
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    for level in levels:
        found = outcome_of(truth, np.asarray([level]), classes, rng)
        for name, every in values.items():
            every.append(pseudo_values(truth, found.predicted[0, 0], found.probabilities[0, 0], name)[0])
    return {name: float(np.mean(every)) for name, every in values.items()}


def outcomes(cell: ClassCell, runs: int, rng: np.random.Generator) -> Iterator[Outcome]:
    """Yield the answers of that many experiments."""
    truth = np.repeat(np.arange(len(cell.sizes)), cell.sizes)
    for _ in range(runs):
        yield outcome_of(truth, cell.accuracy + cell.effects(cell.replicates, rng), len(cell.sizes), rng)


def tally_metrics(cell: ClassCell, runs: int, seed: int = 0) -> dict[str, MetricTally]:
    """Return how often the intervals of each metric hold the truth."""
    rng = np.random.default_rng(seed)
    true = truths(cell, rng)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METRICS}
    for outcome in outcomes(cell, runs, rng):
        for name, estimate in metric_estimates(outcome).items():
            found[name].append((estimate.low, estimate.high))
    return {
        name: MetricTally(
            float(np.mean([low <= true[name] <= high for low, high in bounds])),
            float(np.mean([high - low for low, high in bounds])) / 2,
        )
        for name, bounds in found.items()
    }


def metric_row(cell: ClassCell, found: dict[str, MetricTally]) -> str:
    """Return a cell's line: of each metric the coverage in percent and the mean half-width in points."""
    cells = (f"{100 * row.covered:6.1f} ({100 * row.half_width:4.1f})" for row in found.values())
    return f"{cell.name:52}{' '.join(cells)}"


def metrics(runs: int, quick: bool, least: float) -> int:
    """Print the coverage of the intervals of each metric in each kind of experiment; return the exit code."""
    cells = QUICK_METRICS if quick else METRIC_CELLS
    print(f"{len(cells)} kinds of experiment, {runs} runs each: coverage in % (half-width in points)")
    print(f"{'':52}{' '.join(f'{name[:13]:>13}' for name in METRICS)}")
    shares: dict[str, list[float]] = {name: [] for name in METRICS}
    for cell in cells:
        found = tally_metrics(cell, runs)
        print(metric_row(cell, found), flush=True)
        for name, row in found.items():
            shares[name].append(row.covered)
    for name, covered in shares.items():
        print(f"{name}: coverage from {100 * min(covered):.1f} %, mean {100 * np.mean(covered):.1f} %")
    kept = min(min(covered) for covered in shares.values()) >= least
    print("every promise is kept" if kept else "BROKEN by more than the error of the simulation")
    return 0 if kept else 1
