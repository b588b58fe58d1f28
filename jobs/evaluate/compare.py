"""Print the scores of several experiments next to each other."""

from rich.console import Console
from rich.table import Table

from shared.metrics.compare import ScoreComparison
from shared.metrics.protocol import in_words


def print_comparison(comparison: ScoreComparison) -> None:
    """Print the tables to standard output, the best of each score marked."""
    experiments = list(comparison.over_snapshots)
    table = Table(title="on the real test split, * the best", box=None, padding=(0, 2, 0, 0))
    for heading in ("score", *experiments):
        table.add_column(heading, justify="left" if heading == "score" else "right", overflow="fold")
    for name, values in comparison.scores.items():
        cells = [f"{values[experiment]:.4f}" for experiment in experiments]
        winner = comparison.best[name]
        table.add_row(
            name, *(f"[bold]{c} *[/bold]" if e == winner else f"{c}  " for e, c in zip(experiments, cells, strict=True))
        )
    console = Console()
    console.print(table)
    for protocol in comparison.protocols.values():
        # without highlighting: numbers in a protocol are to be read as text
        console.print(f"protocol: {in_words(protocol)}", highlight=False)
    curves = Table(title="over all snapshots, on val", box=None, padding=(0, 2, 0, 0))
    for heading in ("experiment", "score", "lowest", "mean", "highest"):
        curves.add_column(heading, justify="left" if heading in ("experiment", "score") else "right", overflow="fold")
    for experiment, curve in comparison.over_snapshots.items():
        summary = (curve.lowest, curve.mean, curve.highest)
        curves.add_row(experiment, curve.score, *(f"{value:.3f}" for value in summary))
    console.print(curves)
