"""Figures that more than one job draws: matplotlib in, PNG files or inline SVG out.

Every figure has axis labels with units, a legend where there is more than one series, and says how many images
are behind it.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from shared.disk.durable import write_file
from shared.format.sample import Sample
from shared.plots import ticks
from shared.plots.image_grid import tile
from shared.stats.class_choice import ClassChoice
from shared.store.records.base import parse_record
from shared.store.records.datasets import SampleMeta, SyntheticRecord

DPI = 110
"""Pixels an inch of a PNG file."""

MOST_PX = 1400
"""The width of a sheet of images, at most."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe and Ito's palette, which readers with any colour vision can tell apart."""

mpl.rcParams |= {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "image.composite_image": False,  # in an SVG each image keeps its own pixels
    "svg.hashsalt": "halfreal",  # fixed, since matplotlib otherwise gives elements random ids
    "svg.fonttype": "none",  # text stays text, which can be searched and read aloud
    "text.parse_math": False,  # names of classes are the user's: $ is a letter like others
}


def save_png(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG."""
    write_file(path, to_png(figure))


def to_png(figure: Figure) -> bytes:
    """Return `figure` as the bytes of a PNG file."""
    buffer = io.BytesIO()
    # matplotlib's version would otherwise be in the file: equal figures should be equal bytes
    _save(figure, buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def _save(figure: Figure, buffer: IO[Any], **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")  # in the name of a class; it gets a box
        figure.savefig(buffer, bbox_inches="tight", **options)


def to_svg(figure: Figure) -> str:
    """Return `figure` as one `<svg>` element; equal figures give equal text."""
    buffer = io.StringIO()
    _save(figure, buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def plot(width: float = 5.4, height: float = 3.3) -> tuple[Figure, Axes]:
    """Return an empty figure of one pair of axes, in inches."""
    # Figure, not pyplot: that keeps every figure alive in a global registry and picks a GUI backend
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    ticks.plain(axes)
    return figure, axes


def stacked(count: int, width: float = 5.4, height: float = 2.3) -> tuple[Figure, list[Axes]]:
    """Return an empty figure of `count` pairs of axes below each other that share the x axis; `height` inches each."""
    figure = Figure(figsize=(width, height * count + 0.8), layout="constrained")
    below = list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])
    for axes in below:
        ticks.plain(axes)
    return figure, below


GREY_PIXELS: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "none"}
"""How pixels are shown: in a PNG each is a square, in an SVG the browser enlarges them."""


def image_grid(images: ArrayLike, columns: int, title: str, captions: Sequence[str] = ()) -> Figure:
    """Draw uint8 images (N, channels, size, size) in rows of `columns`, each with its caption if there are any."""
    pixels = np.asarray(images)
    rows = max(-(-len(pixels) // columns), 1)
    if not captions:
        figure, axes = _sheet(pixels, columns, title)
        axes.set_axis_off()
        return figure
    head = 0.15 * (max(caption.count("\n") for caption in captions) + 1)  # inches, as all that follows
    side, across, down = 0.8, 0.95, 0.9 + head
    width, height = across * columns, 0.4 + down * rows
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))  # one for all images, since axes are what takes matplotlib's time
    for index, (image, caption) in enumerate(zip(pixels, captions, strict=True)):
        row, column = divmod(index, columns)
        middle, top = across * (column + 0.5), 0.4 + down * row + head
        picture = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        axes.imshow(picture, extent=(middle - side / 2, middle + side / 2, top + side, top), **GREY_PIXELS)
        axes.text(middle, top - 0.02, caption, fontsize=8.5, ha="center", va="bottom")
    axes.text(width / 2, 0.15, title, fontsize=9, ha="center", va="center")
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_axis_off()
    return figure


def class_rows(samples: Sequence[Sample], classes: Sequence[str], title: str, choice: ClassChoice) -> Figure:
    """Draw the images of `samples`, a row for each class of the choice, named at its left."""
    rows = [[sample.image for sample in samples if sample.label == label] for label in choice.places]
    columns = max(len(row) for row in rows)
    blank = np.full_like(samples[0].image, 255)
    filled = [image for row in rows for image in [*row, *[blank] * (columns - len(row))]]
    return named_rows(np.stack(filled).transpose(0, 3, 1, 2), choice.names(classes), choice.caption(title))


def image_rows(images: ArrayLike, columns: int, title: str, names: Sequence[str] = ()) -> Figure:
    """Draw uint8 images (N, channels, size, size) in rows of `columns`, each named at its left if there are `names`."""
    return named_rows(images, names, title) if names else image_grid(images, columns, title)


def named_rows(images: ArrayLike, names: Sequence[str], title: str) -> Figure:
    """Draw uint8 images (N, channels, size, size) in as many rows of equal length as there are `names`."""
    pixels = np.asarray(images)
    side = pixels.shape[2]
    figure, axes = _sheet(pixels, len(pixels) // len(names), title)
    axes.set_yticks([index * (side + 1) + side / 2 for index in range(len(names))], shortened_names(names))
    axes.set_xticks([])
    axes.set_ylabel("class")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return figure


def _sheet(pixels: NDArray[np.uint8], columns: int, title: str) -> tuple[Figure, Axes]:
    """Return uint8 images (N, channels, size, size) in rows of `columns` under a title, and their axes.

    Each of their pixels is a whole number of the file's, so that none looks larger than another, unless the sheet is
    too wide for that.
    """
    sheet = tile(pixels, columns)
    height, width = sheet.shape[:2]
    scale = max(min(66 * columns, 1000) // width, 1) if width <= MOST_PX else MOST_PX / width
    figure = Figure(figsize=(width * scale / DPI, height * scale / DPI))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))  # names and title are around it; `save_png` takes them in
    smooth = {"interpolation": "antialiased"} if scale < 1 else {}
    axes.imshow(sheet, **GREY_PIXELS | smooth)
    axes.set_title(title, fontsize=9)
    return figure, axes


def shorten(name: str, length: int = 11) -> str:
    """Return `name`, cut to `length` characters with an ellipsis if it is longer."""
    return name if len(name) <= length else name[: length - 1] + "…"


def shortened_names(names: Sequence[str]) -> list[str]:
    """Return names for the ticks of an axis: a very long one would leave no room for what is drawn."""
    return [shorten(name, 20) for name in names]


ON_CELLS, ON_DARK = "#111111", "#fefefe"
"""Text on coloured cells, which stays as it is where a page turns black text light and white text dark."""

LEGEND_COLUMNS = 3
"""Series next to each other in a legend: more would need a wider figure."""


def class_balance(
    counts: Mapping[str, Sequence[int]], classes: Sequence[str], choice: ClassChoice, ylabel: str = "images"
) -> Figure:
    """Draw how many images of each class of the choice there are, a bar for each series.

    The legend gives the total of each series, over all classes.
    """
    shown = choice.names(classes)
    figure, axes = plot(max(5.4, 0.16 * len(shown) * len(counts)))
    width = 0.8 / len(counts)
    for index, (name, series) in enumerate(counts.items()):
        at = np.arange(len(shown)) + (index - (len(counts) - 1) / 2) * width
        axes.bar(at, [series[place] for place in choice.places], width, label=f"{name} ({sum(series):,} images)")
    short = max(map(len, shown)) < 4
    axes.set_xticks(
        range(len(shown)), shortened_names(shown), rotation=0 if short else 35, ha="center" if short else "right"
    )
    axes.set_xlabel(choice.caption("class"))
    axes.set_ylabel(ylabel)
    rows = -(-len(counts) // LEGEND_COLUMNS)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.08 + 0.1 * rows), ncols=min(len(counts), LEGEND_COLUMNS))
    return figure


def confusion(matrix: ArrayLike, classes: Sequence[str], title: str, choice: ClassChoice) -> Figure:
    """Draw a confusion matrix of counts: rows true classes, columns predicted ones, shaded by share of the row.

    It is that of the classes of the choice; where these are not all, its last column has the answers that name others.
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = choice.names(classes)
    named = shown if choice.whole else [*shown, f"{choice.count - len(shown):,} others"]
    side = max(4.0, 0.42 * len(named) + 1.2)
    figure, axes = plot(side, side)
    # nothing is transparent, so that a page has its own paper there
    shades = np.full((*shares.shape, 4), to_rgba(COLOURS[0]))
    shades[..., 3] = shares
    axes.imshow(shades, interpolation="none")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = ON_DARK if shares[row, column] > 0.85 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", fontsize=9, color=ink)
    axes.set_xticks(range(len(named)), shortened_names(named), rotation=0 if max(map(len, named)) < 4 else 90)
    axes.set_yticks(range(len(shown)), shortened_names(shown))
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.grid(False)
    axes.set_title(choice.caption(title), fontsize=9)
    return figure


def confidence_histogram(record: SyntheticRecord) -> Figure:
    """Draw how sure the annotator was of synthetic images: equal bins over [0, 1]."""
    counts = record.confidence_histogram
    figure, axes = plot()
    edges = np.linspace(0, 1, len(counts) + 1)
    axes.bar(edges[:-1], counts, 1 / len(counts), align="edge", label=f"{sum(counts):,} synthetic images")
    median = f"median {record.confidence_median:.3f}"
    axes.axvline(record.confidence_median, color=COLOURS[5], linestyle="--", label=median)
    axes.set_xlabel("annotator's confidence (probability of its label)")
    axes.set_ylabel("images")
    axes.legend(loc="upper left")
    return figure


def annotated_grid(samples: Sequence[Sample], classes: Sequence[str], choice: ClassChoice) -> Figure:
    """Draw synthetic samples of the classes of the choice: the class asked for, the annotation and its confidence."""
    captions, what = [], "class annotated"
    between = " → " if max(map(len, classes)) < 4 else "\n→ "
    samples = sorted(samples, key=lambda sample: sample.label)
    for sample in samples:
        meta = parse_record(SampleMeta, sample.meta, f"sample {sample.key}: its json")
        asked = [] if meta.origin.asked_label is None else [meta.origin.asked_label]
        names = between.join(shorten(classes[label]) for label in (*asked, sample.label))
        captions.append(f"{names}\n{meta.annotation.confidence:.2f}")
        what = "class asked → annotated" if asked else "class annotated"
    title = f"{len(samples)} synthetic images: {what}, confidence of the annotation"
    return image_grid([sample.image.transpose(2, 0, 1) for sample in samples], 10, choice.caption(title), captions)


def closest_pairs(first: ArrayLike, second: ArrayLike, names: Sequence[str], title: str) -> Figure:
    """Draw images above those that they lie closest to, with the name of each pair."""
    above, below = np.asarray(first), np.asarray(second)
    figure = Figure(figsize=(max(1.1 * len(above), 3), 2.6), layout="constrained")
    axes = figure.subplots(2, len(above), squeeze=False)
    for column, name in enumerate(names):
        for row, images in enumerate((above, below)):
            picture = images[column].transpose(1, 2, 0)
            axes[row, column].imshow(picture.squeeze(-1) if picture.shape[2] == 1 else picture, **GREY_PIXELS)
            axes[row, column].set_axis_off()
        axes[0, column].set_title(name, fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure
