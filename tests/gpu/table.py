"""The results as Markdown: a table for docs, and above it the machine that they are of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

GOALS = {True: "met", False: "missed", None: ""}


def markdown(results: Mapping[str, Any]) -> str:
    """Return the machine and a table with a line for each row, each part that is not whole said with its reason."""
    machine = results["machine"]
    lines = [f"{machine['device']}, torch {machine['torch']}, {results['seconds']:.0f} s in all.", ""]
    lines += ["| measured | value | times the speed of | goal |", "|---|---|---|---|"]
    for name, part in results["parts"].items():
        lines += list(_lines(part["rows"]))
        if part["ended"] != "whole":
            lines.append(f"| {name} | {part['ended']} | | |")
    return "\n".join(lines) + "\n"


def _lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        against = ", ".join(f"{name} {_range(ratio)}" for name, ratio in row["ratios"].items())
        goal = ": ".join(filter(None, (row["goal"], GOALS[row["met"]])))
        yield f"| {row['what']} | {_value(row)} | {against} | {goal} |"


def _value(row: Mapping[str, Any]) -> str:
    """Return the value with its range and unit, and the note."""
    parts = []
    if row["value"] is not None:
        low, high = row["low"], row["high"]
        spread = "" if low is None else f" [{_number(low)} .. {_number(high)}]"
        parts.append(f"{_number(row['value'])}{spread} {row['unit']}".rstrip())
    return "; ".join([*parts, *filter(None, [row["note"]])])


def _range(ratio: Sequence[float]) -> str:
    middle, low, high = ratio
    return f"{middle:.2f} [{low:.2f} .. {high:.2f}]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"
