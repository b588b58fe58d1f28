"""Intervals as HTML: rows of marks placed in percent of the width, so that they fit any screen and any colours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.plots.answers import shown_answers
from shared.plots.formatting import (
    difference_points,
    interval_points,
    level_text,
    percent,
    percent_interval,
    real_count,
    signed_points,
    synthetic_count,
)
from shared.stats.confidence import LEVEL_TEXT
from shared.store.records.mixed import Answer, ArmRow, MixedRecord
from shared.store.replicates import replicate_name

MARGIN = 0.06
"""How far an axis goes beyond what it shows, as a share of that."""

MOST_TICKS = 6


@dataclass(frozen=True)
class Dot:
    """One replicate: its place in percent of the width, its value in words."""

    at: float
    words: str


@dataclass(frozen=True)
class Row:
    """An interval with its mean: places in percent of the width. `note` is what is wrong with it, `arm` a name."""

    words: str
    value: str
    low: float
    high: float
    mean: float
    dots: list[Dot]
    note: str = ""
    arm: str = ""


@dataclass(frozen=True)
class Chart:
    """Rows over one axis; `zero` is the place of 0 where the axis has it, `ticks` are places and numbers."""

    rows: list[Row]
    ticks: list[Dot]
    zero: float | None


@dataclass(frozen=True)
class Axis:
    """From which value to which an axis goes."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Axis":
        """Return an axis that holds all values and some room on both sides."""
        reach = max(max(values) - min(values), 0.001)
        return cls(min(values) - MARGIN * reach, max(values) + MARGIN * reach)

    def at(self, value: float) -> float:
        """Return the place of a value, in percent of the width."""
        return round(100 * (value - self.low) / (self.high - self.low), 3)

    def ticks(self) -> list[float]:
        """Return round values, at most MOST_TICKS, a round step from each other."""
        rough = (self.high - self.low) / MOST_TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step for factor in (1, 2, 5, 10) if (step := factor * power) >= rough)
        return [place * step for place in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def differences(record: MixedRecord) -> Chart:
    """Return a row for each answer, in points; the axis has 0."""
    answers = shown_answers(record)
    axis = Axis.of([0.0, *(value for answer in answers for value in (answer.low, answer.high, *answer.values))])
    ticks = [Dot(axis.at(value), _number(value, signed=True)) for value in axis.ticks()]
    return Chart([_of_answer(answer, axis) for answer in answers], ticks, axis.at(0))


def accuracies(record: MixedRecord) -> Chart:
    """Return a row for each arm, in percent of test images."""
    held = [value for arm in record.arms for value in (arm.accuracy.low, arm.accuracy.high, *arm.accuracy.values)]
    axis = Axis.of(held)
    ticks = [Dot(axis.at(value), f"{_number(value)} %") for value in axis.ticks() if 0 <= value <= 1]
    return Chart([_of_arm(arm, axis) for arm in record.arms], ticks, None)


def _of_answer(answer: Answer, axis: Axis) -> Row:
    return Row(
        words=f"{answer.question[0].upper()}{answer.question[1:]}",
        value=f"{difference_points(answer)} ({level_text(answer.level)} interval {interval_points(answer)})",
        low=axis.at(answer.low),
        high=axis.at(answer.high),
        mean=axis.at(answer.difference),
        dots=_replicates(answer.values, axis, lambda value: f"{signed_points(value, 2)} points"),
        note="" if answer.like_for_like else "NOT LIKE FOR LIKE",
    )


def _of_arm(arm: ArmRow, axis: Axis) -> Row:
    accuracy = arm.accuracy
    return Row(
        words=f"{arm.about} ({real_count(arm)} real, {synthetic_count(arm)} synthetic)",
        value=f"{percent(accuracy.mean)} % ({LEVEL_TEXT} interval {percent_interval(accuracy)})",
        low=axis.at(accuracy.low),
        high=axis.at(accuracy.high),
        mean=axis.at(accuracy.mean),
        dots=_replicates(accuracy.values, axis, lambda value: f"{percent(value)} %"),
        arm=arm.arm,
    )


def _replicates(values: Sequence[float], axis: Axis, told: Callable[[float], str]) -> list[Dot]:
    """Return a dot for each replicate, with its name and its value as it is told."""
    return [Dot(axis.at(value), f"{replicate_name(number)}: {told(value)}") for number, value in enumerate(values)]


def _number(share: float, signed: bool = False) -> str:
    """Return a share in percent with as few digits as it has, the proper minus."""
    value = round(100 * share, 6) or 0.0
    return f"{value:{'+' if signed and value else ''}.6g}".replace("-", "\N{MINUS SIGN}")
