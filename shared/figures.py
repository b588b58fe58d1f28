"""Figures that more than one job draws: matplotlib in, PNG files or inline SVG out.

Every figure has axis labels with units, a legend where there is more than one series, and says how many images
stand behind it.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's palette, which readers with any colour vision can tell apart."""

STYLE: dict[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.hashsalt": "halfreal",
    "svg.fonttype": "none",
}


def save_png(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG."""
    with mpl.rc_context(STYLE):
        figure.savefig(path, dpi=110, bbox_inches="tight", facecolor="white")


def to_svg(figure: Figure) -> str:
    """Return `figure` as one `<svg>` element; equal figures give equal text."""
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", bbox_inches="tight", facecolor="white", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def plot(width: float = 6.4, height: float = 3.6) -> tuple[Figure, Axes]:
    """Return an empty figure of one pair of axes, in inches."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def tile(images: Any, columns: int, gap_px: int = 1) -> Any:
    """Join uint8 images (N, channels, size, size) into one (height, width[, 3]) picture, row by row, white gaps."""
    pixels = np.asarray(images)
    count, channels, side, _ = pixels.shape
    rows = -(-count // columns)
    step = side + gap_px
    sheet = np.full((rows * step - gap_px, columns * step - gap_px, channels), 255, np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * step, index % columns * step
        sheet[top : top + side, left : left + side] = image.transpose(1, 2, 0)
    return sheet[:, :, 0] if channels == 1 else sheet


def image_grid(images: Any, columns: int, title: str, captions: Sequence[str] = ()) -> Figure:
    """Draw uint8 images (N, channels, size, size) in rows of `columns`, each with its caption if there are any."""
    pixels = np.asarray(images)
    rows = max(-(-len(pixels) // columns), 1)
    if not captions:
        figure, axes = plot(min(0.6 * columns, 9) + 0.2, min(0.6 * columns, 9) * rows / columns + 0.5)
        axes.imshow(tile(pixels, columns), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
        return figure
    figure = Figure(figsize=(0.95 * columns, 1.15 * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=9)
    for index, (image, caption) in enumerate(zip(pixels, captions, strict=True)):
        axes = figure.add_subplot(rows, columns, index + 1)
        picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(caption, fontsize=7, pad=2)
    return figure


def class_rows(images: Any, labels: Any, classes: Sequence[str], title: str, per_class: int = 10) -> Figure:
    """Draw up to `per_class` images of each class, a row for each class, named at its left."""
    pixels, labels = np.asarray(images), np.asarray(labels)
    side, channels = pixels.shape[2], pixels.shape[1]
    rows = np.full((len(classes) * per_class, channels, side, side), 255, np.uint8)
    for index in range(len(classes)):
        found = pixels[labels == index][:per_class]
        rows[index * per_class : index * per_class + len(found)] = found
    width = min(0.5 * per_class, 8)
    figure, axes = plot(width + 1.2, width * len(classes) / per_class + 0.5)
    axes.imshow(tile(rows, per_class), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks([index * (side + 1) + side / 2 for index in range(len(classes))], classes)
    axes.set_xticks([])
    axes.set_ylabel("class")
    axes.grid(False)
    axes.set_title(title, fontsize=9)
    return figure


def class_balance(counts: dict[str, Sequence[int]], classes: Sequence[str], ylabel: str = "images") -> Figure:
    """Draw how many images of each class there are, a bar for each series; the legend gives each total."""
    figure, axes = plot(max(6.4, 0.35 * len(classes) * len(counts)))
    width = 0.8 / len(counts)
    for index, (name, series) in enumerate(counts.items()):
        at = np.arange(len(classes)) + (index - (len(counts) - 1) / 2) * width
        axes.bar(at, series, width, label=f"{name} ({sum(series):,} images)")
    axes.set_xticks(range(len(classes)), classes, rotation=0 if max(map(len, classes)) < 4 else 40, ha="center")
    axes.set_xlabel("class")
    axes.set_ylabel(ylabel)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=len(counts))
    return figure


def curves(x: Sequence[float], series: dict[str, Sequence[float]], xlabel: str, ylabel: str, title: str = "") -> Figure:
    """Draw one line for each series over `x`."""
    figure, axes = plot()
    for name, values in series.items():
        axes.plot(x, values, marker="o" if len(x) < 40 else None, markersize=3, label=name)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title, fontsize=9)
    axes.legend()
    return figure


def confusion(matrix: Any, classes: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix of counts: rows true classes, columns predicted ones, shaded by share of the row."""
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.0, 0.42 * len(classes) + 1.2)
    figure, axes = plot(side, side)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", fontsize=8, color=ink)
    axes.set_xticks(range(len(classes)), classes, rotation=0 if max(map(len, classes)) < 4 else 90)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.grid(False)
    axes.set_title(title, fontsize=9)
    return figure


def histogram(values: Any, xlabel: str, ylabel: str, title: str) -> Figure:
    """Draw the distribution of `values`, which lie in [0, 1], in 20 bins, with their median."""
    figure, axes = plot()
    axes.hist(values, bins=np.linspace(0, 1, 21).tolist(), label=f"{len(values):,} images")
    median = float(np.median(values))
    axes.axvline(median, color=COLOURS[5], linestyle="--", label=f"median {median:.3f}")
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title, fontsize=9)
    axes.legend()
    return figure


def classifier_curve(facts: dict[str, Any]) -> Figure:
    """Draw a classifier's training from its facts: loss on train and val, F1 on val, the chosen step."""
    steps = [row["step"] for row in facts["curve"]]
    series = {
        "train cross-entropy (nats)": [row["train_loss"] for row in facts["curve"]],
        "val cross-entropy (nats)": [row["val_loss"] for row in facts["curve"]],
        "val macro F1": [row["val_f1"] for row in facts["curve"]],
    }
    figure = curves(steps, series, "optimizer step", "loss (nats) or F1", f"{facts['val']['n']:,} real val images")
    figure.axes[0].axvline(facts["best_step"], color="grey", linestyle=":", label="chosen")
    return figure


def gan_losses(history: Sequence[dict[str, float]]) -> Figure:
    """Draw a GAN's losses from its history: discriminator and generator, means between snapshots."""
    epochs = [row["epoch"] for row in history]
    series = {
        "discriminator (critic)": [row["discriminator_loss"] for row in history],
        "generator": [row["generator_loss"] for row in history],
        "gradient penalty": [row["penalty"] for row in history],
    }
    seen = int(history[-1]["images_seen"])
    return curves(epochs, series, "epoch", "loss (mean since the last point)", f"{seen:,} real images shown")
