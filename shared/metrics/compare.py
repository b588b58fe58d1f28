"""Scores of several experiments side by side, if their protocols allow it."""

from typing import Any

from shared.errors import BadInput
from shared.metrics.metric import metric_of
from shared.metrics.protocol import differences
from shared.models.tables import EXTRACTORS


def compare_scores(facts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the numbers of each experiment by score, and the best snapshot's curve, from the facts of `evaluate`.

    Raises BadInput where extractors that two experiments share were used under different protocols, or where they
    share none.
    """
    protocols = shared_protocols({each: scores.get("test_protocols", {}) for each, scores in facts.items()})
    numbers = {each: _numbers(scores["test"]) for each, scores in facts.items()}
    first = next(iter(numbers.values()))
    names = [name for name in first if all(name in scores for scores in numbers.values())]
    table = {name: {each: scores[name] for each, scores in numbers.items()} for name in names}
    return {
        "scores": table,
        "best": {name: best(name, values) for name, values in table.items()},
        "over_snapshots": {each: over_snapshots(scores) for each, scores in facts.items()},
        "protocols": protocols,
    }


def _numbers(scores: dict[str, Any]) -> dict[str, float]:
    """Return the scores that are one number, which tables can show."""
    return {name: value for name, value in scores.items() if isinstance(value, float)}


def shared_protocols(protocols: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
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
    row = metric_of(name, EXTRACTORS)
    if row is None or row.higher_is_better is None:
        return None
    pick = max if row.higher_is_better else min
    return pick(values, key=lambda each: values[each])


def over_snapshots(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the lowest, the mean and the highest of the score that chose, over all snapshots, on val."""
    score = facts["chosen_score"]
    values = [row[score] for row in facts["rows"]]
    return {"score": score, "lowest": min(values), "mean": sum(values) / len(values), "highest": max(values)}
