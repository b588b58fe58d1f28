"""Whether what the product says of a control is right: pass, FAIL, or underpowered. Pure functions.

Underpowered is precise: no effect was shown where one is expected, and an effect as large as the smallest that this
control can have would not have been found surely: it is smaller than (t(1 - alpha/2) + t(`SURE`)) standard errors, the
difference that a share `SURE` of such experiments finds. Where it would have been found, the control FAILs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.evaluate.on_test import ENOUGH_PER_CLASS
from jobs.selfcheck.controls import ADDED, CONTROLS, QUESTIONS, Expected, Known
from shared.plots.formatting import difference_points, interval_points
from shared.stats.confidence import POWER, quantile, upper_quantile
from shared.store.records.copies import CopyTest, spaces_with_copies
from shared.store.records.membership import MembershipTest
from shared.store.records.mixed import NO_EFFECT, Answer, MixedRecord, RealImages

PASS, FAIL, UNDERPOWERED = "pass", "FAIL", "underpowered"

SURE = 0.99
"""The share of experiments that must find an effect before it is a fault that one of them did not."""

TOLD_APART, GUESSING = 0.9, 0.5
"""AUC of an attack by membership on a generator that gives its train images away, and of one that guesses."""

LEAST_SPREAD = 2.0
"""Standard errors of the replicates' own mean that an interval reaches at least: t is larger for every number."""

LARGEST_PART = 0.5
"""The share of the variance that generators bring where they differ as the control `varying` does."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what is right, what was given, and whether that is right."""

    about: str
    expected: str
    given: str
    status: str


@dataclass(frozen=True)
class Signs:
    """What was found of the images of each replicate of a control: two tests by space, signs of collapse."""

    copies: Sequence[Mapping[str, CopyTest]]
    membership: Sequence[Mapping[str, MembershipTest]]
    collapsed: Sequence[str]


@dataclass(frozen=True)
class Finding:
    """What the product says of a control, and whether each part of it is right."""

    name: str
    about: str
    checks: list[Check]
    record: MixedRecord
    signs: Signs

    @property
    def status(self) -> str:
        """FAIL where any check fails, else underpowered where any is, else pass."""
        found = {check.status for check in self.checks}
        return next((status for status in (FAIL, UNDERPOWERED) if status in found), PASS)


def finding(name: str, record: MixedRecord, signs: Signs, known: Known) -> Finding:
    """Return whether the record and the signs of a control are right."""
    control = CONTROLS[name]
    checks = [outcome_check(expected, record, known) for expected in control.expected]
    if control.copies is not None:
        checks.append(copy_check(control.copies, signs.copies))
    if control.member is not None:
        checks.append(membership_check(control.member, signs.membership))
    if control.collapsed is not None:
        checks.append(collapse_check(control.collapsed, record, signs.collapsed))
    if control.spread:
        checks.append(spread_check(record))
    if control.worth:
        checks.append(worth_check(record))
    return Finding(name, control.about, checks, record, signs)


def outcome_check(expected: Expected, record: MixedRecord, known: Known) -> Check:
    """Return whether the answer to a question is right."""
    answer = answer_to(expected.question, record)
    given = f"{answer.outcome}, {difference_points(answer)} points ({interval_points(answer)})"
    status = PASS if answer.outcome in expected.outcomes else FAIL
    if status == FAIL and answer.outcome == NO_EFFECT and expected.effect is not None:
        least, surely = getattr(known, expected.effect), surely_found(answer)
        if least < surely:
            status = UNDERPOWERED
        given += f"; expected from {100 * least:.1f} points on, found surely from {100 * surely:.1f} on"
    right = " or ".join(expected.outcomes)
    if expected.limit is not None:
        most = getattr(known, expected.limit)
        right += f", by {100 * most:.1f} points at most"
        status = FAIL if answer.high < -most else status
    return Check(QUESTIONS[expected.question], right, given, status)


def answer_to(question: tuple[str, str], record: MixedRecord) -> Answer:
    """Return the answer to the question of these arms."""
    answers = [*([record.headline] if record.headline else []), *record.questions]
    return next(answer for answer in answers if (answer.a, answer.b) == question)


def surely_found(answer: Answer) -> float:
    """Return the difference that a share `SURE` of experiments like that of an answer finds."""
    freedom = answer.freedom if answer.freedom is not None else np.inf
    reach = quantile(freedom, answer.level)
    # `detectable` is (reach + t(POWER)) standard errors
    standard_error = answer.detectable / (reach + upper_quantile(freedom, POWER))
    return (reach + upper_quantile(freedom, SURE)) * standard_error


def copy_check(expected: bool, tests: Sequence[Mapping[str, CopyTest]]) -> Check:
    """Return whether the copy test flags what it should; the product decides over all replicates together."""
    flagged = sum(any(test.flagged for test in spaces.values()) for spaces in tests)
    status = PASS if bool(spaces_with_copies(tests)) == expected else FAIL
    given = f"flagged in {flagged} of {len(tests)} replicates"
    if status == FAIL and expected and all(blind(test) for spaces in tests for test in spaces.values()):
        status = UNDERPOWERED
        given += "; too few images to flag even exact copies"
    return Check("copies", "flagged" if expected else "not flagged", given, status)


def blind(test: CopyTest) -> bool:
    """Return whether a copy test could not flag a set of which every image is a copy."""
    return test.least_share is None or test.least_share > 1


def membership_check(expected: bool, attacks: Sequence[Mapping[str, MembershipTest]]) -> Check:
    """Return whether an attack tells train images from others where it should: by pixels surely, or in no space."""
    want = f"AUC of pixels {TOLD_APART} or more" if expected else "no AUC shown to be above 0.5"
    spaces = list(attacks[0])
    if not all(attacks):
        return Check("membership", want, "too few images to attack", UNDERPOWERED)
    means = {space: float(np.mean([found[space].auc for found in attacks])) for space in spaces}
    # each replicate attacks another half of the train images
    lows = {space: float(np.mean([found[space].auc_low for found in attacks])) for space in spaces}
    right = means["pixels"] >= TOLD_APART if expected else all(low <= GUESSING for low in lows.values())
    given = ", ".join(f"AUC of {space} {means[space]:.2f} (from {lows[space]:.2f} on)" for space in spaces)
    return Check("membership", want, given, PASS if right else FAIL)


def collapse_check(expected: bool, record: MixedRecord, collapsed: Sequence[str]) -> Check:
    """Return whether the signs of collapse are as they should be."""
    status = PASS if bool(collapsed) == expected else FAIL
    images = sum(record.synthetic_counts) / record.protocol.replicates
    if status == FAIL and expected and images < ENOUGH_PER_CLASS * len(record.synthetic_counts):
        status = UNDERPOWERED
    given = collapsed[0] if collapsed else "no sign"
    return Check("collapse", "warned of" if expected else "no sign", given, status)


def spread_check(record: MixedRecord) -> Check:
    """Return whether an interval is as wide as generators differ, and whether the variance is said to be theirs.

    Underpowered with fewer than three replicates, and where test images bring more of the variance than all else.
    """
    answer, variance = answer_to(ADDED, record), record.variance
    replicates = len(answer.values)
    share = None if variance is None else variance.generator
    reach = (answer.high - answer.low) / 2
    wanted = LEAST_SPREAD * float(np.std(answer.values, ddof=1)) / replicates**0.5 if replicates > 1 else np.inf
    status = PASS if reach >= wanted and share is not None and share >= LARGEST_PART else FAIL
    of_images = None if variance is None else variance.images
    if status == FAIL and (replicates < 3 or (reach >= wanted and (of_images or 0) > LARGEST_PART)):
        status = UNDERPOWERED
    said = "unknown" if share is None else f"{share:.0%}"
    return Check(
        "variance",
        f"interval of {100 * wanted:.1f} points or more to each side, half of the variance or more from generators",
        f"{100 * reach:.1f} points, {said} from generators",
        status,
    )


def worth_check(record: MixedRecord) -> Check:
    """Return whether other real images alone are said to be worth as many real images as they are."""
    worth = next(row for row in record.worth if row.arm == "synthetic_100")
    count = record.arm("real_100").n_real
    least, most = worth.effective_low, worth.effective_high
    right = least.images <= count and (most.images >= count or most.beyond == "more")
    given = f"{in_words(worth.effective)} ({in_words(least)} to {in_words(most)})"
    return Check("data equivalent", f"{count:,} real images within the interval", given, PASS if right else FAIL)


def in_words(images: RealImages) -> str:
    """Return a number of real images in words."""
    beyond = {None: "", "more": "more than ", "fewer": "fewer than "}[images.beyond]
    return f"{beyond}{images.images:,}"
