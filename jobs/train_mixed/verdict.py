"""What the experiment shows: answers to its questions by one rule. Pure functions on arrays; no import of torch.

The rule is the interval's: helped where it is above 0, hurt where it is below, else no effect is shown. The headline
has the whole level, the others share theirs, so that training more arms never changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from jobs.train_mixed import sentences
from jobs.train_mixed.arms import ARMS
from jobs.train_mixed.outcome import Array, Outcome, class_estimates, metric_estimates, repetitions
from jobs.train_mixed.questions import AUGMENTED, HEADLINE, HEADLINE_OF_LABELS, Question, answerable
from jobs.train_mixed.summaries import data_equivalents, majority_baseline, variance_shares
from shared.data.sampling import extremes
from shared.metrics.classification import POSITIVE
from shared.plots.formatting import labelled_count, metric_name, pseudo_count, synthetic_count
from shared.stats.confidence import LEVEL, other_level
from shared.stats.inference import TWO_WAY, Inference
from shared.store.records.mixed import (
    COPIES,
    HELPED,
    HURT,
    NO_EFFECT,
    TEST_SEEN,
    Answer,
    ArmRow,
    EqualSteps,
    FitRow,
    Information,
    MixedRecord,
)
from shared.store.records.mixed_protocol import MixedProtocol


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What else is known of the images: names of classes, train images and synthetic labels of each, warnings.

    `collapsed` and `copies` say what is wrong with which generators, such as "recall is 0.03 (replicate 2)" and "pixels
    in 2 of 5 replicates"; `copies_by_chance` is the same where chance may have flagged them. `little_variety` says what
    imported sets lack, `tuned` what was tuned on one of several splits, `tuned_on_more` what was tuned with more images
    or labels than there are. All are empty where there is nothing to warn of. `first` is that of `arms.first_shown`,
    `named` what chose the arms. Where classes are combinations of several `attributes`, answers are about macro F1, or
    about the F1 of the one that `verdict_on` names.
    """

    classes: list[str]
    train_counts: list[int]
    synthetic_counts: list[int]
    first: str = "headline"
    named: str = ""
    attributes: list[str] = field(default_factory=list)
    verdict_on: str | None = None
    collapsed: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    copies_by_chance: list[str] = field(default_factory=list)
    little_variety: list[str] = field(default_factory=list)
    tuned: list[str] = field(default_factory=list)
    tuned_on_more: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Trained:
    """All that answers are made of: outcomes and lines of the trained arms, by name, and how intervals are made."""

    outcomes: Mapping[str, Outcome]
    lines: Mapping[str, ArmRow]
    protocol: MixedProtocol
    signs: Signs
    majority_baseline: float
    inference: Inference = TWO_WAY


def make_record(
    outcomes: Mapping[str, Outcome],
    rows: list[FitRow],
    information: Mapping[str, Information],
    protocol: MixedProtocol,
    signs: Signs,
    inference: Inference = TWO_WAY,
) -> MixedRecord:
    """Return the whole record of an experiment whose arms, in the order of `outcomes`, were fitted as `rows` say."""
    lines = {
        name: arm_row(name, rows, outcome, information[name], signs.attributes or signs.classes, inference)
        for name, outcome in outcomes.items()
    }
    truth = next(iter(outcomes.values())).truth
    floor = majority_baseline(signs.train_counts, truth, len(signs.attributes))
    judged = judged_outcomes(outcomes, signs)
    trained = Trained(judged, lines, protocol, signs, floor, inference)
    headline, questions = judge(trained)
    return MixedRecord(
        rows=rows,
        arms=list(lines.values()),
        headline=headline,
        questions=questions,
        first=signs.first,
        variance=None
        if headline is None
        else variance_shares(
            judged[headline.a],
            judged[headline.b],
            # where each replicate has a subset of its own, accuracy on real images varies by these as well
            by_fits_alone=ARMS[headline.b].is_real and protocol.resplit is None,
        ),
        worth=data_equivalents(
            outcomes, {name: line.n_real for name, line in lines.items()}, inference, trained.majority_baseline
        ),
        majority_baseline=trained.majority_baseline,
        copies_flagged=signs.copies,
        train_counts=signs.train_counts,
        synthetic_counts=signs.synthetic_counts,
        protocol=protocol,
        attributes=signs.attributes or None,
    )


def judged_outcomes(outcomes: Mapping[str, Outcome], signs: Signs) -> Mapping[str, Outcome]:
    """Return the outcomes that answers are about: of one attribute, where the verdict is on one."""
    if signs.verdict_on is None:
        return outcomes
    attribute = signs.attributes.index(signs.verdict_on)
    return {name: outcome.only(attribute) for name, outcome in outcomes.items()}


def arm_row(
    name: str,
    rows: list[FitRow],
    outcome: Outcome,
    information: Information,
    classes: list[str],
    inference: Inference = TWO_WAY,
) -> ArmRow:
    """Return an arm's line: what it is trained on, what its networks saw, every metric with spread and interval."""
    own = [row for row in rows if row.arm == name]
    # sets that were imported, and random splits in whole groups, may have different numbers of images
    least, most = (choose(row.n_synthetic for row in own) for choose in (min, max))
    least_real, most_real = (choose(row.n_real for row in own) for choose in (min, max))
    pseudo = [row.n_pseudo for row in own if row.n_pseudo is not None]
    return ArmRow(
        arm=name,
        about=ARMS[name].about,
        n_real=least_real,
        n_real_most=most_real if most_real > least_real else None,
        n_synthetic=least,
        n_synthetic_most=most if most > least else None,
        n_pseudo=min(pseudo, default=None),
        n_pseudo_most=max(pseudo) if len(set(pseudo)) > 1 else None,
        information=information,
        metrics=metric_estimates(outcome, inference),
        classes=class_estimates(outcome, classes, inference),
        positive_class=classes[POSITIVE] if len(classes) == 2 and not outcome.attributes else None,
    )


def judge(trained: Trained) -> tuple[Answer | None, list[Answer]]:
    """Return the headline's answer, None unless its arms were trained, and the answers to the other questions."""
    primary, others = answerable(trained.lines.keys(), trained.signs.named, trained.protocol.imported)
    level = other_level(len(others))
    answers = [answer(question, trained, level) for question in others]
    if primary is None:
        return None, answers
    augmented = next((found for found in answers if (found.a, found.b) == (AUGMENTED.a, AUGMENTED.b)), None)
    # of another number of images, or another question, nothing is known with augmentation
    clause = sentences.augmentation_clause(augmented if primary == HEADLINE else None)
    return answer(primary, trained, LEVEL, "" if primary == HEADLINE_OF_LABELS else clause), answers


def answer(question: Question, trained: Trained, level: float, clause: str = "") -> Answer:
    """Return the difference of the question's arms, by accuracy or F1, its interval at `level`, and what that says."""
    a, b = (trained.outcomes[name] for name in (question.a, question.b))
    line, baseline = (trained.lines[name] for name in (question.a, question.b))
    # paired: both arms answer the same test images and share their seeds, so that what they share cancels out
    difference = a.judged_by_fit - b.judged_by_fit
    found = trained.inference.difference(repetitions(difference), level)
    by_equal_steps = repetitions(a.equal_steps_judged_by_fit - b.equal_steps_judged_by_fit)
    control = equal_steps(by_equal_steps, level, trained.inference)
    # a baseline with synthetic images has the same copies: they explain no difference
    copied = bool(trained.signs.copies and line.n_synthetic and not baseline.n_synthetic)
    # here both count: labels or numbers of images that show the test images differ in how much they show
    test_seen = bool(trained.protocol.test_seen and (line.n_synthetic or baseline.n_synthetic))
    outcome = judged(found.low, found.high, copied, test_seen)
    subject = question.subject.format(
        real=labelled_count(line),
        synthetic=synthetic_count(line),
        baseline=labelled_count(baseline),
        pseudo=pseudo_count(line, baseline),
    )
    why_unlike = sentences.unlike(line.information, baseline.information, test_seen)
    metric = metric_judged(trained.signs)
    said = sentences.sentence(subject, outcome, found, clause, metric_name(metric))
    return Answer(
        question=subject,
        a=question.a,
        b=question.b,
        metric=metric,
        difference=found.mean,
        low=found.low,
        high=found.high,
        level=level,
        outcome=outcome,
        detectable=found.detectable,
        replicates=len(difference),
        like_for_like=not why_unlike,
        warnings=warnings(trained, line, baseline)
        + (
            [sentences.other_sign(control, level, question.a, question.b)]
            if sign_differs(found.mean, control.difference)
            else []
        ),
        values=np.nanmean(difference, axis=(1, 2)).tolist(),
        equal_steps=control,
        # in the sentence itself, so that no page can show the answer without it
        sentence=f"{why_unlike} {said}".lstrip(),
        freedom=found.freedom,
    )


def metric_judged(signs: Signs) -> str:
    """Return the metric that answers are about."""
    if signs.verdict_on is not None:
        return f"F1 of {signs.verdict_on}"
    return "f1" if signs.attributes else "accuracy"


def judged(low: float, high: float, copied: bool = False, test_seen: bool = False) -> str:
    """Return what the interval of a difference says; a gain from images that may be copies is not said to have helped.

    The interval is as it is: COPIES in place of NO_EFFECT, since the gain was measured, and in place of HELPED, since a
    generator that stores what it saw has nothing to give to more images. Nor has one to whom the test was shown.
    """
    if low > 0:
        return COPIES if copied else TEST_SEEN if test_seen else HELPED
    return HURT if high < 0 else NO_EFFECT


def equal_steps(difference: Array, level: float, inference: Inference) -> EqualSteps:
    """Return the control of early stopping: the difference (repetitions, images) with equal steps for every arm."""
    found = inference.difference(difference, level)
    return EqualSteps(difference=found.mean, low=found.low, high=found.high)


def sign_differs(difference: float, control: float) -> bool:
    """Return whether a difference that is not 0 has not the sign of its control."""
    # sums in another order differ in the last bits
    signs = np.sign(np.round([difference, control], 12))
    return bool(signs[0] != 0 and signs[0] != signs[1])


def warnings(trained: Trained, line: ArmRow, baseline: ArmRow) -> list[str]:
    """Return what must be read before the answer, the gravest first."""
    signs, floor = trained.signs, trained.majority_baseline
    # in macro F1 each attribute counts alike
    counts, found = signs.train_counts, None if signs.attributes else extremes(signs.train_counts)
    sizes = [f"{counts[place]:,} train images of {signs.classes[place]}" for place in found or ()]
    unequal = [sentences.unequal_classes(sizes, (line, baseline))] if sizes else []
    useless = [
        sentences.at_baseline(arm, floor, bool(signs.attributes))
        for arm in (line, baseline)
        if arm.accuracy.low <= floor
    ]
    # what is wrong with a generator is nothing to an arm without its images
    generated = {
        sentences.collapse: signs.collapsed,
        sentences.little_variety: signs.little_variety,
        sentences.copies: signs.copies,
        sentences.copies_by_chance: signs.copies_by_chance,
    }
    broken = [say(found) for say, found in generated.items() if found and line.n_synthetic]
    tuned = [sentences.tuned_on_one_split(signs.tuned)] if signs.tuned else []
    tuned += [sentences.tuned_on_more(signs.tuned_on_more)] if signs.tuned_on_more else []
    return [*unequal, *useless, *broken, *tuned, *sentences.few_replicates(trained.protocol)]
