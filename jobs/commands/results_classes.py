"""Results by class in the terminal: the metrics of arms with their intervals, and what each class's images are like."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.plots.answers import first_arms, macro_words
from shared.plots.classes.choices import of_arms, of_qualities
from shared.plots.formatting import CLASS_METRICS, metric_name, metric_value, percent_interval
from shared.stats.confidence import LEVEL_TEXT

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from shared.store.records.gan import GanRecord
    from shared.store.records.mixed import ArmRow, Estimate, MixedRecord, OptionalEstimate
    from shared.store.records.scores import ScoresRecord

LOSSES = {"discriminator_loss": "loss D", "generator_loss": "loss G"}
"""The losses that are printed, by their names in the history, where they are means since the snapshot before."""

ALL_CLASSES = "all of them: halfreal results --classes"


def print_arm_metrics(console: "Console", record: "MixedRecord", every: bool) -> None:
    """Print every metric of the first answer's arms with its interval, and the classes; with `every`, of all arms."""
    arms = record.arms if every else first_arms(record)
    for start in range(0, len(arms), 2):
        _print_metrics(console, record, arms[start : start + 2], classes=not every)
    console.print(macro_words(record), markup=False)
    if arms[0].classes is None:
        console.print("There is nothing by class: an earlier version of halfreal made these results.")
    elif every:
        for arm in arms:
            _print_classes(console, arm)


def _table(console: "Console", title: str, *headings: str) -> "Table":
    """Print a title; return the empty table below it."""
    from rich.table import Table
    from rich.text import Text

    # not the table's own title, which is no wider than the table; texts, since class names may look like markup
    console.print(Text(title))
    table = Table(box=None, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if place else "left", overflow="fold")
    return table


def _row(table: "Table", *cells: str) -> None:
    from rich.text import Text

    table.add_row(*map(Text, cells))


def _cell(estimate: "Estimate | OptionalEstimate") -> str:
    # a dash, since three of these fit on a line of 80 characters
    interval = percent_interval(estimate).replace(" to ", "\u2013")
    mean = metric_value(estimate)
    return f"{mean} ({interval})" if interval else mean


def _print_metrics(console: "Console", record: "MixedRecord", arms: "Sequence[ArmRow]", classes: bool) -> None:
    """Print the metrics of one or two arms next to each other, those of the classes below; F1 alone of many classes."""
    table = _table(
        console,
        f"Metrics, % of {record.protocol.test_images} real test images ({LEVEL_TEXT} interval)",
        *("metric", *(arm.arm for arm in arms)),
    )
    for metric in CLASSIFICATION_METRICS:
        estimates = [arm.metrics[metric.name] for arm in arms if metric.name in arm.metrics]
        _row(
            table,
            metric_name(metric.name, arms[0].positive_class),
            *(_cell(found) for found in estimates),
        )
    by_class = (arms[0].classes or []) if classes else []
    choice = of_arms(record)
    for place, row in ((place, by_class[place]) for place in choice.places if by_class):
        for name in CLASS_METRICS if len(by_class) == 2 else ("f1",):
            words = f"{CLASS_METRICS[name]} of {row.class_name}, {row.n:,} image{'' if row.n == 1 else 's'}"
            _row(table, words, *(_cell(getattr((arm.classes or [])[place], name)) for arm in arms))
    console.print(table)
    if by_class and choice.words:
        console.print(f"{choice.words}; {ALL_CLASSES}.")


def _print_classes(console: "Console", arm: "ArmRow") -> None:
    table = _table(console, f"{arm.arm}: {arm.about}", "class", "images", "precision", "recall", "F1")
    for row in arm.classes or []:
        positive = " (positive)" if row.class_name == arm.positive_class else ""
        _row(table, f"{row.class_name}{positive}", f"{row.n:,}", *map(_cell, (row.precision, row.recall, row.f1)))
    console.print(table)


def print_generator(
    console: "Console",
    scores: "Sequence[ScoresRecord]",
    gans: "Sequence[GanRecord] | None",
    shown: int,
    every: bool,
) -> None:
    """Print qualities, category and final losses of the images of each class; of replicate `shown`, then of all.

    `gans` are those that the scores are of, None where they are no longer there.
    """
    from shared.store.replicates import replicate_name, why_shown

    record, gan = scores[shown], None if gans is None else gans[shown]
    if record.on_test is None:
        return
    classes = record.on_test.test.classes
    names = next((list(row.qualities) for row in classes if row.qualities), [])
    which = "imported" if record.chosen is None else f"snapshot of epoch {record.chosen.epoch}"
    title = (
        f"Images of replicate {replicate_name(shown)} of {len(scores)}, {why_shown(scores)}, {which}: "
        "ratios to the real test images"
    )
    # of a class, where each has networks of its own
    by_class = gan.histories if gan is not None and gan.class_histories else {}
    table = _table(console, title, "class", *names, "category", *(LOSSES.values() if by_class else ()))
    choice = of_qualities(classes)
    for row in classes if every else [classes[place] for place in choice.places]:
        ratios = [f"{row.ratios[name]:.2f}" if row.ratios else "-" for name in names]
        losses = by_class[row.class_name][-1].losses if by_class else {}
        shown_losses = [f"{losses[name]:.3f}" for name in LOSSES if name in losses]
        _row(table, row.class_name, *ratios, row.category or "too few images", *shown_losses)
    console.print(table)
    if choice.words and not every:
        console.print(f"{choice.words}; {ALL_CLASSES}.")
    if gan is None and not record.imported:
        console.print("Losses: the GANs that were scored are no longer there.")
    elif gan is not None and not by_class:
        losses = gan.history[-1].losses
        console.print(f"Final losses: {', '.join(f'{words} {losses[name]:.3f}' for name, words in LOSSES.items())}.")
    console.print(_categories(scores))


def _categories(scores: "Iterable[ScoresRecord]") -> str:
    """Return how many classes of all replicates are in each category."""
    counts = Counter(
        row.category or "too few images"
        for record in scores
        if record.on_test is not None
        for row in record.on_test.test.classes
    )
    order = ("Excellent", "Good", "Needs Improvement", "too few images")
    said = ", ".join(f"{name} {counts[name]}" for name in order if name in counts)
    return f"Classes of all replicates: {said}. Excellent: every ratio within 15 % of 1; Good: within 35 %."


def generator_json(
    scores: "Sequence[ScoresRecord]", gans: "Sequence[GanRecord] | None", shown: int
) -> dict[str, object]:
    """Return qualities, ratios, category and final losses of each class in every replicate; null where not known."""
    return {
        "shown_replicate": shown,
        "replicates": [
            _replicate_json(number, record, None if gans is None else gans[number])
            for number, record in enumerate(scores)
        ],
    }


def _replicate_json(number: int, record: "ScoresRecord", gan: "GanRecord | None") -> dict[str, object]:
    by_class = gan.histories if gan is not None and gan.class_histories else {}
    return {
        "replicate": number,
        "epoch": None if record.chosen is None else record.chosen.epoch,
        "final_losses": None if gan is None or by_class else gan.history[-1].losses,
        "classes": [
            row.facts() | {"final_losses": by_class[row.class_name][-1].losses if by_class else None}
            for row in (record.on_test.test.classes if record.on_test else [])
        ],
    }
