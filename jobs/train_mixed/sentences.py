"""Answers and warnings in words. Differences are shares of 1, sentences have percentage points."""

from shared.plots.formatting import bounds_decimals, level_text, percent, signed_points
from shared.stats.intervals import MeanInterval
from shared.store.records.mixed import (
    COPIES,
    HELPED,
    HURT,
    TEST_SEEN,
    Answer,
    ArmRow,
    EqualSteps,
    Estimate,
    Information,
)
from shared.store.records.mixed_protocol import MixedProtocol

NOT_LIKE_FOR_LIKE = "Not like for like: the generator saw real images that the baseline did not."

MAY_HAVE_SEEN_THE_TEST = "Not like for like: the generator may have seen the test images."

NOT_COMPARED = "; augmentation was not compared"

SIGNS = 3
"""Signs of a collapse that a headline names; one more is named, too, rather than counted."""


def sentence(subject: str, outcome: str, found: MeanInterval, clause: str = "", metric: str = "accuracy") -> str:
    """Return an answer about a metric on test in words; `clause` ends that of an effect which helped."""
    digits = bounds_decimals(found.low, found.high)
    difference = signed_points(found.mean, digits)
    subject, interval = subject[0].upper() + subject[1:], _interval(found.low, found.high, found.level)
    if outcome == HELPED:
        return f"{subject} helped: {difference} points of test {metric} ({interval}){clause}."
    if outcome == HURT:
        return f"{subject} hurt: {difference} points of test {metric} ({interval})."
    if outcome == COPIES:
        return (
            f"{subject} cannot be credited to new images: the synthetic set holds copies of training images "
            f"({difference} points of test {metric}, {interval})."
        )
    if outcome == TEST_SEEN:
        return (
            f"{subject}: {difference} points of test {metric} ({interval}), which may be what the generator saw of the "
            "test images; whether these images help is not answered."
        )
    if found.low <= -1 and found.high >= 1:
        # accuracies differ by 100 points at most: such an interval says nothing
        return f"{subject}: no effect shown, and none is excluded: too few replicates (difference {difference})."
    excluded = _excluded(found.low, found.high, metric)
    is_are = "is" if excluded.startswith("Any") and " and " not in excluded else "are"
    return f"{subject}: no effect shown. {excluded} {is_are} excluded (difference {difference}, {interval})."


def augmentation_clause(augmented: Answer | None) -> str:
    """Return how a headline that helped ends: whether synthetic images also help on top of standard augmentation."""
    if augmented is None:
        return NOT_COMPARED
    if augmented.outcome == HELPED:
        return ", also beyond standard augmentation"
    # no effect shown is not the same as no effect
    return f", but not {'' if augmented.outcome == HURT else 'shown '}beyond standard augmentation"


def at_baseline(arm: ArmRow, majority_baseline: float, attributes: bool = False) -> str:
    """Return that an arm may be as bad as one answer for every image; of `attributes` that is one value of each."""
    found = arm.accuracy
    one = "giving each attribute its more frequent value" if attributes else "answering the most frequent class"
    return (
        f"Arm {arm.arm} is not shown to be better than always {one}: its accuracy is "
        f"{percent(found.mean)} % ({percent(found.low)} to {percent(found.high)} %), "
        f"that of the one answer {percent(majority_baseline)} %."
    )


def unequal_classes(sizes: list[str], arms: tuple[ArmRow, ArmRow]) -> str:
    """Return that accuracy says little where classes differ that much; `sizes` are the largest and the smallest."""
    balanced = [(arm.arm, arm.metrics["balanced_accuracy"]) for arm in arms]
    shown = [f"{name} has {percent(found.mean)} %" for name, found in balanced if isinstance(found, Estimate)]
    return (
        f"Classes of very different size ({', '.join(sizes)}): accuracy is that of the large ones. By balanced "
        f"accuracy, in which each class counts alike, {' and '.join(shown) or 'nothing is known'}."
    )


def collapse(where: list[str]) -> str:
    """Return that generators collapsed."""
    return f"The generator collapsed: {_signs(where)}."


def little_variety(what: list[str]) -> str:
    """Return what imported sets lack, in the words of the scores."""
    return f"Little variety: {_signs(what)}."


def _signs(found: list[str]) -> str:
    # replicates often show the same: a headline that takes a screen is not read
    more = [f"{len(found) - SIGNS} more signs in the scores"] if len(found) > SIGNS + 1 else []
    return "; ".join(found[:SIGNS] + more if more else found)


def copies(where: list[str]) -> str:
    """Return that synthetic images are copies."""
    return f"Synthetic images are copies of training images: {'; '.join(where)}."


def copies_by_chance(where: list[str]) -> str:
    """Return that synthetic images may be copies, by tests of which chance flags some."""
    return (
        f"Synthetic images were flagged as copies of training images: {'; '.join(where)}, which is no more than chance "
        "may bring among the tests of all replicates."
    )


def tuned_on_one_split(what: list[str]) -> str:
    """Return that options were chosen with images which other splits test on."""
    return (
        f"Options were tuned on one split ({'; '.join(what)}), with images that are test images in other splits: "
        "intervals do not allow for that."
    )


def tuned_on_more(what: list[str]) -> str:
    """Return that options were chosen with more real images, or labels, than the experiment has."""
    return (
        f"Options were tuned ({'; '.join(what)}) with more real images or labels than this experiment has: who has so "
        "few cannot tune on more."
    )


def unlike(a: Information, b: Information, test_seen: bool) -> str:
    """Return why the arms of an answer are not like for like, given what each saw; nothing where they are.

    `test_seen` says that the generator of an arm's synthetic images may have seen the test images.
    """
    if test_seen:
        return MAY_HAVE_SEEN_THE_TEST
    if a.seen == b.seen:
        return ""
    if a.seen[0] != b.seen[0]:
        return NOT_LIKE_FOR_LIKE
    saw = "generator" if a.generator_unlabelled else "classifier"
    return f"Not like for like: the {saw} saw unlabelled real images that the baseline did not."


def few_replicates(protocol: MixedProtocol) -> list[str]:
    """Return what the number of replicates, and when they were added, leave open."""
    lines = []
    if protocol.replicates == 1 and protocol.imported:
        lines.append("One set of synthetic images: this holds for these images only.")
    elif protocol.replicates == 1:
        split = ", this split" if protocol.resplit == "all" else ""
        lines.append(f"One replicate: this holds for this generator{split} and this draw only.")
    if protocol.replicates < protocol.planned:
        lines.append(
            f"{protocol.planned - protocol.replicates} of the {protocol.planned} replicates of a first answer are left "
            "out: intervals do not allow for choosing among them."
        )
    if protocol.added:
        lines.append(
            f"{protocol.added} of {protocol.replicates} replicates were added after a first answer: intervals do not "
            "allow for adding more until an answer pleases."
        )
    return lines


def other_sign(control: EqualSteps, level: float, a: str, b: str) -> str:
    """Return that the control of early stopping says otherwise of arm `a` against arm `b`."""
    digits = bounds_decimals(control.low, control.high)
    points = f"{signed_points(control.difference, digits)} points"
    return (
        f"Early stopping changes the sign: within the same number of steps for every arm the difference of {a} "
        f"against {b} is {points} ({_interval(control.low, control.high, level)})."
    )


def _interval(low: float, high: float, level: float) -> str:
    digits = bounds_decimals(low, high)
    return f"{level_text(level)} interval {signed_points(low, digits)} to {signed_points(high, digits)}"


def _excluded(low: float, high: float, metric: str) -> str:
    """Return the gains and losses outside of an interval that holds 0; a bound of exactly 0 leaves none."""
    digits = bounds_decimals(low, high)
    # accuracies differ by 100 points at most: beyond that nothing needs to be excluded
    if high >= 1:
        beyond = f"Losses beyond {signed_points(-low, digits).lstrip('+')} points" if low < 0 else "Any loss"
        return f"{beyond} of test {metric}"
    if low <= -1:
        above = f"Gains above {signed_points(high, digits).lstrip('+')} points" if high > 0 else "Any gain"
        return f"{above} of test {metric}"
    gains = f"Gains above {signed_points(high, digits).lstrip('+')}" if high > 0 else "Any gain"
    losses = f"losses beyond {signed_points(-low, digits).lstrip('+')} points" if low < 0 else "any loss"
    unit = " points" if high > 0 and not low < 0 else ""
    return f"{gains}{unit} and {losses} of test {metric}"
