"""The command `results`: the results table and the verdict of an experiment, for people and for scripts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.pipeline import EVALUATE, SYNTHESIZE, TRAIN_MIXED
from shared.cli.common_options import experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.stats.confidence import LEVEL_TEXT
from shared.store.job import Job
from shared.store.lineage import need_test_scores, open_inputs

if TYPE_CHECKING:
    from shared.store.records.mixed import Estimate, MixedRecord
    from shared.store.records.scores import OnTest, ScoresRecord

READS: Job = Job("results", "", "", "", (TRAIN_MIXED, SYNTHESIZE, EVALUATE))
"""The artifacts that are read."""

METRICS = tuple(metric.name for metric in CLASSIFICATION_METRICS if metric.headline)


@dataclass(frozen=True)
class Results:
    """The results of an experiment: the verdict, the chosen snapshot's scores, and the hashes of both artifacts."""

    experiment: str
    mixed: "MixedRecord"
    scores: "ScoresRecord"
    on_test: "OnTest"
    hashes: dict[str, str]

    def facts(self) -> dict[str, object]:
        """Return the results for scripts: arms, scores, verdict, and the protocol of each number."""
        mixed, scores, on_test = self.mixed.facts(), self.scores.facts(), self.on_test.facts()
        return {
            "experiment": self.experiment,
            "arms": mixed["arms"],
            "majority_baseline": mixed["majority_baseline"],
            "verdict": {
                "sentence": self.mixed.comparisons[0].sentence if self.mixed.comparisons else None,
                "comparisons": mixed["comparisons"],
                "worth": mixed["worth"],  # data equivalents; scripts read this key
            },
            "protocol": mixed["protocol"],
            "scores": {
                "chosen": scores["chosen"],
                "test": on_test["test"],
                "real_train_against_test": on_test["real"],
                "score": scores["chosen_score"],
                "protocols": on_test["test_protocols"],
            },
            "artifacts": self.hashes,
        }


def collect(folder: Path) -> Results:
    """Return the results of the experiment in `folder`; BadInput where they are missing, out of step or unreadable."""
    from shared.store.artifacts import input_of

    opened = open_inputs(READS, folder)
    mixed, scores = input_of(opened, TRAIN_MIXED), input_of(opened, EVALUATE)
    hashes = {TRAIN_MIXED.writes: mixed.sha256, EVALUATE.writes: scores.sha256}
    return Results(folder.name, mixed.record, scores.record, need_test_scores(scores), hashes)


def _cell(summary: "Estimate") -> str:
    spread = "" if summary.std is None else f" ±{100 * summary.std:.1f}"
    return f"{100 * summary.mean:.1f}{spread}"


def print_results(folder: Path) -> None:
    """Print the results table, the scores and the verdict to standard output."""
    from rich.console import Console
    from rich.table import Table

    from shared.plots.formatting import real_images

    results = collect(folder)
    mixed, scores, used = results.mixed, results.scores, results.mixed.protocol
    title = f"{results.experiment}: the same classifier on {used.n_test:,} real test images"
    table = Table(title=title, box=None, padding=(0, 1, 0, 0))
    for heading in ("arm", "real", "synthetic", *METRICS):
        table.add_column(heading, justify="left" if heading == "arm" else "right", no_wrap=True)
    for arm in mixed.arms:
        cells = [_cell(arm.accuracy), *(f"{100 * arm.metrics[metric].mean:.1f}" for metric in METRICS[1:])]
        table.add_row(arm.arm, f"{arm.n_real:,}", f"{arm.n_synthetic:,}", *cells)
    console = Console()
    console.print(table)
    seeds = len(used.seeds)
    over = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed, so no spread"
    console.print(f"% of test images; {over}.", highlight=False)
    console.print(f"Always answering the largest class: {100 * mixed.majority_baseline:.1f} %.", highlight=False)
    score = scores.chosen_score
    console.print(
        f"{score} {results.on_test.test.scores[score]:.3f} on test (real train against test: "
        f"{results.on_test.real.scores[score]:.3f}), snapshot of epoch {scores.chosen.epoch}.",
        highlight=False,
    )
    for comparison in mixed.comparisons:
        console.print(comparison.sentence, highlight=False)
    for equivalent in mixed.worth:
        words = f"{equivalent.arm}: as good as {real_images(equivalent.effective, 'about ')} real images"
        low, high = real_images(equivalent.effective_low), real_images(equivalent.effective_high)
        console.print(f"{words} ({LEVEL_TEXT} interval {low} to {high}).", highlight=False)


@click.command("results", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def main(recipe: Recipe, experiment: str | None, data_root: Path, as_json: bool, **_: object) -> None:
    """Print the results table, the scores and the verdict of an experiment."""
    folder = data_root / experiment_name(experiment, recipe)
    if as_json:
        click.echo(json.dumps(collect(folder).facts(), indent=1))
    else:
        print_results(folder)
