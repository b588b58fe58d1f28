"""Random splits with a real learner, and whether corrected resampled intervals hold the true difference.

An experiment has `SET` of scikit-learn's digits; the others are there in place of a generator. In each replicate the
set is split again into train and test images, stratified, and three arms fit logistic regression: to the train images,
and to these with as many others, which two arms draw for themselves. `helps` compares the second arm with the first:
more images help. `equal` compares the third with the second, whose true difference is 0. The truth is over other sets,
splits and draws: the mean over all experiments. With one set for all of them it is over its splits and draws alone.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

from shared.stats.inference import Inference
from shared.stats.intervals import MeanInterval, wilson_interval
from shared.stats.looks import STRETCH, schedule
from shared.stats.stopping import of_splits

SET, TEST = 400, 100
"""Images of an experiment's set, and those of a split that are test images."""

REPLICATES = (3, 5, 10)

MOST = 30
"""Replicates of an experiment that is ended by its width, at most."""

STOPPED_AT = (8.0, 6.0)
"""Half-widths, in points, that end experiments: some at the first look, most later."""

EPOCHS = 10

QUESTIONS = {"helps": (1, 0), "equal": (2, 1)}
"""The arms that each question compares: the first less the second."""

CORRECTED = Inference(test_over_train=TEST / (SET - TEST))

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Digits:
    """Images as rows of pixels, and their labels."""

    images: Array
    labels: NDArray[np.int64]

    @classmethod
    def load(cls) -> "Digits":
        """Return scikit-learn's."""
        data = load_digits()
        return cls(data.data / 16, data.target)

    def fitted(self, train: NDArray[np.int64], test: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Return which test images logistic regression has right that was fitted to the train images."""
        network = SGDClassifier(loss="log_loss", max_iter=EPOCHS, tol=None, random_state=int(rng.integers(2**31)))
        network.fit(self.images[train], self.labels[train])
        return np.asarray(network.predict(self.images[test]) == self.labels[test], dtype=np.float64)

    def split(self, chosen: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """Return the answers of the three arms in one random split of the images `chosen`: (arms, test images)."""
        seed = int(rng.integers(2**31))
        train, test = train_test_split(chosen, test_size=TEST, stratify=self.labels[chosen], random_state=seed)
        pool = np.setdiff1d(np.arange(len(self.labels)), chosen)
        added = [pool[:0], *(rng.choice(pool, len(train), replace=False) for _ in range(2))]
        return np.stack([self.fitted(np.concatenate([train, more]), test, rng) for more in added])


def answers(experiments: int, replicates: int, one_set: bool = False, seed: int = 0) -> Iterator[Array]:
    """Yield the answers of each experiment: (replicates, arms, test images); equal seeds give equal ones."""
    data = Digits.load()
    for experiment in range(experiments):
        rng = np.random.default_rng((seed, replicates, experiment))
        of_set = np.random.default_rng(seed) if one_set else rng
        chosen = of_set.permutation(len(data.labels))[:SET]
        yield np.stack([data.split(chosen, rng) for _ in range(replicates)])


def difference(found: Array, question: str) -> Array:
    """Return the paired differences (replicates, test images) of a question."""
    first, second = QUESTIONS[question]
    return found[:, first] - found[:, second]


@dataclass(frozen=True)
class ResplitTally:
    """In how many of the experiments the interval of a question holds the truth, `plain` without the correction.

    `false` says in how many the interval excludes 0; None where the truth is not 0. The half-width is in shares of 1.
    """

    question: str
    truth: float
    experiments: int
    covered: int
    plain: int
    false: int | None
    half_width: float


def tallies(found: Sequence[Array]) -> Iterator[ResplitTally]:
    """Yield what the experiments show of each question."""
    for question in QUESTIONS:
        values = [difference(each, question) for each in found]
        truth = 0.0 if question == "equal" else statistics.fmean(float(each.mean()) for each in values)
        intervals = [CORRECTED.difference(each) for each in values]
        plain = [Inference(test_over_train=0.0).difference(each) for each in values]
        false = sum(each.low > 0 or each.high < 0 for each in intervals)
        yield ResplitTally(
            question,
            truth,
            len(found),
            covered=holding(intervals, truth),
            plain=holding(plain, truth),
            false=None if truth else false,
            half_width=statistics.fmean(each.high - each.low for each in intervals) / 2,
        )


def holding(intervals: Sequence[MeanInterval], truth: float) -> int:
    """Return how many intervals hold the truth."""
    return sum(each.low <= truth <= each.high for each in intervals)


@dataclass(frozen=True)
class StoppedSplits:
    """Where an experiment without a difference was ended: its interval, that without the stretch, its replicates."""

    interval: MeanInterval
    plain: MeanInterval
    replicates: int


def stopped_splits(experiments: int, points: float, seed: int = 2) -> Iterator[StoppedSplits]:
    """Yield experiments on random splits whose true difference is 0, ended by the rule of --until at `points`."""
    data, wanted = Digits.load(), points / 100
    stretched = replace(CORRECTED, stretch=STRETCH)
    for experiment in range(experiments):
        rng = np.random.default_rng((seed, experiment))
        chosen, rows = rng.permutation(len(data.labels))[:SET], list[Array]()
        for look in schedule(MOST):
            rows += [data.split(chosen, rng) for _ in range(look - len(rows))]
            found = difference(np.stack(rows), "equal")
            interval = stretched.difference(found)
            width = of_splits(interval, look, TEST / (SET - TEST))
            if width.half_width <= wanted or width.floor > wanted or look == MOST:
                yield StoppedSplits(interval, CORRECTED.difference(found), look)
                break


def stopped_row(experiments: int, points: float) -> tuple[str, float]:
    """Return a line on experiments on random splits after stopping, and the low end of the share of false answers."""
    found = list(stopped_splits(experiments, points))
    covered, plain = (holding([getattr(each, name) for each in found], 0.0) for name in ("interval", "plain"))
    replicates = [each.replicates for each in found]
    line = (
        f"random splits of {SET} digits, ended at {points:g} points, true difference 0: covered"
        f" {share(covered, experiments)}, without the stretch {share(plain, experiments)};"
        f" {min(replicates)} to {max(replicates)} replicates, mean {statistics.fmean(replicates):.1f}"
    )
    return line, wilson_interval(experiments - covered, experiments)[0]


def share(count: int, of: int) -> str:
    """Return a share and its interval in percent."""
    low, high = wilson_interval(count, of)
    return f"{100 * count / of:5.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"


def resplit(experiments: int, coverage: float, most_false: float) -> int:
    """Print the table; return 1 where coverage is shown to be below its promise, or false answers above."""
    print(
        f"{experiments} experiments each: {SET} digits, random splits with {TEST} test images, logistic regression;"
        " in brackets 95 % intervals",
        f"{'sets':10} {'R':>3} {'question':9} {'truth':>6} {'coverage':26} {'without correction':26} {'half':>5} false",
        sep="\n",
    )
    kept = True
    for one_set in (False, True):
        for replicates in REPLICATES:
            for row in tallies(list(answers(experiments, replicates, one_set))):
                false = "" if row.false is None else share(row.false, experiments)
                print(
                    f"{'one' if one_set else 'others':10} {replicates:3d} {row.question:9} {100 * row.truth:6.2f}"
                    f" {share(row.covered, experiments):26} {share(row.plain, experiments):26}"
                    f" {100 * row.half_width:5.2f} {false}",
                    flush=True,
                )
                kept &= wilson_interval(row.covered, experiments)[1] >= coverage
                kept &= row.false is None or wilson_interval(row.false, experiments)[0] <= most_false
    print("every promise is kept" if kept else "BROKEN by more than the error of the simulation")
    return 0 if kept else 1
