"""Ticks that can be read: a few on any range, their labels plain and different, epochs whole."""

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, Locator, MaxNLocator, NullLocator

SMALLEST_PLAIN, LARGEST_PLAIN = 1e-4, 1e6
"""Numbers between are written out; others as a power of ten."""

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

MINUS = "\N{MINUS SIGN}"

STEPS = (1, 2, 2.5, 5, 10)

MOST_LOG_TICKS = 8


def tick_labels(values: Sequence[float]) -> list[str]:
    """Return a label for each tick; different ticks have different labels.

    Evenly spaced ones have the same number of decimals.
    """
    places = sorted(set(values))
    gaps = [after - before for before, after in pairwise(places)]
    largest = max((abs(value) for value in values), default=0.0)
    gap = min(gaps, default=largest)
    smallest = min((abs(value) for value in values if abs(value) > gap / 1000), default=0.0)
    if largest == 0:
        return ["0" for _ in values]
    if largest >= LARGEST_PLAIN or smallest < SMALLEST_PLAIN:
        return [_power_of_ten(value, gap).replace("-", MINUS) for value in values]
    # what is left out is far below what is between two ticks
    decimals = max(_decimals(value, gap) for value in values)
    even = max(gaps, default=gap) < 1.5 * gap
    labels = [f"{value:,.{decimals}f}" for value in values]
    if not even and decimals:
        labels = [label.rstrip("0").rstrip(".") for label in labels]
    zero = {"-" + f"{0:.{count}f}" for count in range(16)}
    return [label.removeprefix("-") if label in zero else label.replace("-", MINUS) for label in labels]


def _decimals(value: float, gap: float) -> int:
    """Return how many decimals say `value` to a hundredth of `gap`, at most 15, which float64 has."""
    return next((count for count in range(15) if abs(round(value, count) - value) < gap / 100), 15)


def _power_of_ten(value: float, gap: float) -> str:
    """Return a number as a power of ten with a factor."""
    if abs(value) < gap / 1000:
        return "0"
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    scale = 10.0**exponent
    mantissa = f"{value / scale:.{_decimals(value / scale, gap / scale)}f}"
    power = "10" + str(exponent).translate(SUPERSCRIPT)
    return power if mantissa == "1" else f"{mantissa}\N{MULTIPLICATION SIGN}{power}"


class PlainFormatter(Formatter):
    """Labels of `tick_labels`, without an offset or a common factor that a reader would have to find."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        return tick_labels(values)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick alone."""
        return tick_labels([x])[0]


class LogTicks(Locator):
    """Ticks of a logarithmic axis: round numbers where it spans less than a decade, else 1, 2, 5 or powers of ten."""

    def __call__(self) -> list[float]:
        """Return the ticks of the axis as it is shown."""
        assert isinstance(self.axis, Axis)
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Return ticks from `vmin` to `vmax`, both above 0."""
        low, high = sorted((vmin, vmax))
        if low <= 0 or high / low < 10:
            for most in (5, 8):
                even = MaxNLocator(nbins=most, steps=STEPS).tick_values(low, high)
                ticks = [float(value) for value in even if low <= value <= high and value > 0]
                if len(ticks) > 2:
                    break
            return ticks
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        every = -(-len(decades) // MOST_LOG_TICKS)
        kinds = [(decades, (1, 2, 5)), (decades, (1,)), (decades[::every], (1,))]
        for exponents, factors in kinds:
            ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
            ticks = [value for value in ticks if low * 0.999 <= value <= high * 1.001]
            if len(ticks) <= MOST_LOG_TICKS:
                break
        return ticks


def plain(axes: Axes) -> None:
    """Give both axes labels that can be read."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PlainFormatter())
        axis.isDefault_majfmt = True  # names as values of an axis still bring their own labels


def log_scale(axes: Axes, name: str = "y") -> None:
    """Make the axis "x" or "y" logarithmic, with ticks that can be read on any range."""
    axis = {"x": axes.xaxis, "y": axes.yaxis}[name]
    axes.set(**{f"{name}scale": "log"})  # this sets ticks and labels of its own
    axis.set_major_locator(LogTicks())
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(PlainFormatter())


def whole_epochs(axes: Axes) -> None:
    """Give the x axis ticks at whole epochs alone; call it after everything is drawn."""
    low, high = axes.get_xlim()
    if high - low < 1:  # one point
        axes.set_xlim((low + high) / 2 - 0.5, (low + high) / 2 + 0.5)
    # at least one tick: with two, matplotlib would give up whole numbers on a short axis
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=(1, 2, 5, 10), integer=True, min_n_ticks=1))
