"""Charts of numbers over time or over classes, from the records of artifacts."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from shared.metrics.over_replicates import ClassDistance
from shared.plots.figures import COLOURS, plot, shorten
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.gan import HistoryRow
from shared.store.records.scores import ScoresRecord

LOSSES = {
    "discriminator_loss": "discriminator (critic)",
    "generator_loss": "generator",
    "penalty": "gradient penalty",
    "discriminator_class_loss": "discriminator, classes",
    "generator_class_loss": "generator, classes",
}
"""The losses that a history may hold, by the name that a reader sees."""


def curves(
    x: Sequence[float], series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, title: str = ""
) -> Figure:
    """Draw one line for each series over `x`."""
    figure, axes = plot()
    for name, values in series.items():
        axes.plot(x, values, marker="o" if len(x) < 40 else None, markersize=3, label=name)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title, fontsize=9)
    axes.legend()
    return figure


def classifier_curve(record: ClassifierRecord) -> Figure:
    """Draw a classifier's training: loss on train and val, F1 on val, the chosen step."""
    steps = [row.step for row in record.curve]
    series = {
        "train cross-entropy (nats)": [row.train_loss for row in record.curve],
        "val cross-entropy (nats)": [row.val_loss for row in record.curve],
        "val macro F1": [row.val_f1 for row in record.curve],
    }
    figure = curves(steps, series, "optimizer step", "loss (nats) or F1", f"{record.val.n:,} real val images")
    figure.axes[0].axvline(record.best_step, color="grey", linestyle=":", label="chosen")
    figure.axes[0].legend()
    return figure


def gan_losses(history: Sequence[HistoryRow]) -> Figure:
    """Draw a GAN's losses from its history: those that its family has, means between snapshots."""
    epochs = [row.epoch for row in history]
    series = {
        title: [row.losses[name] for row in history] for name, title in LOSSES.items() if name in history[0].losses
    }
    seen = f"{history[-1].images_seen:,} real images shown"
    return curves(epochs, series, "epoch", "loss (mean since the last point)", seen)


def class_losses(histories: Mapping[str, Sequence[HistoryRow]]) -> Figure:
    """Draw the losses of both networks of every class that has its own, from their histories by class name."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, name in ((left, "discriminator_loss"), (right, "generator_loss")):
        for place, (class_name, rows) in enumerate(histories.items()):
            epochs, values = [row.epoch for row in rows], [row.losses[name] for row in rows]
            axes.plot(epochs, values, color=COLOURS[place % len(COLOURS)], label=shorten(class_name))
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss (mean since the last point)")
        axes.set_title(f"{LOSSES[name]} loss, a line for each class", fontsize=9)
    right.legend(fontsize=7, ncols=2)
    return figure


def score_curve(record: ScoresRecord, others: Sequence[ScoresRecord] = ()) -> Figure:
    """Draw the Fréchet distance of every snapshot on val, and which was chosen; thin, those of `others`, replicates."""
    used = record.protocol
    title = f"{used.n_real:,} real {used.reference} images, {used.n_synthetic:,} generated per snapshot"
    epochs, values = zip(*record.curve, strict=True)
    series = {record.chosen_score: values}
    figure = curves(epochs, series, "epoch", f"Fréchet distance ({used.extractor} features)", title)
    axes = figure.axes[0]
    for place, other in enumerate(others):
        x, y = zip(*other.curve, strict=True)
        label = "other replicates" if place == 0 else None
        axes.plot(x, y, color=COLOURS[0], linewidth=0.8, alpha=0.5, label=label, gid=f"replicate-curve-{place}")
    axes.lines[0].set_linewidth(2.5 if others else 1.5)
    axes.set_yscale("log")
    for set_formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        set_formatter(LogFormatter(minor_thresholds=(2, 0.5)))  # no more labels than fit
    axes.axvline(record.chosen.epoch, color="grey", linestyle=":", label="chosen")
    axes.legend()
    return figure


def class_bars(distances: Mapping[str, ClassDistance], name: str, title: str) -> Figure:
    """Draw the distance of each class, by class name, and its floor; the highest first, at most 40."""
    ordered = sorted(distances.items(), key=lambda pair: -pair[1].synthetic)[:40]
    figure, axes = plot(5.4, max(0.24 * len(ordered) + 1, 2.2))
    names = [shorten(class_name) for class_name, _ in ordered]
    rows = range(len(ordered))
    axes.barh(rows, [distance.synthetic for _, distance in ordered], color=COLOURS[0], label="synthetic images")
    floors = [(row, distance.floor) for row, (_, distance) in enumerate(ordered) if distance.floor is not None]
    if floors:
        heights, values = zip(*floors, strict=True)
        axes.plot(values, heights, "|", color=COLOURS[5], markersize=12, markeredgewidth=2, label="floor: real images")
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlabel(f"{name} of the class (lower is better)")
    axes.set_ylabel("class")
    axes.set_title(title, fontsize=9)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def quality_curves(record: ScoresRecord) -> Figure:
    """Draw diversity, sharpness and contrast of each snapshot as ratios to the real images' own, means over classes."""
    by_epoch = [(row.epoch, [item.ratios for item in row.classes if item.ratios]) for row in record.rows]
    drawn = [(epoch, ratios) for epoch, ratios in by_epoch if ratios]
    series = {
        name: [sum(of_class[name] for of_class in ratios) / len(ratios) for _, ratios in drawn]
        for name in ("diversity", "sharpness", "contrast")
    }
    title = f"ratio to {record.protocol.n_real:,} real {record.protocol.reference} images, mean over classes"
    figure = curves([epoch for epoch, _ in drawn], series, "epoch", "generated / real", title)
    figure.axes[0].axhspan(0.85, 1.15, color="grey", alpha=0.15, linewidth=0)
    return figure
