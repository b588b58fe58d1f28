"""What the texts of recipes print, next to the same number of the experiment."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from jobs.compare.experiments import Experiment
from shared.metrics.over_epochs import over_epochs
from shared.metrics.over_replicates import summaries
from shared.stats.confidence import LEVEL_TEXT

INCEPTION = ("inception_clean", "inception_legacy")
"""The extractors whose scores have the names that texts print."""

NOT_MEASURED = "not measured"

REMEDY = "FID and Inception Score need FID's Inception: `halfreal weights fetch`, then evaluate again."
"""What to do about numbers that are not measured for want of weights."""


@dataclass(frozen=True)
class Ours:
    """A number of the experiment, or None; `note` says what it is exactly, or why there is none."""

    value: float | None
    note: str


@dataclass(frozen=True)
class PrintedRow:
    """A printed number and the experiment's own."""

    about: str
    printed: float
    ours: Ours


@dataclass(frozen=True)
class Counterpart:
    """What a printed number is called, and how the experiment's own is found."""

    about: str
    find: Callable[[Experiment], Ours]


def _fid(column: str) -> Callable[[Experiment], Ours]:
    def find(experiment: Experiment) -> Ours:
        for name in (f"fid_{extractor}" for extractor in INCEPTION):
            rows = [row for record in experiment.records.values() for row in record.rows]
            if rows and all(name in row.scores for row in rows):
                found = over_epochs(experiment.records, name)
                epoch = f", epoch {found.best_epoch}" if column == "lowest" else ""
                return Ours(getattr(found, column), f"{name} on val, all snapshots{epoch}")
        return Ours(None, NOT_MEASURED)

    return find


def _inception_score(experiment: Experiment) -> Ours:
    on_test = [record.on_test for record in experiment.records.values() if record.on_test is not None]
    found = summaries(on_test) if on_test else {}
    for name in (f"inception_score_{extractor}" for extractor in INCEPTION):
        if name in found:
            return Ours(found[name].synthetic["mean"], f"{name}, chosen snapshots")
    return Ours(None, NOT_MEASURED)


def _accuracy(arm: str) -> Callable[[Experiment], Ours]:
    def find(experiment: Experiment) -> Ours:
        rows = [row for row in experiment.mixed.arms if row.arm == arm] if experiment.mixed else []
        if not rows:
            return Ours(None, f"not measured: no arm {arm}" if experiment.mixed else "not measured: no verdict yet")
        accuracy = rows[0].accuracy
        return Ours(accuracy.mean, f"arm {arm}, {LEVEL_TEXT} interval {accuracy.low:.3f} to {accuracy.high:.3f}")

    return find


COUNTERPARTS: Mapping[str, Counterpart] = {
    "fid_lowest": Counterpart("lowest FID over epochs", _fid("lowest")),
    "fid_mean": Counterpart("mean FID over epochs", _fid("mean")),
    "fid_highest": Counterpart("highest FID over epochs", _fid("highest")),
    "inception_score": Counterpart("Inception Score", _inception_score),
    "accuracy_real": Counterpart("accuracy, real images alone", _accuracy("real_100")),
    "accuracy_with_synthetic": Counterpart(
        "accuracy, with synthetic images added", _accuracy("real_100_plus_synthetic_100")
    ),
}
"""A row for each name that the table `published` of a recipe may have."""


def printed_rows(experiment: Experiment) -> list[PrintedRow]:
    """Return each printed number of the experiment's recipe with the experiment's own."""
    values = experiment.published.values if experiment.published else {}
    return [
        PrintedRow(COUNTERPARTS[name].about, value, COUNTERPARTS[name].find(experiment))
        for name, value in values.items()
        if name in COUNTERPARTS
    ]


def remedy(rows: Iterable[PrintedRow]) -> str:
    """Return what to do where some number was not measured for want of weights; nothing where all were."""
    return REMEDY if any(row.ours.note == NOT_MEASURED for row in rows) else ""


def printed_words(experiment: Experiment) -> str:
    """Return whose numbers these are, or why there are none."""
    if experiment.published is None:
        return "no source with printed numbers" if experiment.recipe else "recipe not recorded"
    if not experiment.published.values:
        return f"none printed for {experiment.published.recipe}"
    tuned = f"; {experiment.recipe} is its tuned or changed counterpart" if experiment.tuned else ""
    return f"printed for {experiment.published.recipe}{tuned}"
