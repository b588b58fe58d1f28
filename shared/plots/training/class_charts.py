"""Charts over epochs with a line for each class: losses, qualities, categories.

Up to NAMED classes have a line of their own colour. Where there are more, those that matter most are named and
coloured, and the others are grey.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from shared.metrics.pixels import CATEGORIES, LOSS_CATEGORIES, QUALITIES, smoothed_generator_losses
from shared.plots import ticks
from shared.plots.charts import LOSSES, marker
from shared.plots.figures import COLOURS, ON_CELLS, ON_DARK, plot, shorten, shortened_names, stacked
from shared.plots.image_grid import evenly
from shared.store.records.gan import HistoryRow
from shared.store.records.scores import SnapshotScores

NAMED, PICKED = 12, 5
"""Classes, at most, that all have a name in a chart; of more, how many have."""

INKS = [colour for colour in COLOURS if colour not in ("#F0E442", "#000000")]
"""Colours of lines: yellow is too light for one, and black is the mean."""

Curve = tuple[Sequence[float], Sequence[float]]
"""Epochs, and a value after each."""


def class_curves(axes: Axes, curves: Mapping[str, Curve], named: Sequence[str]) -> None:
    """Draw a line for each class by its name; those not `named` are grey and share an entry of the legend."""
    others = [name for name in curves if name not in named]
    for place, name in enumerate(others):
        label = f"{len(others)} other classes" if place == 0 else None
        axes.plot(*curves[name], color="grey", linewidth=0.7, alpha=0.35, label=label)
    for place, name in enumerate(named):
        epochs, values = curves[name]
        # a second round of colours is dashed, so that no two lines are alike
        style = ("-", "--")[place // len(INKS) % 2]
        axes.plot(
            epochs,
            values,
            style,
            color=INKS[place % len(INKS)],
            linewidth=1.3,
            marker=marker(len(epochs)),
            markersize=2.5,
            label=shorten(name),
        )


def pick(names: Sequence[str], oddness: Mapping[str, float]) -> list[str]:
    """Return the classes to name: all where they are few, else those of the largest `oddness`, largest first."""
    if len(names) <= NAMED:
        return list(names)
    return sorted(names, key=lambda name: -oddness.get(name, 0.0))[:PICKED]


def class_losses(histories: Mapping[str, Sequence[HistoryRow]]) -> Figure:
    """Draw the losses of both networks of every class that has its own, from their rows by class name.

    Where there are many, those are named whose generator loss is furthest from the mean at the end.
    """
    last = {name: rows[-1].losses["generator_loss"] for name, rows in histories.items()}
    mean = sum(last.values()) / len(last)
    named = pick(list(histories), {name: abs(value - mean) for name, value in last.items()})
    figure, parts = stacked(2)
    for axes, loss in zip(parts, ("discriminator_loss", "generator_loss"), strict=True):
        curves = {
            name: ([row.epoch for row in rows], [row.losses[loss] for row in rows]) for name, rows in histories.items()
        }
        class_curves(axes, curves, named)
        axes.set_ylabel(f"loss, {LOSSES[loss]}")
    picked = "" if len(named) == len(histories) else f"; named: the {len(named)} furthest from the mean at the end"
    _finish(figure, parts, f"a line for each of {len(histories)} classes, means since the last point{picked}")
    return figure


def loss_indicators(histories: Mapping[str, Sequence[HistoryRow]]) -> Figure:
    """Draw the smoothed generator loss after each epoch, by class or of "all", with the limits of its categories.

    Where there are many, those with the highest at the end are named.
    """
    curves = {name: ([row.epoch for row in rows], smoothed_generator_losses(rows)) for name, rows in histories.items()}
    named = pick(list(curves), {name: values[-1] for name, (_, values) in curves.items()})
    figure, axes = plot(6.4, 3.6)
    class_curves(axes, curves, named)
    highest = max(max(values) for _, values in curves.values())
    for limit, name in LOSS_CATEGORIES:
        if math.isfinite(limit) and limit * math.log(2) < 1.5 * highest:
            axes.axhline(limit * math.log(2), color="black", linestyle=":", linewidth=1)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            where = axes.get_yaxis_transform()
            words = f"{name} up to here"
            axes.text(1, limit * math.log(2), words, transform=where, ha="right", va="center", fontsize=8.5, bbox=box)
    axes.set_ylabel("generator loss, smoothed (nats)")
    _finish(figure, [axes], "how well the discriminator tells the images apart, not how good they are")
    return figure


def quality_curves(rows: Sequence[SnapshotScores], chosen: int, title: str) -> Figure:
    """Draw diversity, sharpness and contrast of each class as ratios to the real images' own, after each snapshot.

    Bands are those of the categories. Where there are many classes, those are named that are furthest from 1 at the
    snapshot of the epoch `chosen`, which is marked.
    """
    names = [item.class_name for item in rows[0].classes]
    columns = zip(*(row.classes for row in rows), strict=True)
    ratios = {name: [item.ratios for item in items] for name, items in zip(names, columns, strict=True)}
    ratios = {name: each for name, each in ratios.items() if any(each)}
    epochs = [row.epoch for row in rows]
    named = pick(list(ratios), {name: _furthest(each, epochs.index(chosen)) for name, each in ratios.items()})
    figure, parts = stacked(len(QUALITIES), height=2.0)
    for axes, quality in zip(parts, QUALITIES, strict=True):
        # NaN where a class has too few images: a gap in its line
        values = {name: [item[quality] if item else math.nan for item in each] for name, each in ratios.items()}
        class_curves(axes, {name: (epochs, own) for name, own in values.items()}, named)
        if len(values) > 1:
            axes.plot(epochs, _means(list(values.values())), color="black", linewidth=2.2, label="mean over classes")
        lowest, highest = np.nanmin(list(values.values())), np.nanmax(list(values.values()))
        if lowest > 0 and highest > 8 * lowest:
            ticks.log_scale(axes)
        for limit, _ in CATEGORIES[:-1]:
            axes.axhspan(1 - limit, 1 + limit, color="grey", alpha=0.13, linewidth=0)
        axes.axvline(chosen, color="grey", linestyle=":")
        axes.set_ylabel(f"{quality}\n(generated / real)")
    picked = "" if len(named) == len(ratios) else f"; named: the {len(named)} furthest from 1 when chosen"
    _finish(figure, parts, f"{title}\ngrey: within 15 and 35 %, dotted: the chosen snapshot{picked}")
    return figure


def _furthest(ratios: Sequence[dict[str, float] | None], chosen: int) -> float:
    """Return how far the worst ratio is from 1 at the place `chosen`, or at the last one of a class without it."""
    at = ratios[chosen] or [each for each in ratios if each][-1]
    return max(abs(ratio - 1) for ratio in at.values())


def _means(values: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of the numbers at each place that are not NaN; NaN where there are none."""
    columns = [[value for value in column if not math.isnan(value)] for column in zip(*values, strict=True)]
    return [sum(column) / len(column) if column else math.nan for column in columns]


def _finish(figure: Figure, parts: Sequence[Axes], title: str) -> None:
    """Label the axis of epochs, say what is shown, and name every line once."""
    parts[-1].set_xlabel("epoch")
    ticks.whole_epochs(parts[-1])
    handles, labels = parts[0].get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 6), fontsize=9, title="class")
    parts[0].set_title(title, fontsize=9)


SHADES = {"Excellent": "#0072B2", "Good": "#9FD0F0", "Needs Improvement": "#E69F00"}
"""The colour of each category; cells also have its first letter."""

ROWS, COLUMNS = 20, 30
"""Classes that have a row each, and snapshots that have a column each, at most."""


def categories(rows: Sequence[SnapshotScores], title: str) -> Figure:
    """Draw the category of each class after each snapshot as a coloured letter; of many classes how many have each."""
    shown = [rows[place] for place in evenly(len(rows), COLUMNS)]
    names = [item.class_name for item in shown[0].classes]
    return _letters(shown, names, title) if len(names) <= ROWS else _shares(shown, len(names), title)


def _letters(rows: Sequence[SnapshotScores], names: Sequence[str], title: str) -> Figure:
    kinds = [*SHADES, None]
    grid = np.array([[kinds.index(item.category) for item in row.classes] for row in rows]).T
    figure, axes = plot(max(0.26 * len(rows) + 1.6, 4.2), 0.26 * len(names) + 1.5)
    axes.imshow(grid, cmap=ListedColormap([*SHADES.values(), "#FFFFFF"]), vmin=-0.5, vmax=3.5, aspect="auto")
    for (line, column), kind in np.ndenumerate(grid):
        letter = (kinds[kind] or "\N{EN DASH}")[0]
        ink = ON_DARK if letter == "E" else ON_CELLS
        axes.text(column, line, letter, ha="center", va="center", fontsize=8.5, color=ink)
    every = -(-len(rows) // 10)
    axes.set_xticks(range(0, len(rows), every), [str(row.epoch) for row in rows[::every]])
    axes.set_yticks(range(len(names)), shortened_names(names))
    axes.set_ylabel("class")
    missing = [Patch(facecolor="white", edgecolor="grey", label="\N{EN DASH}: too few images")]
    return _with_legend(figure, axes, title, missing if kinds.index(None) in grid else [])


def _shares(rows: Sequence[SnapshotScores], count: int, title: str) -> Figure:
    figure, axes = plot(max(0.26 * len(rows) + 1.6, 4.2), 3.2)
    base = np.zeros(len(rows))
    for kind, shade in SHADES.items():
        heights = np.array([sum(item.category == kind for item in row.classes) for row in rows])
        axes.bar(range(len(rows)), heights, bottom=base, color=shade)
        base += heights
    every = -(-len(rows) // 10)
    axes.set_xticks(range(0, len(rows), every), [str(row.epoch) for row in rows[::every]])
    axes.set_ylabel(f"classes (of {count})")
    return _with_legend(figure, axes, title)


def _with_legend(figure: Figure, axes: Axes, title: str, more: Sequence[Patch] = ()) -> Figure:
    axes.set_xlabel("epoch")
    axes.grid(False)
    axes.set_title(title, fontsize=9)
    patches = [Patch(color=shade, label=f"{kind[0]}: {kind}") for kind, shade in SHADES.items()]
    figure.legend(handles=[*patches, *more], loc="outside upper center", ncols=4, fontsize=9)
    return figure
