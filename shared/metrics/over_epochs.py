"""The scores of snapshots on val: the lowest, the mean and the highest of an experiment, and where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from shared.metrics.compare import DISTANCES, Finding, Scored, find, shared_protocols
from shared.metrics.over_replicates import summary
from shared.stats.confidence import other_level
from shared.store.records.scores import ScoresRecord, SnapshotScores

COLUMNS = ("lowest", "mean", "highest")


@dataclass(frozen=True)
class OverEpochs:
    """A distance on val over the snapshots of all replicates together, and where the lowest is.

    `values` has the lowest, the mean and the highest of each replicate, in the order of `curves`: the distance by epoch
    of each replicate, by its number.
    """

    score: str
    lowest: float
    mean: float
    highest: float
    best_epoch: int
    best_replicate: int
    best_file: str
    values: dict[str, list[float]]
    curves: dict[int, list[tuple[int, float]]]


@dataclass(frozen=True)
class EpochComparison:
    """The distances over epochs of each experiment, and what each column shows over replicates.

    `findings` are empty, and `why_not` says why, where the experiments' numbers on val do not compare.
    """

    experiments: dict[str, OverEpochs]
    findings: dict[str, Finding]
    why_not: str


def over_epochs(records: Mapping[int, ScoresRecord], score: str) -> OverEpochs:
    """Return how the snapshots of an experiment did by `score`; the records of its replicates are by number."""
    curves = {number: [(row.epoch, row.scores[score]) for row in record.rows] for number, record in records.items()}
    values = {number: [value for _, value in curve] for number, curve in curves.items()}
    pooled = [value for each in values.values() for value in each]
    # distances: the lowest is the best; of equal ones the first
    rows = [(number, row) for number, record in records.items() for row in record.rows]

    def distance(place: tuple[int, SnapshotScores]) -> float:
        return place[1].scores[score]

    number, best = min(rows, key=distance)
    columns = {
        "lowest": [min(each) for each in values.values()],
        "mean": [fmean(each) for each in values.values()],
        "highest": [max(each) for each in values.values()],
    }
    return OverEpochs(
        score, min(pooled), fmean(pooled), max(pooled), best.epoch, number, best.file, columns, dict(curves)
    )


def compare_epochs(experiments: Mapping[str, Mapping[int, ScoresRecord]], headline: str) -> EpochComparison:
    """Return the distances over epochs of all experiments: by `headline` if all snapshots have it.

    Otherwise by the first distance that all have under one protocol; where there is none each by what chose its own
    snapshots, and no column is judged.
    """
    scored = {name: Scored.of(list(records.values())) for name, records in experiments.items()}
    if len(experiments) < 2:  # others were imported, and have no epochs
        return EpochComparison(
            {name: over_epochs(records, scored[name].chosen_by) for name, records in experiments.items()}, {}, ""
        )
    shared, differing = shared_protocols({name: each.protocols for name, each in scored.items()})
    there = [set.intersection(*(set(row.scores) for row in rows)) for rows in map(_rows, experiments.values())]
    wanted = [headline, *DISTANCES]
    score = next(
        (name for name in wanted if DISTANCES.get(name) in shared and all(name in each for each in there)), None
    )
    if score is None:
        own = {name: over_epochs(records, scored[name].chosen_by) for name, records in experiments.items()}
        why = "; ".join(f"{name}: {how}" for name, how in differing.items()) or "no extractor in common"
        return EpochComparison(own, {}, why)
    found = {name: over_epochs(records, score) for name, records in experiments.items()}
    level = other_level(len(COLUMNS) * len(list(combinations(experiments, 2))))
    findings = {
        column: find(score, {name: summary(score, each.values[column]) for name, each in found.items()}, level)
        for column in COLUMNS
    }
    return EpochComparison(found, findings, "")


def _rows(records: Mapping[int, ScoresRecord]) -> Sequence[SnapshotScores]:
    return [row for record in records.values() for row in record.rows]
