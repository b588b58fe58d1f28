"""The values of a chart's lines, kept with their paths in the SVG, so that a reader can point at them.

The script `values.js` shows them; without it they are in the tables of the page.
"""

import re

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

GID = "values-{}"
"""The id that a line has while its figure becomes an SVG; none of the page's elements has it afterwards."""

DIGITS = 4


def mark_lines(figure: Figure) -> list[Line2D]:
    """Give each named line of a figure an id, by its place; return these lines.

    Left out are lines that end at the edges of the axes, such as the one at the chosen epoch, and those that have an id
    already: they are many of one name.
    """
    lines = [
        line
        for axes in figure.axes
        for line in axes.lines
        if line.get_transform() == axes.transData and not _label(line).startswith("_")
        if line.get_gid() is None and line.get_linestyle() != "None"
    ]
    for place, line in enumerate(lines):
        line.set_gid(GID.format(place))
        line.get_path().should_simplify = False  # a place of the path for each value
    return lines


def with_values(svg: str, lines: list[Line2D]) -> str:
    """Return the SVG of a figure whose lines were marked, with the name and the values of each at its path."""
    for place, line in enumerate(lines):
        svg = svg.replace(f'<g id="{GID.format(place)}">', f"<g {_values(line)}>")
    return svg


def _values(line: Line2D) -> Markup:
    axes = line.axes
    assert axes is not None  # it was found in some
    x, y = (_numbers(values) for values in (line.get_xdata(), line.get_ydata()))
    return Markup('class="values" data-name="{}" data-of="{}" data-x="{}" data-y="{}"').format(
        _label(line), re.sub(r"\s*\(.*?\)", "", axes.get_xlabel() or _shared_label(line)), x, y
    )


def _shared_label(line: Line2D) -> str:
    """Return the label of the x axis below, where charts below each other share it."""
    figure = line.get_figure()
    assert isinstance(figure, Figure)
    return next((axes.get_xlabel() for axes in reversed(figure.axes) if axes.get_xlabel()), "")


def _label(line: Line2D) -> str:
    return str(line.get_label())


def _numbers(values: object) -> str:
    return " ".join(f"{value:.{DIGITS}g}" if value % 1 else f"{value:.0f}" for value in map(float, values))  # type: ignore[call-overload]
