"""Scores of several experiments side by side, if their protocols allow it; a difference only beyond the spread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from shared.errors import BadInput
from shared.metrics.metric import metric_of
from shared.metrics.over_replicates import summaries
from shared.metrics.protocol import differences
from shared.models.tables import EXTRACTORS
from shared.stats.confidence import other_level
from shared.stats.intervals import StudentSummary, welch_difference
from shared.store.records.scores import Protocol, ScoresRecord

WITHIN = "within the spread over replicates"
UNKNOWN = "not known: one replicate has no spread"
"""What is said of two experiments whose difference is not shown."""


@dataclass(frozen=True)
class OverSnapshots:
    """The lowest, the mean and the highest of the score that chose, over all snapshots of all replicates, on val."""

    score: str
    lowest: float
    mean: float
    highest: float


@dataclass(frozen=True)
class PairDifference:
    """The mean of `b` less that of `a` over replicates, its interval (None with one), and who is better by it."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    better: str | None
    finding: str


@dataclass(frozen=True)
class ScoreComparison:
    """Scores on test by name and experiment, the differences of each pair, who is best of all, curves, protocols.

    `differences` and `best` have the scores of quality alone; `best` is None unless an experiment is better than every
    other one beyond the spread over replicates. `level` is that of each difference: all of them share 5 %.
    """

    scores: dict[str, dict[str, StudentSummary]]
    differences: dict[str, list[PairDifference]]
    best: dict[str, str | None]
    level: float
    over_snapshots: dict[str, OverSnapshots]
    protocols: dict[str, Protocol]

    def facts(self) -> dict[str, object]:
        """Return the comparison as JSON holds it."""
        return asdict(self) | {"protocols": {name: protocol.facts() for name, protocol in self.protocols.items()}}


def compare_scores(records: Mapping[str, Sequence[ScoresRecord]]) -> ScoreComparison:
    """Return the numbers of each experiment by score, whose replicates are given, and which of them differ.

    Raises BadInput where extractors that two experiments share were used under different protocols, or where they
    share none.
    """
    on_test = {name: [row.on_test for row in rows if row.on_test is not None] for name, rows in records.items()}
    # the seeds of later replicates follow from that of the first
    first = {name: scored[0].test_protocols if scored else {} for name, scored in on_test.items()}
    protocols = shared_protocols(first)
    found = {name: summaries(scored) for name, scored in on_test.items()}
    common = [name for name in next(iter(found.values())) if all(name in scores for scores in found.values())]
    table = {name: {experiment: scores[name].synthetic for experiment, scores in found.items()} for name in common}
    judged = {name: higher for name in common if (higher := higher_is_better(name)) is not None}
    level = other_level(len(judged) * len(list(combinations(records, 2))))
    pairs = {name: pair_differences(table[name], higher, level) for name, higher in judged.items()}
    return ScoreComparison(
        table,
        pairs,
        {name: best(records, rows) for name, rows in pairs.items()},
        level,
        {experiment: over_snapshots(rows) for experiment, rows in records.items()},
        protocols,
    )


def shared_protocols(protocols: Mapping[str, Mapping[str, Protocol]]) -> dict[str, Protocol]:
    """Return the protocols that all experiments share, by extractor; `protocols` has those of each experiment.

    Raises BadInput where they share no extractor, or used one under different protocols.
    """
    (first, reference), *others = protocols.items()
    extractors = sorted(set.intersection(*map(set, protocols.values())))
    if not extractors:
        raise BadInput(f"{', '.join(protocols)}: no extractor in common; run evaluate with the same --extractors")
    for name, other in others:
        for extractor in extractors:
            differ = differences(reference[extractor], other[extractor])
            if differ:
                raise BadInput(
                    f"{first} and {name} were scored under different protocols ({extractor}): {'; '.join(differ)}\n"
                    "such numbers do not compare; evaluate both with the same options on the same real images"
                )
    return {extractor: reference[extractor] for extractor in extractors}


def higher_is_better(name: str) -> bool | None:
    """Return the better direction of a score; None for what is no score of quality (slope, spread)."""
    metric = metric_of(name, EXTRACTORS)
    return None if metric is None else metric.higher_is_better


def pair_differences(values: Mapping[str, StudentSummary], higher: bool, level: float) -> list[PairDifference]:
    """Return the difference of each pair of experiments, whose values over replicates are given; Welch's interval."""
    return [pair_difference(a, b, values, higher, level) for a, b in combinations(values, 2)]


def pair_difference(a: str, b: str, values: Mapping[str, StudentSummary], higher: bool, level: float) -> PairDifference:
    """Return how `b` differs from `a`, and what that shows."""
    found = welch_difference(values[a]["values"], values[b]["values"], level)
    low, high = found["low"], found["high"]
    if low is None or high is None:
        return PairDifference(a, b, **found, better=None, finding=UNKNOWN)
    better = None if low <= 0 <= high else b if (low > 0) == higher else a
    return PairDifference(a, b, **found, better=better, finding=f"{better} is better" if better else WITHIN)


def best(experiments: Iterable[str], pairs: Sequence[PairDifference]) -> str | None:
    """Return the experiment that is better than every other one; None where that is not shown."""
    names = list(experiments)
    wins = {name: sum(pair.better == name for pair in pairs) for name in names}
    return next((name for name in names if wins[name] == len(names) - 1), None)


def over_snapshots(records: Sequence[ScoresRecord]) -> OverSnapshots:
    """Return how the snapshots of one experiment's replicates did on val."""
    values = [value for record in records for _, value in record.curve]
    return OverSnapshots(records[0].chosen_score, min(values), sum(values) / len(values), max(values))
