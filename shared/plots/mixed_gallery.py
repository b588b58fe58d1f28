"""Every figure of the verdict, composed once: `train_mixed` draws them to PNG, the report shows the same."""

from collections.abc import Sequence

from shared.metrics.classification import confusion_of
from shared.plots import figures, verdict_charts
from shared.plots.answers import shown_answers
from shared.plots.classes import choices
from shared.plots.formatting import difference_points, interval_points, level_text, percent, variance_shares
from shared.plots.gallery import Picture, Pictures
from shared.stats.class_choice import by_size
from shared.store.records.mixed import MixedRecord


def mixed_pictures(record: MixedRecord, classes: Sequence[str]) -> Pictures:
    """Return the differences, every arm's accuracy, the confusion of the two arms of the first answer, and the rest.

    The rest is where the variance is from and the learning curve, as far as they are known.
    """
    pictures: Pictures = {}
    answers, used = shown_answers(record), record.protocol
    if answers:
        title = f"{used.test_images} real test images, {verdict_charts.replicates(used.replicates)}"
        said = "; ".join(
            f"{answer.question}: {difference_points(answer)} points, {level_text(answer.level)} interval "
            f"{interval_points(answer)}"
            for answer in answers
        )
        figure = verdict_charts.differences_chart(answers, title)
        pictures["differences"] = Picture(figure, f"The difference of each question: {said}.")
    means = ", ".join(f"{arm.arm} {percent(arm.accuracy.mean)} %" for arm in record.arms)
    pictures["arms"] = Picture(verdict_charts.arms_chart(record), f"Test accuracy of each arm: {means}.")
    if answers:
        for side, arm in {"a": answers[0].a, "b": answers[0].b}.items():
            pictures[f"confusion_{side}"] = _arm_confusion(record, arm, classes)
    if record.variance and any(share is not None for share in variance_shares(record.variance).values()):
        alt = "Shares of the variance of the headline's difference, by where they come from."
        pictures["variance"] = Picture(verdict_charts.variance_chart(record.variance), alt)
    if record.worth:
        alt = "Accuracy over the number of real images, and the arms with synthetic images."
        pictures["learning_curve"] = Picture(verdict_charts.learning_curve(record), alt)
    return pictures


def _arm_confusion(record: MixedRecord, arm: str, classes: Sequence[str]) -> Picture:
    """Draw the confusion matrix of an arm, summed over its fits."""
    tables = [row.test for row in record.rows if row.arm == arm]
    fits = "1 fit" if len(tables) == 1 else f"sum over {len(tables)} fits"
    title = f"{arm}: {record.protocol.test_images} real test images, {fits}"
    # arms of several attributes have rows of these, and what is confused are their combinations
    choice = by_size(record.train_counts) if record.attributes else choices.of_arms(record)
    matrix = confusion_of(tables, choice.places, choice.count)
    return Picture(figures.confusion(matrix, classes, title, choice), f"Confusion matrix of the arm {arm}.")
