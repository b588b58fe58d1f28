"""Scores of several experiments side by side, if their protocols allow it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from shared.errors import BadInput
from shared.metrics.metric import metric_of
from shared.metrics.protocol import differences
from shared.models.tables import EXTRACTORS
from shared.store.records.scores import OnTest, Protocol, ScoresRecord


@dataclass(frozen=True)
class OverSnapshots:
    """The lowest, the mean and the highest of the score that chose, over all snapshots, on val."""

    score: str
    lowest: float
    mean: float
    highest: float


@dataclass(frozen=True)
class ScoreComparison:
    """Scores on test by name and experiment, who has the best of each, curves by experiment, protocols by extractor."""

    scores: dict[str, dict[str, float]]
    best: dict[str, str | None]
    over_snapshots: dict[str, OverSnapshots]
    protocols: dict[str, Protocol]

    def facts(self) -> dict[str, object]:
        """Return the comparison as JSON holds it."""
        return asdict(self) | {"protocols": {name: protocol.facts() for name, protocol in self.protocols.items()}}


def compare_scores(records: Mapping[str, ScoresRecord]) -> ScoreComparison:
    """Return the numbers of each experiment by score, and how its snapshots did.

    Raises BadInput where extractors that two experiments share were used under different protocols, or where they
    share none.
    """
    on_test = {name: record.on_test for name, record in records.items() if record.on_test is not None}
    protocols = shared_protocols({name: on_test[name].test_protocols if name in on_test else {} for name in records})
    numbers = {name: scores_on_test(scores) for name, scores in on_test.items()}
    first = next(iter(numbers.values()))
    names = [name for name in first if all(name in scores for scores in numbers.values())]
    table = {name: {experiment: scores[name] for experiment, scores in numbers.items()} for name in names}
    return ScoreComparison(
        table,
        {name: best(name, values) for name, values in table.items()},
        {experiment: over_snapshots(record) for experiment, record in records.items()},
        protocols,
    )


def scores_on_test(on_test: OnTest) -> dict[str, float]:
    """Return every score of the chosen snapshot, its agreement with the class asked for last if there is one."""
    agreement = {} if on_test.test.agreement is None else {"agreement": on_test.test.agreement}
    return on_test.test.scores | agreement


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


def best(name: str, values: dict[str, float]) -> str | None:
    """Return the experiment with the best value of a score; None for what is no score of quality (slope, spread)."""
    metric = metric_of(name, EXTRACTORS)
    if metric is None or metric.higher_is_better is None:
        return None
    pick = max if metric.higher_is_better else min
    return pick(values, key=lambda experiment: values[experiment])


def over_snapshots(record: ScoresRecord) -> OverSnapshots:
    """Return how the snapshots of one experiment did on val."""
    values = [value for _, value in record.curve]
    return OverSnapshots(record.chosen_score, min(values), sum(values) / len(values), max(values))
