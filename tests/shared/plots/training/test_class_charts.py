"""Losses, qualities and categories over epochs: a line for each class, the penalty by itself, true iterations."""

import math
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from shared.metrics.pixels import QUALITIES, loss_indicator
from shared.plots.charts import gan_losses
from shared.plots.training import class_charts
from shared.store.records.scores import ClassQualities
from tests.shared.plots.rows import STEPS, history, snapshot_rows


def lines(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    """Return the named lines of some axes: their points by their label."""
    named = {str(line.get_label()): line for line in axes.lines if not str(line.get_label()).startswith("_")}
    return {name: (list(line.get_xdata()), list(line.get_ydata())) for name, line in named.items()}  # type: ignore[arg-type]


def legend(figure: Figure) -> list[str]:
    """Return what the legend of a figure names."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_penalty_has_axes_of_its_own() -> None:
    """A penalty of 25 next to losses of about 1 does not set the scale of theirs."""
    upper, lower = gan_losses(history(12, penalty=25.0)).axes
    assert set(lines(upper)) == {"discriminator (critic)", "generator"}
    assert set(lines(lower)) == {"gradient penalty"}
    assert max(upper.get_ylim()) < 2
    assert max(lower.get_ylim()) > 25
    assert (upper.get_ylabel(), lower.get_ylabel(), lower.get_xlabel()) == ("loss", "gradient penalty", "epoch")
    (alone,) = gan_losses(history(12, discriminator_class_loss=2.3)).axes
    assert set(lines(alone)) == {"discriminator (critic)", "generator", "discriminator, classes"}


@pytest.mark.parametrize("epochs", [1, 3, 40])
def test_iterations_are_those_of_the_rows(epochs: int) -> None:
    """Above the losses each tick of iterations is at its epoch: 391 iterations are one epoch."""
    figure = gan_losses(history(epochs))
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    (above,) = axes.child_axes
    assert above.get_xlabel() == "iteration"
    low, high = axes.get_xlim()
    drawn = [tick for tick in above.get_xticks() if low * STEPS <= tick <= high * STEPS]
    assert drawn
    for tick in drawn:
        at = above.transData.transform((tick, 0))[0]
        assert axes.transData.inverted().transform((at, 0))[0] == pytest.approx(tick / STEPS, abs=1e-6)
        assert tick == round(tick)
    if epochs < 4:
        assert drawn == [STEPS * epoch for epoch in range(1, epochs + 1)]


def test_iterations_follow_uneven_epochs() -> None:
    """Where an epoch has fewer iterations than another, the axis above has each row's own number."""
    rows = [row.model_copy(update={"step": step}) for row, step in zip(history(3), (10, 100, 103), strict=True)]
    figure = gan_losses(rows)
    FigureCanvasAgg(figure).draw()
    (above,) = figure.axes[0].child_axes
    at = [above.transData.transform((tick, 0))[0] for tick in (10, 100, 103)]
    epochs = [figure.axes[0].transData.inverted().transform((x, 0))[0] for x in at]
    assert epochs == pytest.approx([1, 2, 3], abs=1e-6)


def test_losses_say_what_they_are_means_of() -> None:
    """The title has the images shown; means over classes are called so, and so are the iterations of all of them."""
    figure = gan_losses(history(2), classes=10)
    title = figure.get_suptitle()
    assert "100,000 real images" in title
    assert "means over 10 classes" in title
    assert figure.axes[0].child_axes[0].get_xlabel() == "iteration (sum over classes)"


@pytest.mark.parametrize("classes", [2, 10])
def test_every_class_has_a_line_of_losses(classes: int) -> None:
    """Both panels have a line for each class, no two alike."""
    histories = {f"class {number}": history(5, generator_loss=number) for number in range(classes)}
    figure = class_charts.class_losses(histories)
    for axes, loss in zip(figure.axes, ("discriminator_loss", "generator_loss"), strict=True):
        assert lines(axes) == {
            name: ([row.epoch for row in rows], [row.losses[loss] for row in rows]) for name, rows in histories.items()
        }
        assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == classes
    assert legend(figure) == list(histories)


def test_of_a_hundred_classes_few_are_named() -> None:
    """All have a line, those furthest from the mean have a name, and the title says so."""
    histories = {f"class {number}": history(5, generator_loss=abs(number - 40)) for number in range(100)}
    figure = class_charts.class_losses(histories)
    assert len(figure.axes[1].lines) == 100
    assert legend(figure) == ["95 other classes", "class 99", "class 98", "class 97", "class 96", "class 95"]
    assert "100 classes" in figure.axes[0].get_title()
    assert "the 5 furthest from the mean" in figure.axes[0].get_title()


@pytest.mark.parametrize("classes", [2, 10])
def test_every_class_has_a_line_of_each_quality(classes: int) -> None:
    """Three panels, a line for each class at its ratios, and the mean over classes."""
    ratios = [0.5 + 0.1 * number for number in range(classes)]
    figure = class_charts.quality_curves(snapshot_rows(4, classes, ratios), 3, "of 9 images")
    assert len(figure.axes) == 3
    for axes, quality in zip(figure.axes, QUALITIES, strict=True):
        drawn = lines(axes)
        assert axes.get_ylabel().startswith(quality)
        assert drawn.pop("mean over classes")[1] == pytest.approx([sum(ratios) / classes] * 4)
        assert drawn == {f"class {number}": ([1, 2, 3, 4], [ratios[number]] * 4) for number in range(classes)}
        assert [list(line.get_xdata()) for line in axes.lines if line.get_linestyle() == ":"] == [[3, 3]]
    assert figure.axes[0].get_title().startswith("of 9 images")


def test_the_worst_of_many_classes_are_named() -> None:
    """The five of 100 classes whose ratios are furthest from 1, above or below, are named."""
    ratios = [1.0] * 100
    ratios[7], ratios[50], ratios[3], ratios[80], ratios[99] = 0.1, 3.0, 0.4, 1.9, 0.6
    figure = class_charts.quality_curves(snapshot_rows(4, 100, ratios), 3, "")
    names = ["class 50", "class 7", "class 80", "class 3", "class 99"]
    assert legend(figure) == ["95 other classes", *names, "mean over classes"]
    assert "named: the 5 furthest from 1" in figure.axes[0].get_title()


def test_a_class_without_ratios_has_a_gap() -> None:
    """A class with too few images at a snapshot has no point there and no line across; the mean is over the others."""
    rows = snapshot_rows(3, 2, [0.5, 1.5])
    missing = ClassQualities(class_name="class 0", qualities=None, ratios=None, category=None)
    rows[1] = rows[1].model_copy(update={"classes": [missing, rows[1].classes[1]]})
    drawn = lines(class_charts.quality_curves(rows, 3, "").axes[0])
    assert drawn["class 0"][1] == pytest.approx([0.5, math.nan, 0.5], nan_ok=True)
    assert drawn["mean over classes"] == ([1, 2, 3], [1.0, 1.5, 1.0])


def test_categories_are_letters_of_their_colour() -> None:
    """A row for each class, a column for each snapshot, the letter and the colour of the category; none is white."""
    rows = snapshot_rows(2, 3, [1.0, 1.2, 2.0])
    nothing = ClassQualities(class_name="class 0", qualities=None, ratios=None, category=None)
    rows[1] = rows[1].model_copy(update={"classes": [nothing, *rows[1].classes[1:]]})
    figure = class_charts.categories(rows, "")
    (axes,) = figure.axes
    letters = {tuple(map(int, text.get_position())): text.get_text() for text in axes.texts}
    assert letters == {(0, 0): "E", (0, 1): "G", (0, 2): "N", (1, 0): "\N{EN DASH}", (1, 1): "G", (1, 2): "N"}
    (image,) = axes.images
    shades = {letters[column, row]: to_hex(image.to_rgba(image.get_array())[row, column]) for column, row in letters}
    assert shades == {"E": "#0072b2", "G": "#9fd0f0", "N": "#e69f00", "\N{EN DASH}": "#ffffff"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["class 0", "class 1", "class 2"]
    assert legend(figure) == ["E: Excellent", "G: Good", "N: Needs Improvement", "\N{EN DASH}: too few images"]


def test_categories_of_many_classes_are_counted() -> None:
    """Bars say how many of 40 classes are in each category; together they are as high as there are classes."""
    (axes,) = class_charts.categories(snapshot_rows(2, 40, [1.0] * 10 + [1.2] * 14 + [2.0] * 16), "").axes
    heights: list[list[Any]] = [[bar.get_height() for bar in bars] for bars in axes.containers]  # type: ignore[union-attr]
    assert heights == [[10, 10], [14, 14], [16, 16]]


def test_many_snapshots_are_thinned() -> None:
    """Among 500 snapshots 30 have a column, the first and the last too."""
    (axes,) = class_charts.categories(snapshot_rows(500, 2), "").axes
    assert len(axes.texts) == 60
    assert axes.get_xticklabels()[0].get_text() == "1"
    shown = class_charts.evenly(500, class_charts.COLUMNS)
    assert (len(shown), shown[0], shown[-1]) == (30, 0, 499)


def test_the_loss_indicator_is_a_curve() -> None:
    """The smoothed loss after each epoch ends at the indicator's value; limits of the categories are marked."""
    histories = {"a": history(9, generator_loss=1.0), "b": history(9, generator_loss=1.4)}
    (axes,) = class_charts.loss_indicators(histories).axes
    drawn = lines(axes)
    for name, rows in histories.items():
        epochs, values = drawn[name]
        assert epochs == list(range(1, 10))
        assert values[0] == rows[0].losses["generator_loss"]
        assert values[-1] == loss_indicator(rows).smoothed_generator_loss
    limits = [next(iter(line.get_ydata())) for line in axes.lines if line.get_linestyle() == ":"]
    assert limits == pytest.approx([1.5 * math.log(2), 3 * math.log(2)])
    assert "not how good they are" in axes.get_title()
