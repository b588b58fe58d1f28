"""Figures that more than one job draws: matplotlib in, PNG files or inline SVG out.

Every figure has axis labels with units, a legend where there is more than one series, and says how many images
stand behind it.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from shared.format.sample import Sample

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's palette, which readers with any colour vision can tell apart."""

mpl.rcParams |= {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.hashsalt": "halfreal",
    "svg.fonttype": "none",
}


def save_png(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG."""
    path.write_bytes(to_png(figure))


def to_png(figure: Figure) -> bytes:
    """Return `figure` as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure) -> str:
    """Return `figure` as one `<svg>` element; equal figures give equal text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def plot(width: float = 6.4, height: float = 3.6) -> tuple[Figure, Axes]:
    """Return an empty figure of one pair of axes, in inches."""
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


def class_rows(samples: Sequence[Sample], classes: Sequence[str], title: str) -> Figure:
    """Draw the images of `samples`, a row for each class, named at its left."""
    rows = [[sample.image for sample in samples if sample.label == index] for index in range(len(classes))]
    columns = max(len(row) for row in rows)
    blank = np.full_like(samples[0].image, 255)
    filled = [image for row in rows for image in [*row, *[blank] * (columns - len(row))]]
    return named_rows(np.stack(filled).transpose(0, 3, 1, 2), classes, title)


def named_rows(images: Any, names: Sequence[str], title: str) -> Figure:
    """Draw uint8 images (N, channels, size, size) in as many rows of equal length as there are `names`."""
    pixels = np.asarray(images)
    columns, side = len(pixels) // len(names), pixels.shape[2]
    width = min(0.5 * columns, 8)
    figure, axes = plot(width + 1.2, width * len(names) / columns + 0.5)
    axes.imshow(tile(pixels, columns), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks([index * (side + 1) + side / 2 for index in range(len(names))], names)
    axes.set_xticks([])
    axes.set_ylabel("class")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=9)
    return figure


def shorten(name: str, length: int = 11) -> str:
    """Return `name`, cut to `length` characters with an ellipsis if it is longer."""
    return name if len(name) <= length else name[: length - 1] + "…"


def class_balance(counts: Mapping[str, Sequence[int]], classes: Sequence[str], ylabel: str = "images") -> Figure:
    """Draw how many images of each class there are, a bar for each series; the legend gives each total."""
    figure, axes = plot(max(6.4, 0.35 * len(classes) * len(counts)))
    width = 0.8 / len(counts)
    for index, (name, series) in enumerate(counts.items()):
        at = np.arange(len(classes)) + (index - (len(counts) - 1) / 2) * width
        axes.bar(at, series, width, label=f"{name} ({sum(series):,} images)")
    short = max(map(len, classes)) < 4
    axes.set_xticks(range(len(classes)), classes, rotation=0 if short else 35, ha="center" if short else "right")
    axes.set_xlabel("class")
    axes.set_ylabel(ylabel)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=len(counts))
    return figure


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


def confidence_histogram(facts: dict[str, Any]) -> Figure:
    """Draw how sure the annotator was, from the facts of `synthesize`: equal bins over [0, 1]."""
    counts = facts["confidence_histogram"]
    figure, axes = plot()
    edges = np.linspace(0, 1, len(counts) + 1)
    axes.bar(edges[:-1], counts, 1 / len(counts), align="edge", label=f"{sum(counts):,} synthetic images")
    median = facts["confidence_median"]
    axes.axvline(median, color=COLOURS[5], linestyle="--", label=f"median {median:.3f}")
    axes.set_xlabel("annotator's confidence (probability of its label)")
    axes.set_ylabel("images")
    axes.legend(loc="upper left")
    return figure


def annotated_grid(samples: Sequence[Sample], classes: Sequence[str]) -> Figure:
    """Draw synthetic samples with the class that was asked for, the annotation and its confidence."""
    captions = []
    between = " → " if max(map(len, classes)) < 4 else "\n→ "
    samples = sorted(samples, key=lambda sample: sample.label)
    for sample in samples:
        asked = [sample.meta["origin"]["asked_label"]] if "asked_label" in sample.meta["origin"] else []
        names = between.join(shorten(classes[label]) for label in (*asked, sample.label))
        captions.append(f"{names}\n{sample.meta['annotation']['confidence']:.2f}")
    what = (
        "class annotated" if samples and "asked_label" not in samples[0].meta["origin"] else "class asked → annotated"
    )
    title = f"{len(samples)} synthetic images: {what}, confidence of the annotation"
    return image_grid([sample.image.transpose(2, 0, 1) for sample in samples], 10, title, captions)


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
    figure.axes[0].legend()
    return figure


LOSSES = {
    "discriminator_loss": "discriminator (critic)",
    "generator_loss": "generator",
    "penalty": "gradient penalty",
    "discriminator_class_loss": "discriminator, classes",
    "generator_class_loss": "generator, classes",
}
"""The losses that a history may hold, by the name that a reader sees."""


def gan_losses(history: Sequence[dict[str, float]]) -> Figure:
    """Draw a GAN's losses from its history: those that its family has, means between snapshots."""
    epochs = [row["epoch"] for row in history]
    series = {title: [row[name] for row in history] for name, title in LOSSES.items() if name in history[0]}
    seen = int(history[-1]["images_seen"])
    return curves(epochs, series, "epoch", "loss (mean since the last point)", f"{seen:,} real images shown")


def score_curve(facts: dict[str, Any]) -> Figure:
    """Draw the Frechet distance of every snapshot from the facts of `evaluate`, and which one was chosen."""
    rows, used = facts["rows"], facts["protocol"]
    title = f"{used['n_real']:,} real {used['reference']} images, {used['n_synthetic']:,} generated per snapshot"
    series = {"frechet_classifier": [row["frechet_classifier"] for row in rows]}
    epochs = [row["epoch"] for row in rows]
    figure = curves(epochs, series, "epoch", "Fréchet distance (classifier features)", title)
    axes = figure.axes[0]
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(ScalarFormatter())
    axes.axvline(facts["chosen"]["epoch"], color="grey", linestyle=":", label="chosen")
    axes.legend()
    return figure


def arms_chart(facts: dict[str, Any]) -> Figure:
    """Draw the test accuracy of each arm from the facts of `train_mixed`: every seed, the mean, its interval."""
    arms, used = facts["arms"], facts["protocol"]
    figure, axes = plot(6.2, 0.6 * len(arms) + 1.5)
    for row, arm in enumerate(arms):
        accuracy = arm["accuracy"]
        mean = 100 * accuracy["mean"]
        reach = [[mean - 100 * accuracy["low"]], [100 * accuracy["high"] - mean]]
        axes.errorbar(mean, row, xerr=reach, fmt="o", capsize=4, color=COLOURS[0], label="mean, 95 % interval")
        seeds = [100 * value for value in accuracy["values"]]
        axes.plot(seeds, [row + 0.22] * len(seeds), "|", markersize=9, color=COLOURS[1], label="one seed")
    baseline = 100 * facts["majority_baseline"]
    names = [f"{arm['about']}\n{arm['n_real']:,} real, {arm['n_synthetic']:,} synthetic" for arm in arms]
    axes.set_yticks(range(len(arms)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(f"accuracy on {used['n_test']:,} real test images (%)\nalways the largest class: {baseline:.1f} %")
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    axes.legend(shown.values(), shown.keys(), loc="upper center", bbox_to_anchor=(0.35, 1.18), ncols=2)
    return figure
