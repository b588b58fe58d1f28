"""The command `results`: the verdict and the results tables of an experiment, for people and for scripts."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.pipeline import EVALUATE, PIPELINE, PREPROCESS, SYNTHESIZE, TRAIN_GAN, TRAIN_MIXED
from shared.cli.common_options import experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.progress import open_console
from shared.cli.recipes import Recipe
from shared.errors import BadInput, MissingArtifact
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.stats.confidence import LEVEL_TEXT
from shared.store.job import Job
from shared.store.lineage import (
    STUDY_FOLDER,
    experiment_label,
    is_point,
    need_test_scores,
    open_inputs,
    replaced_since,
    volume_of,
)
from shared.store.replicates import as_there, best_on_val
from shared.store.replicates import place as place_of

if TYPE_CHECKING:
    from rich.console import Console

    from shared.store.records.datasets import Imported
    from shared.store.records.gan import GanRecord
    from shared.store.records.mixed import Estimate, MixedRecord
    from shared.store.records.scores import OnTest, ScoresRecord
    from shared.store.records.study import StudyRecord

READS: Job = Job("results", "", "", "", (TRAIN_MIXED, SYNTHESIZE, EVALUATE))
"""The artifacts that are read."""

GENERATORS: Job = Job("results", "", "", "", (TRAIN_GAN, EVALUATE))
"""Those that are read where they are there: a GAN that was trained further takes nothing from the verdict."""

JUDGE = "judge"
"""The recipe of `halfreal judge`, which a user calls in place of single jobs."""

METRICS = tuple(metric.name for metric in CLASSIFICATION_METRICS if metric.headline)


@dataclass(frozen=True)
class Results:
    """The results of an experiment: the verdict, the scores of every replicate, the hashes of what they are from.

    `gans` are those that were scored, by replicate; None where they are no longer there, or never were: `imported` has
    the sets that were imported. `replaced` has the places of what is another artifact since. `drawn` says how synthetic
    images were drawn, empty where simply all were taken.
    """

    experiment: str
    mixed: "MixedRecord"
    scores: "list[ScoresRecord]"
    on_test: "list[OnTest]"
    hashes: dict[str, str]
    gans: "list[GanRecord] | None" = None
    imported: "list[Imported]" = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    drawn: str = ""

    @property
    def shown(self) -> int:
        """The replicate whose classes are listed, and whose pictures are on the page: the best on val, or the first."""
        return best_on_val(dict(enumerate(self.scores)))

    def facts(self) -> dict[str, object]:
        """Return the results for scripts."""
        from jobs.commands.results_classes import generator_json
        from jobs.commands.results_json import results_json
        from jobs.commands.results_scores import scores_json
        from shared.metrics.over_replicates import copies, membership, summaries

        others: dict[str, object] = {
            "generator": generator_json(self.scores, self.gans, self.shown),
            **scores_json(self.scores, self.on_test),
            "imported": [each.facts() for each in self.imported],
            "drawn": self.drawn or None,
            "artifacts": self.hashes,
            "replaced": self.replaced,
        }
        found = copies(self.on_test), membership(self.on_test, bool(self.imported))
        return results_json(self.experiment, self.mixed, summaries(self.on_test), *found, others)


def collect(folder: Path) -> Results:
    """Return the results of the experiment in `folder`; BadInput where they are missing, out of step or unreadable."""
    from shared.store.artifacts import input_of, inputs_of
    from shared.store.records.datasets import drawn_words

    try:
        opened = open_inputs(READS, folder)
    except MissingArtifact as error:
        if not is_judged(folder):
            raise
        raise MissingArtifact(f"{folder}: unfinished; make the same `halfreal judge` call again, it goes on") from error
    mixed, scores = input_of(opened, TRAIN_MIXED), inputs_of(opened, EVALUATE)
    hashes = {name: opened[name].sha256 for name in opened if name.partition("/")[0] != SYNTHESIZE.writes}
    on_test = [need_test_scores(replicate) for replicate in scores]
    records = [replicate.record for replicate in scores]
    gans = None if any(record.imported for record in records) else scored_gans(folder, len(scores))
    synthetic = [made.record for made in inputs_of(opened, SYNTHESIZE)]
    sets = [record.imported for record in synthetic if record.imported is not None]
    replaced, drawn = replaced_since(opened, folder, PIPELINE), drawn_words(synthetic)
    return Results(experiment_label(folder), mixed.record, records, on_test, hashes, gans, sets, replaced, drawn)


def study_of(folder: Path) -> "StudyRecord | None":
    """Return the study of the experiment in `folder`; None where none was answered."""
    if not (folder / STUDY_FOLDER).is_dir():
        return None
    from jobs.study.record import read_study

    return read_study(folder)


def is_judged(folder: Path) -> bool:
    """Return whether `halfreal judge` began the experiment in `folder`, as far as its run.json says."""
    try:
        recorded = json.loads((folder / place_of(as_there(PREPROCESS, folder), 0) / "run.json").read_text("utf-8"))
        return bool(recorded["recipe"] == JUDGE)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def scored_gans(folder: Path, replicates: int) -> "list[GanRecord] | None":
    """Return the GANs that the scores are of, None where one is absent, unreadable or another one by now."""
    from shared.store.artifacts import inputs_of

    try:
        opened = open_inputs(GENERATORS, folder, replicates=replicates)
        return [artifact.record for artifact in inputs_of(opened, TRAIN_GAN)]
    except BadInput:
        return None


def _cell(summary: "Estimate") -> str:
    spread = "" if summary.std is None else f" ±{100 * summary.std:.1f}"
    return f"{100 * summary.mean:.1f}{spread}"


def print_results(folder: Path, classes: bool = False) -> None:
    """Print the verdict, the questions, the arms, their metrics and the scores; with `classes` those of every class."""
    from jobs.commands.results_classes import print_arm_metrics, print_generator
    from jobs.commands.results_scores import print_imported, print_missing, print_replaced, print_scores

    results, console = collect(folder), open_console()
    print_replaced(console, results.replaced)
    print_first_line(console, results.mixed)
    print_missing(console, results.scores, volume_of(folder))
    print_imported(console, results.imported)
    if results.drawn:
        console.print(results.drawn, markup=False)
    print_verdict(console, results.mixed)
    print_questions(console, results.mixed)
    print_arms(console, results.experiment, results.mixed)
    print_arm_metrics(console, results.mixed, every=classes)
    print_scores(console, results.scores, results.on_test, results.imported)
    print_generator(console, results.scores, results.gans, results.shown, every=classes)


def print_first_line(console: "Console", mixed: "MixedRecord") -> None:
    """Print what no answer may be read without, and what to do about it."""
    from rich.text import Text

    from shared.plots.answers import first_advice, first_line

    if line := first_line(mixed):
        console.print(Text(line, style="bold yellow"))
        console.print(first_advice(mixed), markup=False)


def print_verdict(console: "Console", mixed: "MixedRecord") -> None:
    """Print the warnings, then the answer that matters most."""
    from rich.text import Text

    from shared.plots.answers import NO_ANSWER, certainty, first_answers, first_warnings, stopping_note

    for line in first_warnings(mixed):
        console.print(Text(f"Warning: {line}", style="bold yellow"))
    answers = first_answers(mixed)
    for answer in answers:
        # not markup: a question may have brackets
        console.print(Text(answer.sentence, style="bold"))
    if not answers:
        console.print(NO_ANSWER)
    for line in filter(None, (stopping_note(mixed), certainty(mixed))):
        console.print(line, markup=False)


def print_questions(console: "Console", mixed: "MixedRecord") -> None:
    """Print what the experiment can find, then the answers that were not shown first, each with its own warnings."""
    from shared.plots.answers import first_answers, own_warnings, shown_answers
    from shared.plots.formatting import detectable_points, detectable_sentence

    first = first_answers(mixed)
    for answer in first:
        console.print(detectable_sentence(answer), markup=False)
    for answer in shown_answers(mixed):
        if answer not in first:
            found = f"Found four times in five: {detectable_points(answer)} points."
            console.print(" ".join(["-", *own_warnings(mixed, answer), answer.sentence, found]), markup=False)
    console.print()


def print_arms(console: "Console", experiment: str, mixed: "MixedRecord") -> None:
    """Print what each arm was trained on and how it does on test."""
    from rich.table import Table

    from shared.plots.answers import one_answer
    from shared.plots.formatting import metric_value, real_count, real_images, synthetic_count, variance_words

    used = mixed.protocol
    table = Table(
        title=f"{experiment}: the same classifier on {used.test_images} real test images",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for heading in ("arm", "real", "synthetic", *METRICS):
        table.add_column(heading, justify="left" if heading == "arm" else "right", no_wrap=True)
    for arm in mixed.arms:
        cells = [_cell(arm.accuracy), *(metric_value(arm.metrics[metric]) for metric in METRICS[1:])]
        table.add_row(arm.arm, real_count(arm), synthetic_count(arm), *cells)
    console.print(table)
    many = used.replicates > 1
    over = f"mean ± standard deviation over {used.replicates} replicates" if many else "one replicate, so no spread"
    once = used.imported and used.replicates == used.planned == 1
    counts = "" if once else f" ({used.planned} planned, {used.added} added)"
    console.print(f"% of test images; {'one set' if once else over}{counts}.")
    console.print(f"{one_answer(mixed)}: {100 * mixed.majority_baseline:.1f} %.")
    console.print(variance_words(mixed.variance))
    for equivalent in mixed.worth:
        words = f"{equivalent.arm}: as good as {real_images(equivalent.effective, 'about ')} real images"
        low, high = real_images(equivalent.effective_low), real_images(equivalent.effective_high)
        console.print(f"{words} ({LEVEL_TEXT} interval {low} to {high}).")


@click.command("results", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--classes", is_flag=True, help="Print every class of every arm, and of the generator.")
def main(recipe: Recipe, experiment: str | None, data_root: Path, as_json: bool, classes: bool, **_: object) -> None:
    """Print the verdict of an experiment, then its questions, its arms, its scores and its classes."""
    folder = data_root / experiment_name(experiment, recipe)
    study, judged = study_of(folder), (folder / TRAIN_MIXED.writes).is_dir()
    facts, broken = no_facts(folder), None
    try:
        if as_json:
            facts = collect(folder).facts()
        elif study is None or judged:
            print_results(folder, classes)
    except BadInput as error:
        if is_point(folder) and not judged:
            # the study sets its options: the jobs that lack would make another experiment of it
            again = f"halfreal study --experiment {folder.parents[1].name} --{folder.name.replace('-', ' ', 1)}"
            raise MissingArtifact(f"{folder}: has no verdict; run the study again, such as: {again}") from error
        if study is None:
            raise
        # a study needs no results of the experiment that it is of, and broken ones take nothing from it
        broken = error if judged else None
    if as_json:
        click.echo(json.dumps(facts | study_json(folder, study), indent=1, allow_nan=False))
    elif study is not None:
        print_study_of(folder, study)
    if broken is not None:
        raise broken


def no_facts(folder: Path) -> dict[str, object]:
    """Return the results for scripts of an experiment that has none of its own, only a study."""
    return {"experiment": experiment_label(folder), "headline": None, "questions": [], "arms": []}


def study_json(folder: Path, study: "StudyRecord | None") -> dict[str, object]:
    """Return the study of the experiment in `folder` for scripts, and which points are outdated; null without."""
    from jobs.study.outdated import outdated

    if study is None:
        return {"study": None, "study_outdated": None}
    return {"study": study.facts(), "study_outdated": outdated(folder, study)}


def print_study_of(folder: Path, study: "StudyRecord") -> None:
    """Print the study of the experiment in `folder`; before it, whether it is still true."""
    from jobs.study.outdated import outdated, outdated_words
    from jobs.study.terminal import print_study

    if points := outdated(folder, study):
        click.secho(f"Warning: {outdated_words(points)}", fg="yellow", bold=True)
    print_study(study)
