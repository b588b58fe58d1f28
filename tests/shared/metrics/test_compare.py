"""Comparisons of scores: a difference only beyond the spread over replicates; no winner by ties or noise."""

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import BadInput
from shared.metrics.compare import UNKNOWN, WITHIN, Scored, compare_scores
from tests.shared.metrics.scored import FID, FRECHET, curve_record, protocol, scored


def test_noise_names_no_winner() -> None:
    """Means that differ by less than replicates do are within the spread, and nothing is best."""
    found = compare_scores({"a": scored(3.0, 4.0, 5.0), "b": scored(3.5, 4.5, 5.5)})
    assert found.findings[FRECHET].best is None
    assert found.findings[FRECHET].words == WITHIN
    assert found.scores[FRECHET]["b"]["mean"] == 4.5
    assert found.sentence.startswith(f"No experiment is shown to be better: the differences are {WITHIN} (")
    assert "a 4, b 4.5" in found.sentence


def test_ties_name_no_winner() -> None:
    """Equal numbers, with and without a spread, are no difference."""
    for values in ((4.0, 4.0, 4.0), (3.0, 4.0, 5.0)):
        found = compare_scores({"a": scored(*values), "b": scored(*values)})
        assert {finding.best for finding in found.findings.values()} == {None}
        assert WITHIN in found.sentence


def test_a_difference_beyond_the_spread_is_named() -> None:
    """The lower distance is the better one in either order."""
    low, high = scored(3.0, 3.01, 3.02), scored(9.0, 9.01, 9.02)
    for experiments in ({"a": low, "b": high}, {"b": high, "a": low}):
        found = compare_scores(experiments)
        assert found.findings[FRECHET].best == "a"
        assert found.findings[FRECHET].words == "a is better"
        assert found.sentence.startswith(f"a is better than b: {FRECHET} on test, lower is better: ")


def test_the_higher_precision_is_the_better_one() -> None:
    """Each score has its own direction."""
    low = scored(1.0, 1.01, 1.02, precision_classifier=0.5)
    high = scored(1.0, 1.01, 1.02, precision_classifier=0.9)
    found = compare_scores({"a": low, "b": high})
    assert (found.findings[FRECHET].best, found.findings["precision_classifier"].best) == (None, "b")


def test_errors_are_no_scores() -> None:
    """Standard errors, slopes and standard deviations say nothing of quality: they are not listed."""
    others = {f"{FRECHET}_slope": 1.0, "kernel_classifier_se": 1.0, "class_score_classifier_std": 1.0}
    found = compare_scores({"a": scored(1.0, 2.0, **others), "b": scored(1.0, 2.0, **others)})
    assert list(found.scores) == list(found.findings) == [FRECHET]


def test_one_replicate_has_no_spread() -> None:
    """However far the values are apart, one of each shows nothing, and the sentence says so."""
    found = compare_scores({"a": scored(1.0), "b": scored(100.0, 100.1)})
    assert found.findings[FRECHET].best is None
    assert found.findings[FRECHET].words == UNKNOWN == "not known: one replicate has no spread"
    assert found.sentence.startswith(f"Which one is better is {UNKNOWN} (")


def test_the_best_of_three_is_better_than_both() -> None:
    """One that is better than a third alone is not best of all; the pairs that differ are named."""
    a, b, c = scored(3.0, 3.1, 3.2), scored(3.05, 3.1, 3.2), scored(9.0, 9.1, 9.2)
    found = compare_scores({"a": a, "b": b, "c": c})
    assert found.findings[FRECHET].best is None
    assert found.findings[FRECHET].words == "a is better than c; b is better than c"
    assert found.sentence.startswith("No experiment is better than every other: a is better than c; b is better than c")
    clear = compare_scores({"a": scored(1.0, 1.1, 1.2), "b": b, "c": c})
    assert clear.findings[FRECHET].best == "a"
    assert clear.findings[FRECHET].words == "a is best"
    assert clear.sentence.startswith("a is better than every other: ")


def test_a_third_with_one_replicate_leaves_the_best_open() -> None:
    """Better than one of two is not best, however good the other one looks."""
    found = compare_scores({"a": scored(1.0, 1.01, 1.02), "b": scored(9.0, 9.01, 9.02), "c": scored(5.0)})
    assert found.findings[FRECHET].best is None
    assert found.findings[FRECHET].words == "a is better than b"


def test_the_headline_has_a_level_of_its_own() -> None:
    """The pairs of the score that chose share 5 %, all pairs of all others another 5 %."""
    others = {"precision_classifier": 0.5, "recall_classifier": 0.5}
    found = compare_scores({name: scored(1.0, 2.0, **others) for name in "abc"})
    assert found.level == pytest.approx(1 - 0.05 / 3)
    assert found.other_level == pytest.approx(1 - 0.05 / 6)


def test_the_level_counts_every_pair() -> None:
    """Welch's interval of (0, 1, 2) and (3, 4, 5) is 3 ± 2.267 at 95 %, more than ± 3 at the level of three pairs."""
    a, b = scored(0.0, 1.0, 2.0), scored(3.0, 4.0, 5.0)
    assert compare_scores({"a": a, "b": b}).findings[FRECHET].best == "a"
    three = compare_scores({"a": a, "b": b, "c": scored(3.0, 4.0, 5.0)}).findings[FRECHET]
    assert three.best is None
    assert three.pairs[0].difference == pytest.approx(3.0)
    assert three.pairs[0].low is not None
    assert three.pairs[0].low < 0


def both(chosen_by: str, *values: float, **changes: Any) -> Scored:
    """Return scores by Inception and by a classifier whose protocol has these changes."""
    protocols = {"classifier": protocol(**changes), "inception_clean": protocol("inception_clean")}
    return Scored([{FRECHET: value, FID: 10 * value} for value in values], protocols, chosen_by)


def test_the_score_that_chose_is_the_headline() -> None:
    """What chose all snapshots is judged first; where they were chosen by several, Inception's distance."""
    assert compare_scores({"a": both(FRECHET, 1.0, 2.0), "b": both(FRECHET, 1.0, 2.0)}).score == FRECHET
    assert compare_scores({"a": both(FRECHET, 1.0, 2.0), "b": both(FID, 1.0, 2.0)}).score == FID


def test_an_extractor_of_another_protocol_is_left_out_by_itself() -> None:
    """Two classifiers do not compare, the same Inception does: its scores alone are shown, and why."""
    found = compare_scores({"a": both(FRECHET, 1.0, 2.0), "b": both(FRECHET, 1.0, 2.0, extractor_sha256="other")})
    assert list(found.scores) == [FID]
    assert (found.score, list(found.protocols)) == (FID, ["inception_clean"])
    assert "a and b have extractor_sha256: eee" in found.not_compared["classifier"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_real", 7),
        ("n_synthetic", 7),
        ("reference_sha256", "other"),
        ("extractor_sha256", "other"),
        ("resizer", "other"),
        ("quantisation", "other"),
        ("seed", 99),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_different_protocols_are_refused(field: str, value: object, place: int) -> None:
    """Exit code 2; the error says how they differ and that --reference compares them, also for the last of three."""
    experiments = [scored(1.0, 2.0) for _ in range(3)]
    experiments[place] = replace(experiments[place], protocols={"classifier": protocol(**{field: value})})
    with pytest.raises(BadInput, match=rf"(?s)different protocols.*{field}: .*--reference") as caught:
        compare_scores(dict(zip("abc", experiments, strict=True)))
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) <= 3


def test_experiments_without_a_common_extractor_are_refused() -> None:
    """Nothing can be compared; the error says what to do."""
    with pytest.raises(BadInput, match=r"(?s)no extractor in common.*--extractors.*--reference"):
        compare_scores({"a": scored(1.0, 2.0), "b": scored(1.0, 2.0, name=FID)})


def test_scores_are_those_of_all_replicates_or_none() -> None:
    """A replicate that was scored on val alone leaves no protocol to compare under."""
    complete = Scored.of([curve_record(3.0, 2.0), curve_record(4.0)])
    assert [scores[FRECHET] for scores in complete.scores] == [2.0, 4.0]
    assert list(complete.protocols) == ["classifier"]
    assert Scored.of([curve_record(3.0), curve_record(4.0, on_test=False)]).protocols == {}
