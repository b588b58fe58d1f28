"""The scores of every snapshot in TensorBoard, next to the losses and samples that train_gan wrote."""

from pathlib import Path
from statistics import mean

from shared.metrics.pixels import QUALITIES
from shared.plots.tensorboard import open_tensorboard
from shared.store.records.scores import SnapshotScores


def write_tensorboard(folder: Path, rows: list[SnapshotScores]) -> None:
    """Write, by epoch, every number of the `rows` of snapshots, and the ratios to real images as means over classes."""
    tensorboard = open_tensorboard(folder)
    for snapshot in rows:
        numbers = snapshot.scores | ({} if snapshot.agreement is None else {"agreement": snapshot.agreement})
        # classes with too few images have none
        ratios = [quality.ratios for quality in snapshot.classes if quality.ratios]
        if ratios:
            numbers |= {
                f"ratio_to_real/{name}": mean(class_ratios[name] for class_ratios in ratios) for name in QUALITIES
            }
        for name, value in numbers.items():
            tensorboard.add_scalar(name, value, snapshot.epoch)
    tensorboard.close()
