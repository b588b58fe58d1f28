"""Print the scores of several experiments next to each other."""

from rich.console import Console
from rich.table import Table

from shared.metrics.compare import ScoreComparison
from shared.metrics.protocol import in_words


def print_comparison(found: ScoreComparison) -> None:
    """Print the tables to standard output, the best of each score marked."""
    experiments = list(found.over_snapshots)
    table = Table(title="on the real test split, * the best", box=None, padding=(0, 2, 0, 0))
    for heading in ("score", *experiments):
        table.add_column(heading, justify="left" if heading == "score" else "right", overflow="fold")
    for name, values in found.scores.items():
        cells = [f"{values[each]:.4f}" for each in experiments]
        winner = found.best[name]
        table.add_row(
            name, *(f"[bold]{c} *[/bold]" if e == winner else f"{c}  " for e, c in zip(experiments, cells, strict=True))
        )
    console = Console()
    console.print(table)
    for protocol in found.protocols.values():
        console.print(f"protocol: {in_words(protocol)}", highlight=False)
    curves = Table(title="over all snapshots, on val", box=None, padding=(0, 2, 0, 0))
    for heading in ("experiment", "score", "lowest", "mean", "highest"):
        curves.add_column(heading, justify="left" if heading in ("experiment", "score") else "right", overflow="fold")
    for each, row in found.over_snapshots.items():
        curves.add_row(each, row.score, *(f"{value:.3f}" for value in (row.lowest, row.mean, row.highest)))
    console.print(curves)
