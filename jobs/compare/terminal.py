"""A comparison in the terminal: the sentence, then a table for scores, epochs, printed numbers and arms."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.compare.comparison import Comparison
from jobs.compare.published import printed_words, remedy
from shared.cli.progress import open_console
from shared.metrics.compare import WITHIN
from shared.metrics.over_epochs import COLUMNS
from shared.metrics.protocol import in_words
from shared.plots import formatting
from shared.plots.answers import first_advice, first_answers, first_line, first_warnings
from shared.store.replicates import replicate_name

MISSING = "\u2013"

SHORT = WITHIN.removesuffix(" over replicates")
"""The usual finding in a narrow column, whose title says over what."""


def print_comparison(comparison: Comparison) -> None:
    """Print all of it to standard output."""
    console = open_console()
    for line in comparison.warnings:
        console.print(Text(f"Warning: {line}", style="bold yellow"))
    _verdicts(console, comparison)
    console.print(Text(comparison.scores.sentence, style="bold"))
    _scores(console, comparison)
    _epochs(console, comparison)
    _published(console, comparison)
    _arms(console, comparison)


def _table(title: str, left: Iterable[str], right: Iterable[str], last: str = "") -> Table:
    """Return an empty table with columns of texts, then of numbers, then one for words if `last` names it."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in left:
        table.add_column(heading, no_wrap=True)  # the numbers' headings fold: names of scores are read letter by letter
    for heading in right:
        table.add_column(heading, justify="right", overflow="fold")
    if last:
        table.add_column(last, overflow="fold")
    return table


def _verdicts(console: Console, comparison: Comparison) -> None:
    """Print the first answer of each experiment, after what it may not be read without."""
    for name, mixed in comparison.verdicts.items():
        if line := first_line(mixed):
            console.print(Text(f"{name}: {line}", style="bold yellow"))
            console.print(first_advice(mixed), markup=False)
        for line in first_warnings(mixed):
            console.print(Text(f"{name}: Warning: {line}", style="bold yellow"))
        for answer in first_answers(mixed):
            console.print(Text(f"{name}: {answer.sentence}", style="bold"))


def _scores(console: Console, comparison: Comparison) -> None:
    names, scores = list(comparison.experiments), comparison.scores
    table = _table("on the real test split, mean ± standard deviation over replicates", ["score"], names, "finding")
    for score, values in scores.scores.items():
        cells = [spread(values[name]["mean"], values[name]["std"]) for name in names]
        table.add_row(score, *cells, scores.findings[score].words.replace(WITHIN, SHORT))
    console.print(table)
    for score in filter(formatting.side_words, scores.scores):
        # not in the table, whose names leave no room
        console.print(f"{score}{formatting.side_words(score)}: the number of real images still matters.", markup=False)
    counts = "; ".join(f"{name}: {each.replicates_words}" for name, each in comparison.experiments.items())
    console.print(f"{counts}.", markup=False)
    console.print(
        f"A difference is named where its interval (Welch) is beyond 0: {formatting.level_text(scores.level)} each for "
        f"{scores.score}, {formatting.level_text(scores.other_level)} for the other scores.",
        markup=False,
    )
    for extractor, why in scores.not_compared.items():
        console.print(f"not compared: {extractor}: {why}", markup=False)
    for protocol in scores.protocols.values():
        console.print(f"protocol: {in_words(protocol)}", markup=False)
    if comparison.referenced:
        for note in (f"brought to {comparison.referenced.preparation}", *comparison.referenced.notes):
            console.print(f"reference {comparison.referenced.name}: {note}", markup=False)


def _epochs(console: Console, comparison: Comparison) -> None:
    overs = comparison.epochs.experiments
    if not overs:  # imported images have no epochs
        return
    score = next(iter(overs.values())).score if len({over.score for over in overs.values()}) == 1 else ""
    title = f"{score or 'distance'} on val, over the epochs of all replicates together"
    table = _table(title, ["experiment"], [*COLUMNS, "best epoch"], "" if score else "score")
    for name, over in overs.items():
        values = [number(getattr(over, column)) for column in COLUMNS]
        best = f"{over.best_epoch} ({replicate_name(over.best_replicate)})"
        table.add_row(name, *values, best, *([] if score else [over.score]))
    console.print(table)
    for column, finding in comparison.epochs.findings.items():
        console.print(f"{column}: {finding.words}", markup=False)
    if comparison.epochs.why_not:
        console.print(f"These do not compare: {comparison.epochs.why_not}", markup=False)


def _published(console: Console, comparison: Comparison) -> None:
    if comparison.all_imported and not comparison.any_published:
        return
    table = _table("printed numbers", ["experiment", "number"], ["printed", "here"], "what exactly")
    for name, rows in comparison.printed.items():
        for row in rows:
            table.add_row(name, row.about, f"{row.printed:g}", number(row.ours.value), row.ours.note)
    if table.row_count:
        console.print(table)
    if words := remedy(row for rows in comparison.printed.values() for row in rows):
        console.print(words, markup=False)
    for name, experiment in comparison.experiments.items():
        console.print(f"{name}: {printed_words(experiment)}", markup=False)


def _arms(console: Console, comparison: Comparison) -> None:
    names = [name for name, each in comparison.experiments.items() if each.mixed]
    table = _table("accuracy on test by arm, %, mean ± standard deviation over replicates", ["arm"], names)
    for arm, rows in comparison.arms.items():
        table.add_row(arm, *(formatting.spread(rows[name].accuracy) if name in rows else MISSING for name in names))
    if names:
        console.print(table)


def number(value: float | None) -> str:
    """Return a number with four digits, or a dash where there is none."""
    return MISSING if value is None else f"{value:.4g}"


def spread(mean: float, std: float | None) -> str:
    """Return a mean with four digits and, where there is one, its standard deviation with two."""
    return f"{mean:.4g}" if std is None else f"{mean:.4g} ±{std:.2g}"
