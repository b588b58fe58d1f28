"""The search space: which options of train_gan vary, and over which values. Imports neither torch nor optuna.

As JSON it is `{"train_gan": {option: domain}}`; a domain is a list of values or a range
`{"low": ..., "high": ..., "log": false}` with both ends in it.
"""

import json
import math
from dataclasses import dataclass
from random import Random
from typing import Any

from shared.cli.options import nearest

Value = str | int | float | bool

TUNABLE = "train_gan"

FIXED = {
    "seed": "every trial has the same seed, so that trials compare",
    "threads": "it changes nothing but speed and the last digits",
    "cuda_graphs": "it changes nothing but speed and the last digits",
    "checkpoint_minutes": "it changes nothing but what a killed run does again",
    "epochs": "trials are compared after the same number of epochs; see --epochs of tune",
    "snapshot_every_epochs": "trials are compared after the same number of epochs",
}
"""Options that cannot vary, and why."""

WANTED = {bool: "true or false", int: "a whole number", float: "a finite number", str: "text"}
"""What a value of an option is, by its type."""


class WrongSpace(Exception):
    """What is wrong with a search space; `keys` says where in it."""

    def __init__(self, message: str, *keys: str) -> None:
        super().__init__(message)
        self.keys = keys


@dataclass(frozen=True)
class Choices:
    """One of several values."""

    values: tuple[Value, ...]

    @property
    def probes(self) -> tuple[Value, ...]:
        """The values that are tried out before the first trial."""
        return self.values

    @property
    def words(self) -> str:
        """The values, for people."""
        return ", ".join(map(str, self.values))

    @property
    def size(self) -> float:
        """How many values there are."""
        return len(self.values)

    def draw(self, rng: Random) -> Value:
        """Return one of them."""
        return rng.choice(self.values)

    def holds(self, value: Value | None) -> bool:
        """Whether `value` can be drawn."""
        return value in self.values


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included; `whole` ones for options that count."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def probes(self) -> tuple[Value, ...]:
        """The values that are tried out before the first trial."""
        # what a job refuses in between it refuses at an end: its limits are intervals
        return self.low, self.high

    @property
    def words(self) -> str:
        """Both ends, for people."""
        return f"{self.low:g} to {self.high:g}"

    @property
    def size(self) -> float:
        """How many values there are; infinitely many of numbers that are not whole."""
        return int(self.high) - int(self.low) + 1 if self.whole else math.inf

    def draw(self, rng: Random) -> Value:
        """Return one of them."""
        return rng.randint(int(self.low), int(self.high)) if self.whole else rng.uniform(self.low, self.high)

    def holds(self, value: Value | None) -> bool:
        """Whether `value` can be drawn."""
        return isinstance(value, int | float) and self.low <= value <= self.high


Domain = Choices | Range
Space = dict[str, Domain]
"""Domains by `job.option`."""


def parse_space(text: str, types: dict[str, type]) -> Space:
    """Return the space in the JSON `text`; `types` has the type of each option of train_gan.

    Raises WrongSpace for what is no space, an unknown option, an empty or wrong domain.
    """
    try:
        jobs = json.loads(text)
    except ValueError as error:
        raise WrongSpace(f"the space is not JSON ({error})") from error
    if not isinstance(jobs, dict) or not jobs:
        raise WrongSpace(f"the space is {jobs!r:.60}; want options of {TUNABLE}, each with a list or a range")
    space: Space = {}
    for job, options in jobs.items():
        if job != TUNABLE or not isinstance(options, dict):
            raise WrongSpace(f"{job}: only options of {TUNABLE} can be tuned: {TUNABLE}.learning_rate = ...", job)
        for option, domain in options.items():
            if option not in types:
                raise WrongSpace(
                    f"{job} has no option {option!r}{nearest(option, types)}; it has {', '.join(sorted(types))}",
                    job,
                    option,
                )
            if option in FIXED:
                raise WrongSpace(f"{job}.{option} cannot be tuned: {FIXED[option]}", job, option)
            try:
                space[f"{job}.{option}"] = _domain(domain, types[option])
            except ValueError as error:
                raise WrongSpace(f"{job}.{option} = {json.dumps(domain)[:80]}: {error}", job, option) from error
    if not space:
        raise WrongSpace("the space is empty; name at least one option with a list or a range", *jobs)
    return space


def _fits(value: Any, kind: type) -> bool:
    """Whether a value in a list is of the option's type; whole numbers are numbers, truth values are not."""
    if kind is str:
        return isinstance(value, str) and value != ""
    if kind is bool:
        return isinstance(value, bool)
    if kind is int and not isinstance(value, int):
        return False
    return _is_number(value) and math.isfinite(value)


def _domain(written: Any, kind: type) -> Domain:
    """Return the domain of one option, as the recipe writes it; ValueError says what is wrong with it."""
    if isinstance(written, list):
        return _choices(written, kind)
    if not isinstance(written, dict) or not {"low", "high"} <= written.keys() <= {"low", "high", "log"}:
        raise ValueError("want a list of values, or {low = ..., high = ..., log = true}")
    return _range(written["low"], written["high"], written.get("log", False), kind)


def _choices(values: list[Any], kind: type) -> Choices:
    """Return the domain of a list of values of an option's type."""
    if not values:
        raise ValueError("an empty list; want at least one value")
    wrong = [value for value in values if not _fits(value, kind)]
    if wrong:
        raise ValueError(f"{json.dumps(wrong[0])} is no value of this option; want {WANTED[kind]}")
    if len(set(values)) < len(values):
        raise ValueError("a value occurs twice")
    return Choices(tuple(values))


def _range(low: Any, high: Any, log: Any, kind: type) -> Range:
    """Return the domain of the numbers from `low` to `high`."""
    if kind not in (int, float):
        raise ValueError("a range is for numbers, which this option does not take; want a list of values")
    if not (_is_number(low) and _is_number(high)):
        raise ValueError("want numbers as low and high")
    if not isinstance(log, bool):
        raise ValueError("want log = true or false")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError("an empty range; want low below high")
    if log and low <= 0:
        raise ValueError("a logarithmic range begins above 0")
    return Range(low, high, log, kind is int)


def _is_number(value: Any) -> bool:
    """Whether a value is a number; Python counts truth values among the integers, TOML does not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
