"""The command `results`: the results table and the verdict of an experiment, for people and for scripts."""

import json
from pathlib import Path
from typing import Any

import click

from jobs.pipeline import EVALUATE, SYNTHESIZE, TRAIN_MIXED
from shared.cli.common_options import experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.recipes import Recipe
from shared.metrics.metric import CLASSIFICATION_METRICS
from shared.plots.formatting import bought
from shared.stats.confidence import LEVEL_TEXT
from shared.store.job import Job
from shared.store.lineage import need_test_scores, open_inputs

METRICS = tuple(row.name for row in CLASSIFICATION_METRICS if row.headline)


def collect(folder: Path) -> dict[str, Any]:
    """Return the results of the experiment in `folder`: arms, scores, verdict, and the protocol of each number."""
    rows = (TRAIN_MIXED, SYNTHESIZE, EVALUATE)
    opened = open_inputs(Job("results", "", "", "", rows), folder)
    mixed, scores = opened[TRAIN_MIXED.writes], opened[EVALUATE.writes]
    need_test_scores(scores)
    facts = mixed.facts
    return {
        "experiment": folder.name,
        "arms": facts["arms"],
        "majority_baseline": facts["majority_baseline"],
        "verdict": {
            "sentence": facts["comparisons"][0]["sentence"] if facts["comparisons"] else None,
            "comparisons": facts["comparisons"],
            "worth": facts["worth"],
        },
        "protocol": facts["protocol"],
        "scores": {
            "chosen": scores.facts["chosen"],
            "test": scores.facts["test"],
            "real_train_against_test": scores.facts["real"],
            "score": scores.facts["chosen_score"],
            "protocols": scores.facts["test_protocols"],
        },
        "artifacts": {TRAIN_MIXED.writes: mixed.sha256, EVALUATE.writes: scores.sha256},
    }


def _cell(summary: dict[str, Any]) -> str:
    spread = "" if summary["std"] is None else f" ±{100 * summary['std']:.1f}"
    return f"{100 * summary['mean']:.1f}{spread}"


def print_results(folder: Path) -> None:
    """Print the results table, the scores and the verdict to standard output."""
    from rich.console import Console
    from rich.table import Table

    found = collect(folder)
    used = found["protocol"]
    title = f"{found['experiment']}: the same classifier on {used['n_test']:,} real test images"
    table = Table(title=title, box=None, padding=(0, 1, 0, 0))
    for heading in ("arm", "real", "synthetic", *METRICS):
        table.add_column(heading, justify="left" if heading == "arm" else "right", no_wrap=True)
    for arm in found["arms"]:
        cells = [_cell(arm["accuracy"]), *(f"{100 * arm[metric]['mean']:.1f}" for metric in METRICS[1:])]
        table.add_row(arm["arm"], f"{arm['n_real']:,}", f"{arm['n_synthetic']:,}", *cells)
    console = Console()
    console.print(table)
    baseline = 100 * found["majority_baseline"]
    seeds = len(used["seeds"])
    over = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed, so no spread"
    console.print(f"% of test images; {over}.", highlight=False)
    console.print(f"Always answering the largest class: {baseline:.1f} %.", highlight=False)
    test, own = found["scores"]["test"], found["scores"]["real_train_against_test"]
    score = found["scores"]["score"]
    console.print(
        f"{score} {test[score]:.3f} on test (real train against test: "
        f"{own[score]:.3f}), snapshot of epoch {found['scores']['chosen']['epoch']}.",
        highlight=False,
    )
    for comparison in found["verdict"]["comparisons"]:
        console.print(comparison["sentence"], highlight=False)
    for row in found["verdict"]["worth"]:
        words = f"{row['arm']}: as good as {bought(row['effective'], 'about ')} real images"
        low, high = bought(row["effective_low"]), bought(row["effective_high"])
        console.print(f"{words} ({LEVEL_TEXT} interval {low} to {high}).", highlight=False)


@click.command("results", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def main(recipe: Recipe, experiment: str | None, data_root: Path, as_json: bool, **_: object) -> None:
    """Print the results table, the scores and the verdict of an experiment."""
    folder = data_root / experiment_name(experiment, recipe)
    if as_json:
        click.echo(json.dumps(collect(folder), indent=1))
    else:
        print_results(folder)
