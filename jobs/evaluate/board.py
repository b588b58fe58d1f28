"""The scores of every snapshot in TensorBoard, beside the losses and samples that train_gan wrote."""

from pathlib import Path
from statistics import mean
from typing import Any

from jobs.evaluate.pixels import QUALITIES
from shared.board import open_board


def write_board(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write, by epoch, every number of the `rows` of snapshots, and the ratios to real images as means over classes."""
    board = open_board(folder)
    for row in rows:
        numbers = {name: value for name, value in row.items() if isinstance(value, float)}
        ratios = [each["ratios"] for each in row["classes"] if each["ratios"]]
        if ratios:
            numbers |= {f"ratio_to_real/{name}": mean(each[name] for each in ratios) for name in QUALITIES}
        for name, value in numbers.items():
            board.add_scalar(name, value, row["epoch"])
    board.close()
