"""The section on tuning, where the artifact `tune` exists: baseline and tuned, trials, the tuned recipe."""

from collections import Counter
from dataclasses import dataclass

from shared.store.artifacts import Artifact
from shared.store.records.base import Value
from shared.store.records.tune import TuneRecord


@dataclass(frozen=True)
class Tuning:
    """What the template `tuning.html` shows: baseline and tuned options, trials by their outcome, the recipe."""

    record: TuneRecord
    options: dict[str, tuple[Value, Value]]
    recipe: str
    states: Counter[str]


def tuning_section(tune: Artifact[TuneRecord] | None) -> Tuning | None:
    """Return what the template shows; None where nothing was tuned."""
    if tune is None:
        return None
    record = tune.record
    return Tuning(
        record,
        {name: (record.own.get(name), value) for name, value in record.best.params.items()},
        tune.read("tuned.toml").decode(),
        Counter(trial.state for trial in record.trials),
    )
