"""Charts of numbers over time or over classes, from the records of artifacts."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from shared.metrics.over_replicates import ClassDistance
from shared.plots import ticks
from shared.plots.figures import COLOURS, plot, shorten, stacked
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

PENALTY = "penalty"

FEW = 6
"""Rows of losses, at most, whose numbers of iterations are all named."""


def curves(
    x: Sequence[float], series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, title: str = ""
) -> Figure:
    """Draw one line for each series over `x`."""
    figure, axes = plot()
    for name, values in series.items():
        axes.plot(x, values, marker=marker(len(x)), markersize=3, label=name)
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


def gan_losses(rows: Sequence[HistoryRow], classes: int = 0) -> Figure:
    """Draw a GAN's losses over epochs (below) and iterations (above), the gradient penalty in axes of its own.

    Those that its family has, as means since the row before. With `classes` the rows are means over pairs of networks
    for each class, and iterations are those of all of them.
    """
    epochs = [row.epoch for row in rows]
    series = {name: [row.losses[name] for row in rows] for name in LOSSES if name in rows[0].losses}
    # a penalty is often many times the losses, and would flatten them
    groups = [[name for name in series if name != PENALTY], [name for name in series if name == PENALTY]]
    figure, parts = stacked(sum(map(bool, groups)))
    places = list(series)
    for axes, names in zip(parts, groups, strict=False):
        for name in names:
            colour = COLOURS[places.index(name)]
            axes.plot(epochs, series[name], marker=marker(len(rows)), markersize=3, color=colour, label=LOSSES[name])
        axes.legend(fontsize=9)
    parts[0].set_ylabel("loss")
    parts[-1].set_xlabel("epoch")
    if len(parts) > 1:
        parts[1].set_ylabel(LOSSES[PENALTY])
    ticks.whole_epochs(parts[-1])
    _iterations(parts[0], rows, classes)
    of_classes = f"means over {classes} classes, " if classes else ""
    figure.suptitle(f"{of_classes}means since the last point, {rows[-1].images_seen:,} real images shown", fontsize=9)
    return figure


def _iterations(axes: Axes, rows: Sequence[HistoryRow], classes: int) -> None:
    """Add an axis of iterations above `axes`, whose x axis has the epochs of `rows`."""
    # by the rows' own numbers, not by an average: a critic's steps and the last, cut batch make epochs uneven
    last = rows[-1]
    points = [(-last.epoch, -last.step), (0, 0), *((row.epoch, row.step) for row in rows)]
    # beyond the rows an axis goes on at the average rate, as far as it may be shown
    epochs, steps = zip(*points, (2 * last.epoch, 2 * last.step), strict=True)
    above = axes.secondary_xaxis(
        "top", functions=(partial(np.interp, xp=epochs, fp=steps), partial(np.interp, xp=steps, fp=epochs))
    )
    if len(rows) <= FEW:
        above.set_xticks([row.step for row in rows])
    else:
        above.xaxis.set_major_locator(MaxNLocator(7, steps=(1, 2, 5, 10), integer=True))
    above.xaxis.set_major_formatter(ticks.PlainFormatter())
    above.tick_params(labelsize=9)
    above.set_xlabel("iteration" + (" (sum over classes)" if classes else ""), fontsize=9)


def marker(points: int) -> str | None:
    """Return the marker of a curve's points; None where there are too many to tell apart."""
    return "o" if points < 40 else None


def score_curve(record: ScoresRecord, others: Sequence[ScoresRecord] = (), score: str = "") -> Figure:
    """Draw the Fréchet distance of every snapshot on val, and which was chosen; thin, those of `others`, replicates.

    `score` is the one that is drawn, by default the one that chose.
    """
    used, score = record.protocol, score or record.chosen_score
    extractor = score.split("_", 1)[1]
    distance = "FID" if score.startswith("fid_") else "Fréchet distance"
    title = f"{used.n_real:,} real {used.reference} images, {used.n_synthetic:,} generated per snapshot"
    epochs, values = zip(*record.curve_of(score), strict=True)
    figure = curves(epochs, {score: values}, "epoch", f"{distance} ({extractor} features)", title)
    axes = figure.axes[0]
    for place, other in enumerate(others):
        x, y = zip(*other.curve_of(score), strict=True)
        label = "other replicates" if place == 0 else None
        axes.plot(x, y, color=COLOURS[0], linewidth=0.8, alpha=0.5, label=label, gid=f"replicate-curve-{place}")
    axes.lines[0].set_linewidth(2.5 if others else 1.5)
    ticks.log_scale(axes)
    ticks.whole_epochs(axes)
    axes.axvline(record.chosen_snapshot.epoch, color="grey", linestyle=":", label="chosen")
    axes.legend()
    return figure


def class_bars(distances: Mapping[str, ClassDistance], name: str, title: str) -> Figure:
    """Draw the distance of each class, by class name, and its floor; the highest first."""
    ordered = sorted(distances.items(), key=lambda pair: -pair[1].synthetic)
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
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    return figure
