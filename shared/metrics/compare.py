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
    first, *others = facts
    shared = set.intersection(*(set(each.get("test_protocols", ())) for each in facts.values()))
    if not shared:
        raise BadInput(f"{', '.join(facts)}: no extractor in common; run evaluate with the same --extractors")
    for other in others:
        for extractor in sorted(shared):
            found = differences(facts[first]["test_protocols"][extractor], facts[other]["test_protocols"][extractor])
            if found:
                raise BadInput(
                    f"{first} and {other} were scored under different protocols ({extractor}): {'; '.join(found)}\n"
                    "such numbers do not compare; evaluate both with the same options on the same real images"
                )
    names = [
        name
        for name, value in facts[first]["test"].items()
        if isinstance(value, float) and all(isinstance(each["test"].get(name), float) for each in facts.values())
    ]
    table = {name: {each: found["test"][name] for each, found in facts.items()} for name in names}
    return {
        "scores": table,
        "best": {name: best(name, values) for name, values in table.items()},
        "over_snapshots": {each: over_snapshots(found) for each, found in facts.items()},
        "protocols": {name: facts[first]["test_protocols"][name] for name in sorted(shared)},
    }


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
