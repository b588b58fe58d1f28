"""Figures of several experiments together: scores over epochs, what their best snapshots draw, the gain in a study."""

from collections.abc import Mapping, Sequence
from itertools import chain

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from shared.format.manifest import Dataset
from shared.format.shards import preview
from shared.metrics.over_epochs import OverEpochs
from shared.models.snapshots import grid_images, load_snapshot
from shared.plots import figures, ticks
from shared.plots.figures import COLOURS, plot, shorten
from shared.plots.formatting import level_text, metric_name
from shared.plots.gallery import CPU, Picture
from shared.stats.class_choice import by_size
from shared.store.artifacts import Artifact
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.gan import GanRecord
from shared.store.records.mixed import HELPED, HURT
from shared.store.records.study import StudyPoint

MOST_IMAGES = 100
"""Images of a snapshot that are shown."""

DECADE = 10.0
"""From this ratio of the highest to the lowest value on the axis is logarithmic."""

MARKS = {HELPED: ("D", COLOURS[2], "helped"), HURT: ("X", COLOURS[5], "hurt")}
OTHERS = ("o", COLOURS[0], "no effect shown")
"""Marker, colour and words of a point, by the outcome of its headline; never by colour alone."""


def curves_picture(experiments: Mapping[str, OverEpochs], together: bool) -> Picture:
    """Draw the distance of every snapshot on val, a colour for each experiment: its best replicate thick, others thin.

    Unless the numbers compare `together`, each experiment has axes of its own.
    """
    if together:
        figure, axes = plot(7.2, 3.8)
        panels = [axes] * len(experiments)
    else:
        figure = Figure(figsize=(7.2, 2.6 * len(experiments)), layout="constrained")
        panels = list(chain.from_iterable(figure.subplots(len(experiments), 1, squeeze=False)))
    for place, (axes, (name, over)) in enumerate(zip(panels, experiments.items(), strict=True)):
        _draw(axes, name, over, COLOURS[place % len(COLOURS)], ("-", "--", ":")[place // len(COLOURS) % 3])
    for axes in dict.fromkeys(panels):
        of_axes = [over for panel, over in zip(panels, experiments.values(), strict=True) if panel is axes]
        _scale(axes, [value for over in of_axes for curve in over.curves.values() for _, value in curve])
        axes.set_xlabel("epoch")
        axes.set_ylabel(of_axes[0].score)
        axes.legend(fontsize=9)
    lowest = ", ".join(f"{name} {over.lowest:.4g} at epoch {over.best_epoch}" for name, over in experiments.items())
    return Picture(figure, f"Distance over epochs on val; lowest: {lowest}.")


def _draw(axes: Axes, name: str, over: OverEpochs, colour: str, style: str) -> None:
    for number, curve in over.curves.items():
        epochs, values = zip(*curve, strict=True)
        shown = number == over.best_replicate
        axes.plot(
            epochs,
            values,
            color=colour,
            linestyle=style,
            linewidth=2.5 if shown else 0.8,
            alpha=1.0 if shown else 0.5,
            marker="o" if len(curve) < 10 else None,
            markersize=3,
            label=shorten(name, 32) if shown else None,
            gid=f"curve-{name}-{number}",
        )
    axes.plot(over.best_epoch, over.lowest, "*", color=colour, markersize=11, markeredgecolor="black", zorder=5)


def _scale(axes: Axes, values: list[float]) -> None:
    """Choose the scale that shows the values, whole epochs, and ticks that can be told apart."""
    ticks.plain(axes)
    if 0 < min(values) <= max(values) / DECADE:
        ticks.log_scale(axes)
    ticks.whole_epochs(axes)


def samples_picture(name: str, over: OverEpochs, gan: Artifact[GanRecord], real: Dataset) -> Picture:
    """Draw what the best snapshot of an experiment gives for the fixed latents of every sample grid."""
    asked, choice = gan.record.conditional, by_size(real.splits["train"].class_counts)
    per_class = max(MOST_IMAGES // len(choice.places), 1)
    images = grid_images(load_snapshot(gan, over.best_file, CPU), choice.places, gan.record.latent, per_class)
    title = f"epoch {over.best_epoch}, fixed latents"
    # no generator that knows no classes has a row named after one
    drawn = (
        figures.named_rows(images, choice.names(real.classes), choice.caption(title))
        if asked
        else figures.image_grid(images, 10, title)
    )
    kind = "for each class" if asked else "of no class"
    return Picture(drawn, f"Images {kind} of {name} after epoch {over.best_epoch}.", True)


def imported_picture(name: str, synthetic: Artifact[SyntheticRecord], classes: list[str]) -> Picture:
    """Draw the first imported images of each class, by the annotator's label."""
    train = synthetic.split("train")
    choice = by_size(train.class_counts)
    per_class = min(max(MOST_IMAGES // len(choice.places), 1), 10)
    samples = preview(synthetic.folder, train, per_class, choice.places)
    drawn = figures.class_rows(samples, classes, "imported, by the annotator's label", choice)
    return Picture(drawn, f"Imported images of {name}, by the annotator's label.", True)


def gain_chart(points: Sequence[StudyPoint], counted: str, helped: str) -> Figure:
    """Draw the difference at each point with its interval, a dot for each replicate; a line at 0; a logarithmic axis.

    `counted` is what the numbers of the axis are numbers of, `helped` what the difference is the effect of.
    """
    figure, axes = plot(7.2, 4.0)
    axes.axhline(0, color="black", linewidth=1, zorder=1, gid="zero-line")
    numbers = [point.n_train for point in points]
    axes.plot(numbers, [100 * point.headline.difference for point in points], color="0.6", linewidth=1, zorder=2)
    for place, point in enumerate(points):
        found, number = point.headline, point.n_train
        marker, colour, words = MARKS.get(found.outcome, (OTHERS[0], OTHERS[1], found.outcome))
        ends = [100 * found.low, 100 * found.high]
        axes.plot(
            [number] * 2, ends, color=colour, linewidth=5, alpha=0.45, solid_capstyle="butt", gid=f"interval-{place}"
        )
        axes.plot([number], [100 * found.difference], marker, color=colour, markersize=7, zorder=4, label=words)
        values = [100 * value for value in found.values]
        axes.plot(
            [number * 1.025] * len(values), values, "o", color="black", markersize=3, zorder=3, label="one replicate"
        )
    axes.set_xscale("log")
    # room on both sides, where a single number would have none
    axes.set_xlim(min(numbers) / 1.35, max(numbers) * 1.35)
    axes.set_xticks(numbers, [f"{number:,}" for number in numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"{counted} (logarithmic)")
    axes.set_ylabel(f"difference in test {metric_name(points[0].headline.metric)},\npercentage points")
    axes.set_title(f"Effect of {helped}: mean and {level_text(points[0].headline.level)} interval", fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))  # by label, since each point has added the same entries
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=4, fontsize=9)
    return figure
