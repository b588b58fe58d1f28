"""Print the scores of several experiments next to each other."""

from rich.console import Console
from rich.table import Table

from shared.metrics.compare import WITHIN, ScoreComparison
from shared.metrics.protocol import in_words


def print_comparison(comparison: ScoreComparison) -> None:
    """Print the tables to standard output, with what the differences show."""
    experiments = list(comparison.over_snapshots)
    table = Table(title="on the real test split, mean over replicates", box=None, padding=(0, 2, 0, 0))
    for heading in ("score", *experiments, "finding"):
        table.add_column(heading, justify="left" if heading in ("score", "finding") else "right", overflow="fold")
    for name, values in comparison.scores.items():
        cells = [_cell(values[experiment]["mean"], values[experiment]["std"]) for experiment in experiments]
        table.add_row(name, *cells, finding(comparison, name))
    console = Console(highlight=False)
    console.print(table)
    counts = ", ".join(
        f"{name} {len(values['values'])}" for name, values in next(iter(comparison.scores.values())).items()
    )
    console.print(
        f"Replicates: {counts}. A difference is named where its interval (Welch, {100 * comparison.level:.4g} % each, "
        "so that 95 % hold for all) is beyond 0."
    )
    for protocol in comparison.protocols.values():
        console.print(f"protocol: {in_words(protocol)}")
    curves = Table(title="over all snapshots, on val", box=None, padding=(0, 2, 0, 0))
    for heading in ("experiment", "score", "lowest", "mean", "highest"):
        curves.add_column(heading, justify="left" if heading in ("experiment", "score") else "right", overflow="fold")
    for experiment, curve in comparison.over_snapshots.items():
        summary = (curve.lowest, curve.mean, curve.highest)
        curves.add_row(experiment, curve.score, *(f"{value:.3f}" for value in summary))
    console.print(curves)


def _cell(mean: float, std: float | None) -> str:
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ±{std:.4f}"


def finding(comparison: ScoreComparison, name: str) -> str:
    """Return what the differences of a score show, in words; nothing for what is no score of quality."""
    pairs = comparison.differences.get(name, [])
    if len(pairs) < 2:
        return pairs[0].finding if pairs else ""
    if winner := comparison.best[name]:
        return f"{winner} is best"
    shown = [
        f"{pair.better} is better than {pair.a if pair.better == pair.b else pair.b}" for pair in pairs if pair.better
    ]
    return "; ".join(shown) or (WITHIN if any(pair.low is not None for pair in pairs) else pairs[0].finding)
