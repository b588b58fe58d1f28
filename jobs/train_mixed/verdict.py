"""What the experiment shows: intervals, comparisons, plain sentences. Pure functions on arrays.

`correct` is a float array (seeds, test images): 1 where the classifier of that seed is right about that image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.train_mixed.arms import ARMS, LEARNING_CURVE
from jobs.train_mixed.outcome import Outcome
from shared.stats.confidence import LEVEL_TEXT
from shared.stats.data_equivalent import data_equivalent
from shared.stats.intervals import two_way_interval
from shared.stats.significance import holm, mcnemar, permutation
from shared.store.records.mixed import ArmDataEquivalent, Comparison, RealImages

UNDECIDED = 0.10
"""Width of an interval, in parts of 1: a wider one that holds 0 says that there is not enough data."""


@dataclass(frozen=True)
class Question:
    """A question that the experiment answers: the accuracy of arm `a` against that of arm `b`."""

    a: str
    b: str
    question: str


COMPARISONS = (
    Question("synthetic_70_real_30", "real_30", "adding synthetic images to 30 % of the real ones"),
    Question(
        "synthetic_70_real_30_own",
        "real_30",
        "adding synthetic images, annotated by these alone, to 30 % of the real ones",
    ),
    Question(
        "synthetic_70_real_30_own",
        "real_30_augmented",
        "adding synthetic images, annotated by these alone, instead of augmenting 30 % of the real ones",
    ),
    Question("synthetic_70_real_30", "real_100", "replacing 70 % of the real images by synthetic ones"),
    Question("synthetic_only", "real_100", "replacing every real image by synthetic ones"),
    Question("synthetic_only_asked", "synthetic_only", "taking the class asked for in place of the annotation"),
)
"""Comparisons are made where both arms were trained; the first one made is the headline."""


def compare_all(outcomes: dict[str, Outcome], n_test: int) -> list[Comparison]:
    """Return every comparison whose arms are there, p values corrected for their number (Holm 1979)."""
    # fixed in advance: a comparison picked after seeing accuracies would need a harsher correction
    made = [question for question in COMPARISONS if question.a in outcomes and question.b in outcomes]
    compared = [compare(question, outcomes[question.a], outcomes[question.b], n_test) for question in made]
    # each test is corrected among its own kind: both answer the same questions
    mcnemars, permutations = (
        holm([comparison.p_mcnemar for comparison in compared]),
        holm([comparison.p_permutation for comparison in compared]),
    )
    return [
        comparison.model_copy(update={"p_mcnemar_holm": p, "p_permutation_holm": q})
        for comparison, p, q in zip(compared, mcnemars, permutations, strict=True)
    ]


def compare(question: Question, a: Outcome, b: Outcome, n_test: int) -> Comparison:
    """Return the difference in accuracy of the question's arms, its interval, tests and what that says."""
    # paired: both arms answer the same test images, so what is hard in those cancels out
    difference = a.correct - b.correct
    low, high = two_way_interval(difference)
    outcome = judged(low, high)
    # over test images only, the interval would else be read as one for other fits too
    alone = " One seed: this says nothing about other fits." if len(difference) == 1 else ""
    # two tests: McNemar's of the majority vote, the permutation test of the mean over seeds
    p_mcnemar, p_permutation = mcnemar(a.voted, b.voted), permutation(difference.mean(axis=0))
    return Comparison(
        a=question.a,
        b=question.b,
        question=question.question,
        difference=float(difference.mean()),
        low=low,
        high=high,
        outcome=outcome,
        p_mcnemar=p_mcnemar,
        p_permutation=p_permutation,
        n_test=n_test,
        seeds=len(difference),
        sentence=sentence(question.question, outcome, float(difference.mean()), low, high) + alone,
        p_mcnemar_holm=p_mcnemar,  # alone it needs no correction
        p_permutation_holm=p_permutation,
    )


def judged(low: float, high: float) -> str:
    """Return what an interval of a difference says; one wider than UNDECIDED says that there is not enough data."""
    if low > 0:
        return "helped"
    if high < 0:
        return "hurt"
    # "no difference" needs an interval that would have shown one
    return "no difference shown" if high - low <= UNDECIDED else "not enough data to tell"


def data_equivalents(outcomes: dict[str, Outcome], n_real: dict[str, int]) -> list[ArmDataEquivalent]:
    """Return, for each arm with synthetic images, the number of real images that give its accuracy.

    Read off the arms of the learning curve that were trained; empty without at least three. The interval is
    that of the arm's accuracy, read off the same curve.
    """
    points = sorted((n_real[name], name) for name in LEARNING_CURVE.values() if name in outcomes)
    if len(points) < 3:  # two points are a line, not a curve
        return []
    counts = [count for count, _ in points]
    curve = [float(outcomes[name].correct.mean()) for _, name in points]
    equivalents = []
    for name, outcome in outcomes.items():
        if ARMS[name].synthetic_share:
            low, high = two_way_interval(outcome.correct)
            bounds = (float(outcome.correct.mean()), low, high)
            # the curve rises, so that the bounds of the accuracy map to the bounds of the number
            mean, least, most = (RealImages(**data_equivalent(counts, curve, value)) for value in bounds)
            equivalents.append(
                ArmDataEquivalent(
                    arm=name,
                    n_real=n_real[name],
                    effective=mean,
                    effective_low=least,
                    effective_high=most,
                    curve=list(zip(counts, curve, strict=True)),
                )
            )
    return equivalents


def sentence(question: str, outcome: str, difference: float, low: float, high: float) -> str:
    """Return the comparison in words, in percentage points of accuracy."""
    points = [f"{100 * value:+.1f}".replace("-", "\u2212") for value in (difference, low, high)]
    verb = {
        "helped": "helped",
        "hurt": "hurt",
        "no difference shown": "made no difference that this experiment can show",
        "not enough data to tell": "cannot be judged: there is not enough data to tell",
    }[outcome]
    change = f"{points[0]} points of test accuracy ({LEVEL_TEXT} interval {points[1]} to {points[2]})"
    return f"{question[0].upper()}{question[1:]} {verb}: {change}."


def majority_baseline(train_labels: NDArray[np.int64], test_labels: NDArray[np.int64]) -> float:
    """Return the test accuracy of always answering the most frequent train class."""
    return float((test_labels == np.bincount(train_labels).argmax()).mean())
