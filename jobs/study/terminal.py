"""A study in the terminal."""

from typing import TYPE_CHECKING

from jobs.study.points import KINDS
from shared.cli.progress import open_console

if TYPE_CHECKING:
    from shared.store.records.study import StudyRecord


def print_study(record: "StudyRecord") -> None:
    """Print the warnings, the answers, and a table of the points of each kind."""
    from rich.table import Table
    from rich.text import Text

    from shared.plots.formatting import detectable_points, difference_points, interval_points, level_text

    console = open_console()
    for line in record.warnings:
        console.print(Text(f"Warning: {line}", style="bold yellow"))
    for answer in record.answers:
        console.print(Text(answer.sentence, style="bold"))
        title = f"{record.experiment}: difference at each number of {KINDS[answer.kind].counted}"
        table = Table(title=title, box=None, padding=(0, 1, 0, 0))
        for heading in (
            "point",
            "train",
            "val",
            "test",
            "replicates",
            "points",
            f"{level_text(record.level)}\ninterval",  # 80 columns leave no more
        ):
            table.add_column(heading, justify="left" if heading == "point" else "right", no_wrap=True)
        table.add_column("outcome", justify="left")
        table.add_column("detectable", justify="right", no_wrap=True)
        for point in record.of_kind(answer.kind):
            counts = [f"{count:,}" for count in (point.n_train, point.n_val, point.n_test, point.replicates)]
            found = point.headline
            shown = (difference_points(found), interval_points(found), found.outcome, detectable_points(found))
            table.add_row(point.point, *counts, *shown)
        console.print(table)
