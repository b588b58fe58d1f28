"""Ticks are readable on any range: distinct labels in plain numbers, whole epochs."""

from collections.abc import Callable

import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from shared.plots import charts, figures, ticks
from shared.plots.training import class_charts, trial_charts
from tests.shared.plots.rows import history, scores, snapshot_rows
from tests.shared.plots.training.test_trial_charts import record as tune_record

RANGES = {
    "near one value": (0.400, 0.404),
    "tiny": (1e-6, 1e-5),
    "tens to hundreds": (20.0, 500.0),
    "published FID": (238.36, 473.5),
    "one value": (0.4, 0.4),
    "many decades": (1e-9, 1e9),
    "far from 0": (1000.001, 1000.004),
    "large": (1e7, 3e7),
}

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def shown(axis: Axis) -> dict[float, str]:
    """Return the ticks that are drawn of an axis, and what they say."""
    figure = axis.figure
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure).draw()
    low, high = sorted(axis.get_view_interval())
    labels = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    reach = (high - low) * 1e-9
    return {float(at): label.get_text() for at, label in labels if low - reach <= at <= high + reach}


def number(label: str) -> float:
    """Return the number that a label says."""
    plain = label.replace(",", "").replace(MINUS, "-")
    if "10" in plain and plain != plain.translate(POWERS):
        mantissa, _, power = plain.rpartition("10")
        return float(mantissa.rstrip(TIMES) or 1) * 10.0 ** int(power.translate(POWERS))
    return float(plain)


def check(axis: Axis, least: int = 2) -> None:
    """Check that the labels of an axis differ, are not empty, say where they are, and are not too many."""
    drawn = shown(axis)
    assert least <= len(drawn) <= 12
    assert len(set(drawn.values())) == len(drawn)
    gap = min((abs(a - b) for a in drawn for b in drawn if a != b), default=1.0)
    for at, label in drawn.items():
        assert abs(number(label) - at) < gap / 20, (at, label)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("name", RANGES)
def test_labels_differ_on_any_range(name: str, log: bool) -> None:
    """On a linear and on a logarithmic axis each tick says another number, and the one where it is."""
    axes = figures.plot()[1]
    axes.plot([1, 2], RANGES[name])
    if log:
        ticks.log_scale(axes)
    check(axes.yaxis)
    assert axes.yaxis.get_offset_text().get_text() == ""
    assert not list(axes.yaxis.get_minorticklocs())


def test_negative_and_zero() -> None:
    """Zero is 0 or 0.0, never -0, and a negative number has a minus sign."""
    assert ticks.tick_labels([-0.5, 0.0, 0.5]) == [f"{MINUS}0.5", "0.0", "0.5"]
    assert ticks.tick_labels([-1e-17, 1.0]) == ["0", "1"]
    assert ticks.tick_labels([-2e-6, 0.0, 2e-6]) == [f"{MINUS}2{TIMES}10⁻⁶", "0", f"2{TIMES}10⁻⁶"]


def test_numbers_are_plain() -> None:
    """Evenly spaced labels have equal decimals, decades as many as they need, thousands a comma."""
    assert ticks.tick_labels([0.4, 0.401, 0.402]) == ["0.400", "0.401", "0.402"]
    assert ticks.tick_labels([0.01, 0.1, 1.0, 10.0]) == ["0.01", "0.1", "1", "10"]
    assert ticks.tick_labels([0, 20_000, 40_000]) == ["0", "20,000", "40,000"]


@pytest.mark.parametrize("epochs", [[1], [1, 2], [1, 2, 3], [40], range(1, 31), range(5, 505, 5)])
def test_epochs_are_whole(epochs: list[int]) -> None:
    """A tick of epochs is a whole number, for any number of points."""
    axes = figures.plot()[1]
    axes.plot(epochs, [0.5] * len(epochs), "o")
    ticks.whole_epochs(axes)
    labels = shown(axes.xaxis)
    assert labels
    assert all(at == round(at) and label == f"{at:,.0f}" for at, label in labels.items())
    assert set(labels) & set(map(float, epochs))


def _epoch_axes(count: int) -> dict[str, Callable[[], Figure]]:
    rows = history(count)
    return {
        "losses": lambda: charts.gan_losses(rows),
        "class_losses": lambda: class_charts.class_losses({"a": rows, "b": rows}),
        "scores": lambda: charts.score_curve(scores(count)),
        "qualities": lambda: class_charts.quality_curves(snapshot_rows(count, 2), 1, ""),
        "loss_indicators": lambda: class_charts.loss_indicators({"all": rows}),
        "categories": lambda: class_charts.categories(snapshot_rows(count, 2), ""),
        "categories of many": lambda: class_charts.categories(snapshot_rows(count, 30), ""),
    }


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("name", _epoch_axes(1))
def test_every_chart_of_epochs_has_whole_ones(name: str, count: int) -> None:
    """The axis "epoch" of each chart has whole epochs alone; the others have labels that differ."""
    figure = _epoch_axes(count)[name]()
    below: Axes = figure.axes[-1]
    assert below.get_xlabel() == "epoch"
    labels = [label for label in shown(below.xaxis).values() if label]
    assert labels
    assert [label for label in labels if not label.isdigit()] == []
    assert len(set(labels)) == len(labels)
    if not name.startswith("categories"):
        for axes in figure.axes:
            check(axes.yaxis, least=1)


def test_trials_have_whole_epochs_and_readable_scores() -> None:
    """The scores of trials are on a logarithmic axis over whole epochs."""
    (axes,) = trial_charts.curves_chart(tune_record()).axes
    assert all(at == round(at) for at in shown(axes.xaxis))
    check(axes.yaxis)
