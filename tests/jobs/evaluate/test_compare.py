"""Comparisons of experiments: a difference only beyond the spread over replicates; no winner by ties or noise."""

import json
from typing import Any

import pytest

from jobs.evaluate.compare import finding, print_comparison
from shared.metrics.compare import UNKNOWN, WITHIN, compare_scores
from shared.store.artifacts import Artifact
from shared.store.records.scores import ScoresRecord

NAME = "frechet_classifier"


def replicates(made: dict[str, Artifact], *values: float) -> list[ScoresRecord]:
    """Return scores of replicates that have these Fréchet distances and are equal otherwise."""
    facts: Any = made["scores"].facts
    return [ScoresRecord.model_validate(facts | {"test": facts["test"] | {NAME: value}}) for value in values]


def test_noise_names_no_winner(made: dict[str, Artifact]) -> None:
    """Means that differ by less than replicates do are within the spread, and nothing is best."""
    found = compare_scores({"a": replicates(made, 3.0, 4.0, 5.0), "b": replicates(made, 3.5, 4.5, 5.5)})
    assert found.best[NAME] is None
    assert finding(found, NAME) == WITHIN
    assert found.scores[NAME]["b"]["mean"] == 4.5


def test_ties_name_no_winner(made: dict[str, Artifact]) -> None:
    """Equal numbers, with and without a spread, are no difference."""
    for values in ((4.0, 4.0, 4.0), (3.0, 4.0, 5.0)):
        found = compare_scores({"a": replicates(made, *values), "b": replicates(made, *values)})
        assert set(found.best.values()) == {None}
        assert {finding(found, name) for name in found.best} == {WITHIN}


def test_a_difference_beyond_the_spread_is_named(made: dict[str, Artifact]) -> None:
    """The lower distance is the better one in either order; slopes and spreads have no better one."""
    low, high = replicates(made, 3.0, 3.01, 3.02), replicates(made, 9.0, 9.01, 9.02)
    for records in ({"a": low, "b": high}, {"b": high, "a": low}):
        found = compare_scores(records)
        assert found.best[NAME] == "a"
        assert finding(found, NAME) == "a is better"
    assert f"{NAME}_slope" in found.scores
    assert f"{NAME}_slope" not in found.best


def test_one_replicate_has_no_spread(made: dict[str, Artifact]) -> None:
    """However far the values are apart, one of each shows nothing."""
    found = compare_scores({"a": replicates(made, 1.0), "b": replicates(made, 100.0, 100.1)})
    assert found.best[NAME] is None
    assert finding(found, NAME) == UNKNOWN


def test_the_best_of_three_is_better_than_both(made: dict[str, Artifact]) -> None:
    """One that is better than a third alone is not best of all; the pairs that differ are named."""
    a, b, c = (replicates(made, *values) for values in ((3.0, 3.1, 3.2), (3.05, 3.1, 3.2), (9.0, 9.1, 9.2)))
    found = compare_scores({"a": a, "b": b, "c": c})
    assert found.best[NAME] is None
    assert finding(found, NAME) == "a is better than c; b is better than c"
    clear = compare_scores({"a": replicates(made, 1.0, 1.1, 1.2), "b": b, "c": c})
    assert clear.best[NAME] == "a"
    assert finding(clear, NAME) == "a is best"


def test_the_level_counts_every_comparison(made: dict[str, Artifact]) -> None:
    """Scores of quality times pairs share 5 %: a difference that one comparison would show may not be shown among many.

    Welch's interval of (0, 1, 2) and (4, 5, 6) is 4 ± 2.267 at 95 %, and more than ± 4 at the level of all.
    """
    found = compare_scores({"a": replicates(made, 0.0, 1.0, 2.0), "b": replicates(made, 4.0, 5.0, 6.0)})
    assert found.level == pytest.approx(1 - 0.05 / len(found.best))
    (pair,) = found.differences[NAME]
    assert (pair.low, pair.high) != (None, None)
    assert pair.low is not None
    assert pair.low < 0
    assert pair.finding == WITHIN


def test_curves_are_over_all_replicates(made: dict[str, Artifact]) -> None:
    """The lowest, the mean and the highest are over the snapshots of every replicate."""
    one, other = replicates(made, 1.0, 1.0)
    rows = [row.model_copy(update={"scores": row.scores | {NAME: 1000.0}}) for row in other.rows]
    found = compare_scores({"a": [one, other.model_copy(update={"rows": rows})], "b": [one]})
    assert found.over_snapshots["a"].highest == 1000.0
    assert found.over_snapshots["a"].lowest == found.over_snapshots["b"].lowest


def test_the_comparison_is_printed_and_is_json(made: dict[str, Artifact], capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each score with the finding; JSON has each side's values and every difference."""
    found = compare_scores({"a": replicates(made, 3.0, 4.0, 5.0), "b": replicates(made, 3.5, 4.5, 5.5)})
    print_comparison(found)
    printed = " ".join(capsys.readouterr().out.split())
    assert "4.0000 ±1.0000" in printed
    assert "Replicates: a 3, b 3." in printed
    facts: Any = json.loads(json.dumps(found.facts()))
    assert facts["scores"][NAME]["a"]["values"] == [3.0, 4.0, 5.0]
    assert facts["differences"][NAME][0]["difference"] == pytest.approx(0.5)
