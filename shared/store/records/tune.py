"""What `tune` says: the trials, the best of them, the recipe's own options against it on test."""

from typing import Annotated

from pydantic import Field
from pydantic import model_validator as validator

from shared.store.records.base import Record, Value
from shared.store.records.scores import Protocol

Point = Annotated[tuple[int, float], Field(strict=False)]
"""An epoch and the score after it; JSON has them as a list."""


class TrialRow(Record):
    """A trial: "finished", "stopped" or "refused" (and why), its options by `job.option`, its objective if finished.

    `epoch` is that of the snapshot that was chosen.
    """

    number: int
    state: str
    refused: str | None
    params: dict[str, Value]
    value: float | None
    epoch: int | None
    curve: list[Point]


class BestTrial(Record):
    """The trial with the lowest objective."""

    number: int
    value: float
    params: dict[str, Value]


class Summary(Record):
    """A figure of quality over seeds: values, mean, and where there are several seeds spread and 95 % interval."""

    values: list[float]
    mean: float
    std: float | None
    low: float | None
    high: float | None


class Difference(Record):
    """The mean after less the mean before, and its 95 % interval where there are several seeds."""

    difference: float
    low: float | None
    high: float | None


class QualityRow(Record):
    """A figure of quality on test with the recipe's own options (`before`) and with the best trial's (`after`)."""

    name: str
    lower_is_better: bool
    before: Summary
    after: Summary
    change: Difference
    outcome: str


class TuneComparison(Record):
    """Every figure of quality, that of the objective first, and the finding in words."""

    rows: list[QualityRow] = Field(min_length=1)
    unchanged: bool
    sentence: str


class TuneRecord(Record):
    """A search for better options of train_gan; `own` are the recipe's own values of what it varied."""

    objective: str
    score: str
    trials: list[TrialRow] = Field(min_length=1)
    rungs: list[int]
    best: BestTrial
    own: dict[str, Value]
    importance_of: str
    importance_trials: int
    importances: dict[str, float] | None
    comparison: TuneComparison
    epochs: int
    seeds: list[int]
    protocol: Protocol
    val_protocol: Protocol

    @validator(mode="after")
    def _complete(self) -> "TuneRecord":
        if self.best.number not in [trial.number for trial in self.trials]:
            raise ValueError(f"trials has no number {self.best.number}, which is the best")
        for trial in self.trials:
            lacking = [name for name in self.own if name not in trial.params]
            if lacking:
                raise ValueError(f"trial {trial.number} has no value of {lacking[0]}")
        return self
