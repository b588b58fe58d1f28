"""Which answers of an experiment are shown first, what must be read before them, what few replicates cost."""

import math

from shared.plots.formatting import level_text
from shared.stats.confidence import LEVEL, quantile
from shared.stats.looks import IMAGES, MINUTES, REPLICATES, STRETCH, TEST_IMAGES, WIDTH
from shared.store.records.mixed import ORIGINAL, Answer, ArmRow, MixedRecord
from shared.store.records.mixed_protocol import MixedProtocol

NO_ANSWER = "No two arms were trained that answer a question together."

ORIGINAL_ARMS = ("real_100", "real_30", "synthetic_70_real_30")
"""The arms of the published 70/30 design, whose metrics are shown with its answer."""

TEST_MAY_BE_SEEN = "the generator may have seen the test images"
"""The first line of a page, card or terminal with answers about imported images, where no real ones were held out."""

HOLD_OUT = "Give real images that it never saw with --held-out DIR; they are then the test split."
"""What to do about it where none are."""

VAL_MAY_BE_SEEN = (
    "The generator may have seen the val images, too, by which the weights of every arm are chosen; these images are "
    "not part of the test."
)

FEW_REPLICATES, MANY_REPLICATES = 3, 5
"""Up to how many replicates it is said what they cost; the number that they are compared with."""


def shown_answers(record: MixedRecord) -> list[Answer]:
    """Return every answer in the order of the page: the one that it begins with, the headline, the others."""
    answers = [record.headline, *record.questions] if record.headline else record.questions
    top = record.top
    return [] if top is None else [top, *(answer for answer in answers if answer is not top)]


def begins_with_original(record: MixedRecord) -> bool:
    """Whether the first answer is that of the published design, in place of the headline's."""
    top = record.top
    return record.first == "original" and top is not None and (top.a, top.b) == ORIGINAL


def first_line(record: MixedRecord) -> str:
    """Return what is read before all else: that no answer about synthetic images is like for like; else nothing."""
    return TEST_MAY_BE_SEEN if record.protocol.test_seen else ""


def first_advice(record: MixedRecord) -> str:
    """Return what to do about the first line: hold out real images, or others than those that a set has."""
    files = record.protocol.test_files
    if not files:
        return HOLD_OUT
    one = sum(files.values()) == 1
    found = ", ".join(f"{count:,} {'file' if count == 1 else 'files'} of {name}" for name, count in files.items())
    are = "is a test image: give others with --held-out, or remove it."
    return f"{found} {are if one else 'are test images: give others with --held-out, or remove them.'}"


def read_first(record: MixedRecord) -> list[str]:
    """Return the lines that are read before the first answers: the first line, what to do about it, the warnings."""
    line = first_line(record)
    return [*([line, first_advice(record)] if line else []), *first_warnings(record)]


def interval_is_for(record: MixedRecord) -> str:
    """Return what an interval allows for, in words."""
    used = record.protocol
    if used.replicates == 1 and used.fits == 1:
        return "other test images"
    if used.test_over_train is not None:
        return (
            "other random splits of such images (corrected resampled t, Nadeau and Bengio 2003, with "
            f"{used.test_over_train:.2g} times as many test images as train images)"
        )
    others = "replicates" if used.replicates > 1 else "fits"
    return f"other {others} and other test images (two-way random effects)"


def what_a_replicate_is(record: MixedRecord) -> str:
    """Return what is different from one replicate to the next, in words."""
    if record.protocol.imported:
        made = "a set of synthetic images as it was given, a new annotator and new fits"
    else:
        made = "a new generator, new images from it, a new annotator and new fits"
    new = {"all": "a new random split, ", "train": "a new subset of the train and val images, "}
    return new.get(record.protocol.resplit or "", "") + made


def first_answers(record: MixedRecord) -> list[Answer]:
    """Return the answer that a reader sees first; then the headline's, where that is another."""
    top, headline = record.top, record.headline
    return [answer for answer in (top, None if headline is top else headline) if answer is not None]


def first_warnings(record: MixedRecord) -> list[str]:
    """Return what must be read before the first answers, each line once."""
    return list(dict.fromkeys(line for answer in first_answers(record) for line in answer.warnings))


def own_warnings(record: MixedRecord, answer: Answer) -> list[str]:
    """Return what must be read before an answer and was not said before the first ones."""
    said = first_warnings(record)
    return [line for line in answer.warnings if line not in said]


def original_arms(record: MixedRecord) -> list[ArmRow]:
    """Return the lines of the published design's arms where the page begins with its answer."""
    return [arm for arm in record.arms if arm.arm in ORIGINAL_ARMS] if begins_with_original(record) else []


def first_arms(record: MixedRecord) -> list[ArmRow]:
    """Return the lines of the first answer's two arms, the baseline last; the first arms where there is no answer."""
    top = record.top
    return record.arms[:2] if top is None else [record.arm(top.a), record.arm(top.b)]


def macro_words(record: MixedRecord) -> str:
    """Return what the metrics of an arm do with classes, and which is the positive one of two."""
    if record.attributes:
        return (
            "Macro: the mean over attributes, each by the images that have it. Accuracy is the share of attributes "
            "that are right, balanced accuracy the mean recall of having and of lacking each; the ROC-AUC is the mean "
            "over attributes of the images that have it against the rest."
        )
    positive = record.arms[0].positive_class
    ranked = (
        f"the ROC-AUC ranks the positive class: {positive}"
        if positive
        else "the ROC-AUC is the mean over classes of one class against the rest"
    )
    return (
        "Macro: the mean over classes, each of which counts the same; one that no answer names has a precision of 0. "
        f"Balanced accuracy is the mean recall; {ranked}."
    )


def one_answer(record: MixedRecord) -> str:
    """Return what the answer is that costs nothing, the same for every image."""
    return (
        "Giving each attribute its more frequent value" if record.attributes else "Always answering the largest class"
    )


def certainty(record: MixedRecord) -> str:
    """Return what few replicates cost, in words; nothing for more than a few."""
    replicates, first = record.protocol.replicates, record.top
    if replicates > FEW_REPLICATES:
        return ""
    if replicates < 2:  # no spread can be estimated from one
        # one fit of one replicate has no spread but that of test images
        others = interval_is_for(record).partition(" (")[0] + (" alone" if record.protocol.fits == 1 else "")
        if record.protocol.imported:
            return (
                f"With 1 set nothing is known of other images of the same generator: the interval speaks of {others}. "
                f"With {MANY_REPLICATES} sets it would speak of the generator."
            )
        return (
            f"With 1 replicate nothing is known of other generators: the interval speaks of {others}. "
            f"With {MANY_REPLICATES} it would speak of the procedure."
        )
    if first is None or first.freedom is None:
        # an earlier version did not keep how much test images add to the degrees of freedom
        level, reach = LEVEL, f"an interval reaches up to {quantile(replicates - 1):.1f}"
        freedom = f"{replicates - 1} degrees of freedom or more"
    else:
        level, reach = first.level, f"the first interval reaches {quantile(first.freedom, first.level):.1f}"
        freedom = f"{first.freedom:.1f} degrees of freedom"
    known = f"{quantile(level=level):.1f}"
    between = "generators" if record.protocol.test_over_train is None else "splits"
    # where test images decide the interval, few replicates may cost nothing
    compared = (
        "as it would if it were known" if reach.endswith(f" {known}") else f"in place of {known} if it were known"
    )
    return (
        f"With {replicates} replicates the spread between {between} is estimated from few: {reach} standard errors "
        f"to each side (Student's t, {freedom}), {compared}."
    )


def stopping_words(record: MixedRecord) -> str:
    """Return how wide the headline's interval is, and why no more replicates were added; "" where nobody asked."""
    used, headline = record.protocol, record.headline
    if used.until is None or used.half_width is None or headline is None:
        return ""
    wanted, reached = _points(used.until), _points(used.half_width)
    after = f"{used.replicates} replicates"
    now = f"the headline's {level_text(headline.level)} interval reaches {reached} points to each side after {after}"
    floor = "" if used.floor is None else f"of these {_points(used.floor)} would remain with any number of replicates"
    reasons = {
        WIDTH: f"{now}; {wanted} were wanted.",
        TEST_IMAGES: f"{now}, and {floor}: {wanted} needs about {headline.needs_test_images or 0:,} test images, there "
        f"are {used.n_test:,}.",
        IMAGES: f"{now}, and {floor}, since all of them split the same images: {wanted} needs more images.",
        REPLICATES: f"{now}, the most that were to be made; {wanted} were wanted{_estimate(used)}.",
        MINUTES: f"{now}, when its time was over; {wanted} were wanted{_estimate(used)}. The same command goes on.",
    }
    return reasons.get(used.stopped_for or "", f"{now}; {wanted} are wanted{_estimate(used)}.")


def budget_note(record: MixedRecord) -> str:
    """Return that epochs, width and replicates were chosen to end in time, for who reads the result; "" elsewhere."""
    minutes = record.protocol.budget_minutes
    if minutes is None:
        return ""
    return (
        f"Epochs and width of the GANs and the number of replicates were chosen to end within {minutes:g} minutes on "
        "the machine that ran this. With more time the generators may be better, and the answers others: that nothing "
        "is shown here does not say that nothing is to be found."
    )


def stopping_note(record: MixedRecord) -> str:
    """Return what a user's budget or width did to the result, for who reads it; "" where nothing of the kind was given.

    With a width that is what was done, how it went, what intervals allow for.
    """
    words = stopping_words(record)
    if not words:
        return budget_note(record)
    return (
        f"Replicates were to be added until the headline's interval is narrow enough: {words} Every interval is "
        f"{100 * (STRETCH - 1):.0f} % wider than for a given number of replicates, which allows for this."
    )


def _points(share: float) -> str:
    """Return a width in points, with three digits: two widths that differ little must not look the same."""
    return f"{100 * share:.3g}"


def _estimate(used: MixedProtocol) -> str:
    """Return about how many replicates would do, as far as the variances are known."""
    wanted, reached, floor = used.until or 0.0, used.half_width or 0.0, used.floor or 0.0
    if not floor < wanted < reached:
        return ""
    number = used.replicates * (reached**2 - floor**2) / (wanted**2 - floor**2)
    return f", for which about {math.ceil(number)} replicates may do"
