"""The page of a comparison: one self-contained file, in the style of the report."""

import os
from pathlib import Path
from urllib.parse import quote

from jobs.compare.comparison import Comparison
from jobs.compare.published import printed_words, remedy
from jobs.compare.terminal import number, spread
from jobs.report.figures import Embedded, embed
from jobs.report.templates import page_template
from shared import __version__
from shared.metrics.over_epochs import COLUMNS
from shared.metrics.protocol import in_words
from shared.plots import answers, compare_charts
from shared.plots.gallery import Picture
from shared.store.replicates import replicate_name

FILTERS = ("percent", "spread", "level_text", "side_words")
"""The functions of `formatting` that the template calls, by name."""


def render(comparison: Comparison, page: Path | None = None) -> str:
    """Return the page: HTML that asks no network for anything. It links to the reports where it will be at `page`."""
    template = page_template(
        Path(__file__).with_name("compare.html"), FILTERS, in_words=in_words, replicate=replicate_name
    )
    return template.render(
        version=__version__,
        comparison=comparison,
        names=list(comparison.experiments),
        scores=comparison.scores,
        epochs=comparison.epochs,
        columns=COLUMNS,
        number=number,
        plus_minus=lambda found: spread(found["mean"], found["std"]),
        printed_words={name: printed_words(each) for name, each in comparison.experiments.items()},
        remedy=remedy(row for rows in comparison.printed.values() for row in rows),
        curves=curves(comparison),
        samples=samples(comparison),
        reports=reports(comparison, page) if page else {},
        first_line=answers.first_line,
        first_warnings=answers.first_warnings,
        first_answers=answers.first_answers,
        no_answer=answers.NO_ANSWER,
        first_advice=answers.first_advice,
    )


def reports(comparison: Comparison, page: Path) -> dict[str, str]:
    """Return the address of each experiment's report, as seen from `page`; none of those that have no report."""
    folders = {
        name: next(iter(each.scores.values())).folder.parents[1] for name, each in comparison.experiments.items()
    }
    places = {name: folder / "report" / "index.html" for name, folder in folders.items()}
    start = page.absolute().parent
    return {
        name: quote(Path(os.path.relpath(place.absolute(), start)).as_posix())
        for name, place in places.items()
        if place.is_file()
    }


def curves(comparison: Comparison) -> Embedded | None:
    """Return the distances over epochs of all experiments in one figure; None where none has epochs."""
    if not comparison.epochs.experiments:
        return None
    together = not comparison.epochs.why_not
    return embed(compare_charts.curves_picture(comparison.epochs.experiments, together))


def samples(comparison: Comparison) -> dict[str, Embedded]:
    """Return the images of each experiment's best epoch, or some of its first imported set."""
    return {name: embed(sample(comparison, name)) for name in comparison.experiments}


def sample(comparison: Comparison, name: str) -> Picture:
    """Return images of the experiment `name`."""
    experiment = comparison.experiments[name]
    real = experiment.real.dataset
    if experiment.imported:
        return compare_charts.imported_picture(name, next(iter(experiment.sets.values())), real.classes)
    over = comparison.epochs.experiments[name]
    return compare_charts.samples_picture(name, over, experiment.gans[over.best_replicate], real)
