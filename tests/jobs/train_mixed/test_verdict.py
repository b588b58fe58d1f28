"""The verdict: one rule, levels, what is never said."""

from itertools import permutations, product

import numpy as np
import pytest

from jobs.train_mixed.arms import ARMS, GROUPS, chosen_arms
from jobs.train_mixed.questions import QUESTIONS, answerable, headline_of
from jobs.train_mixed.verdict import judged
from shared.stats.intervals import difference_interval
from shared.store.records.mixed import HELPED, HURT, NO_EFFECT, ORIGINAL, Answer, MixedRecord
from tests.jobs.train_mixed.planted import (
    HEADLINE,
    HEADLINE_OF_ALL,
    HEADLINE_OF_LABELS,
    REPLICATES,
    TEST,
    asked,
    experiment,
    headline,
    outcome_of,
    pair,
    right,
)


@pytest.mark.parametrize(("a", "b", "outcome"), [(0.9, 0.7, HELPED), (0.7, 0.9, HURT), (0.8, 0.8, NO_EFFECT)])
def test_a_planted_outcome_is_found(a: float, b: float, outcome: str) -> None:
    """20 points on 240 images and five replicates are found with their sign; no difference is not."""
    found = headline(pair(outcome_of(right(a)), outcome_of(right(b, seed=1))))
    assert found.outcome == outcome
    assert found.difference == pytest.approx(a - b)
    assert found.low < found.difference < found.high
    assert found.replicates == len(found.values) == REPLICATES


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (1e-9, 0.2, HELPED),
        (-0.2, -1e-9, HURT),
        (-1e-9, 1e-9, NO_EFFECT),
        (-0.6, 0.9, NO_EFFECT),  # a wide interval is a wide NO_EFFECT, with its bounds
        (0.0, 0.2, NO_EFFECT),
        (-0.2, 0.0, NO_EFFECT),
    ],
)
def test_the_interval_alone_decides(low: float, high: float, says: str) -> None:
    """Above 0 it helped, below 0 it hurt, else no effect is shown, however wide the interval."""
    assert judged(low, high) == says


def test_every_answer_follows_the_rule() -> None:
    """Outcome, interval and the words of the sentence agree for all questions; there is no second rule."""
    chance = np.random.default_rng(0)
    records = [experiment("all", {name: chance.uniform(0.7, 0.9) for name in ARMS}) for _ in range(2)]
    outcomes = set()
    for found in asked(records[0]) + asked(records[1]):
        assert found.outcome == judged(found.low, found.high)
        said = {HELPED: " helped: ", HURT: " hurt: ", NO_EFFECT: ": no effect shown. "}
        assert [outcome for outcome, words in said.items() if words in found.sentence] == [found.outcome]
        outcomes.add(found.outcome)
    assert outcomes == {HELPED, HURT, NO_EFFECT}


@pytest.mark.parametrize("group", GROUPS)
def test_the_headline_has_the_whole_level_and_the_others_share_theirs(group: str) -> None:
    """Each of m other questions has 1 - 0.05 / m, where m counts those whose arms are trained."""
    record = experiment(group)
    trained = {line.arm for line in record.arms}
    pairs = [(question.a, question.b) for question in QUESTIONS if {question.a, question.b} <= trained]
    primary = next((each for each in (HEADLINE, HEADLINE_OF_LABELS, HEADLINE_OF_ALL) if each in pairs), None)
    others = [each for each in pairs if each != primary]
    assert [(found.a, found.b) for found in record.questions] == others
    assert (record.headline and (record.headline.a, record.headline.b)) == primary
    if record.headline is not None:
        assert record.headline.level == 0.95
    for found in record.questions:
        assert found.level == pytest.approx(1 - 0.05 / len(others))
        wanted = difference_interval(_difference(record, found, group), found.level)
        assert (found.low, found.high, found.detectable) == (wanted.low, wanted.high, wanted.detectable)


def _difference(record: MixedRecord, found: Answer, group: str) -> np.ndarray:
    """Return the paired difference of an answer's arms, planted as `experiment` plants them."""
    places = list(ARMS)
    return right(0.8, seed=places.index(found.a)) - right(0.8, seed=places.index(found.b))


def test_the_numbers_of_answers_by_group() -> None:
    """By hand: what each group answers besides the headline."""
    counts = {group: len(answerable(GROUPS[group])[1]) for group in GROUPS}
    assert counts == {"original": 2, "short": 3, "fair": 7, "judge": 1, "labels": 2, "curve": 0, "sweep": 1, "all": 15}


@pytest.mark.parametrize("group", ["short", "fair", "all"])
def test_more_arms_never_change_the_headline(group: str) -> None:
    """Its numbers, outcome and warnings are those of an experiment with its two arms alone."""
    alone = {name: outcome_of(right(0.8, seed=list(ARMS).index(name)), None) for name in HEADLINE}
    fields = {"sentence"}  # only the clause on augmentation depends on other arms
    assert headline(experiment(group)).model_dump(exclude=fields) == headline(experiment(alone)).model_dump(
        exclude=fields
    )


def _pair(named: str, imported: bool = False) -> tuple[str, str] | None:
    """Return the headline of groups or arms, of an experiment that has what they need."""
    found = headline_of(chosen_arms(named, conditional=True), named, imported)
    return (found.a, found.b) if found else None


@pytest.mark.parametrize("imported", [False, True])
def test_groups_that_are_named_later_never_change_the_headline(imported: bool) -> None:
    """Over every order of up to three groups: the first that has a headline decides."""
    decided = 0
    for number in (2, 3):
        for groups in permutations(GROUPS, number):
            first = next(filter(None, (_pair(",".join(groups[:count]), imported) for count in range(1, number))), None)
            assert first is None or _pair(",".join(groups), imported) == first, groups
            decided += first is not None
    assert decided > 200


@pytest.mark.parametrize(
    ("named", "ours", "theirs"),
    [
        ("short", HEADLINE, HEADLINE),
        ("short,labels", HEADLINE, HEADLINE),
        ("labels,short", HEADLINE_OF_LABELS, HEADLINE_OF_LABELS),
        ("judge", HEADLINE_OF_ALL, HEADLINE_OF_ALL),
        ("judge,short", HEADLINE_OF_ALL, HEADLINE_OF_ALL),
        ("judge,labels", HEADLINE_OF_ALL, HEADLINE_OF_ALL),
        ("original,short", HEADLINE, HEADLINE),
        ("curve,judge,short", HEADLINE_OF_ALL, HEADLINE_OF_ALL),
        ("all", HEADLINE, HEADLINE_OF_ALL),
        ("real_100_plus_synthetic_all,short", HEADLINE, HEADLINE_OF_ALL),
        ("original", None, None),
    ],
)
def test_the_first_name_with_a_headline_decides(
    named: str, ours: tuple[str, str] | None, theirs: tuple[str, str] | None
) -> None:
    """By hand, for a generator of the experiment and for imported images."""
    assert (_pair(named), _pair(named, imported=True)) == (ours, theirs)


def test_a_record_has_the_headline_of_the_first_group() -> None:
    """The order of the groups reaches the record, and every other question is still answered."""
    for first, second in product(("short", "labels", "judge"), repeat=2):
        record = experiment(f"{first},{second}", test_seen=None)
        found = headline(record)
        assert (found.a, found.b) == _pair(first)
        trained = {line.arm for line in record.arms}
        assert len(asked(record)) == sum({each.a, each.b} <= trained for each in QUESTIONS)


def test_equal_arms_never_give_certainty() -> None:
    """Answers that agree on every image, few or many, all right or not: an interval around 0 that is not a point."""
    for images in (12, 240):
        for accuracy in (0.75, 1.0):
            same = outcome_of(right(accuracy, images=images))
            found = headline(pair(same, same))
            assert (found.outcome, found.difference) == (NO_EFFECT, 0)
            assert found.low < -1 / images < 1 / images < found.high
            estimate = pair(same, same).arms[0].accuracy
            assert estimate.low < estimate.high


def test_fits_are_averaged_before_they_are_compared() -> None:
    """Two fits that are right about other halves of the images are one replicate with one half everywhere."""
    first = np.tile([1.0, 0.0], TEST // 2)
    halves = np.stack([np.stack([first, 1 - first])] * REPLICATES)
    record = pair(outcome_of(halves), outcome_of(np.zeros((REPLICATES, 2, TEST))))
    found = headline(record)
    assert found.values == [0.5] * REPLICATES
    wanted = difference_interval(np.full((REPLICATES, TEST), 0.5))
    assert (found.low, found.high) == (wanted.low, wanted.high)
    # fits differ, replicates hardly: ten fits that were counted as replicates would have a spread of their own
    random = np.stack([np.stack([right(level, 1, seed=seed)[0] for level in (0.6, 0.9)]) for seed in range(REPLICATES)])
    found = headline(pair(outcome_of(random), outcome_of(np.zeros((REPLICATES, 2, TEST)))))
    wanted = difference_interval(random.mean(axis=1))
    assert (found.low, found.high) == (wanted.low, wanted.high)


def test_values_are_the_differences_of_the_replicates() -> None:
    """One for each replicate, in order; their mean is the difference."""
    hits = np.stack([np.arange(TEST) < count for count in (200, 190, 180, 210, 170)]).astype(float)
    found = headline(pair(outcome_of(hits), outcome_of(right(0.5))))
    assert found.values == pytest.approx([count / TEST - 0.5 for count in (200, 190, 180, 210, 170)])
    assert found.difference == pytest.approx(np.mean(found.values))


def test_what_can_be_found_is_no_bound() -> None:
    """`detectable` is in the record, beyond the half-width, and in no sentence."""
    found = headline(experiment("short"))
    assert found.detectable > found.high - found.difference
    assert f"{100 * found.detectable:.1f}" not in found.text


def test_a_page_of_a_published_design_begins_with_it() -> None:
    """`top` is the original design's answer where recipes say so, else the headline; without both, any answer."""
    assert experiment("short").top == experiment("short").headline
    first = experiment("short", first="original").top
    assert first is not None
    assert (first.a, first.b) == ORIGINAL
    alone = experiment("original")
    assert alone.headline is None
    assert alone.variance is None
    assert alone.top is alone.questions[0]


def test_the_lines_of_arms_say_what_they_are() -> None:
    """Counts, information and every metric, in the order of the arms; the record is the same after JSON."""
    record = experiment("fair")
    assert [line.arm for line in record.arms] == [name for name in ARMS if name in GROUPS["fair"]]
    for line in record.arms:
        assert (line.n_real, line.n_synthetic) == ARMS[line.arm].counts(100)
        assert line.information == ARMS[line.arm].information(conditional=True)
        assert line.accuracy.mean == pytest.approx(0.8)
    assert MixedRecord.model_validate_json(record.model_dump_json()) == record


def test_the_table_of_questions_is_of_arms() -> None:
    """Each names two arms, `a` with synthetic images, and no two ask the same; the first is the user's question."""
    pairs = [(question.a, question.b) for question in QUESTIONS]
    assert pairs[0] == HEADLINE
    assert len(set(pairs)) == len(pairs)
    assert {name for each in pairs for name in each} <= ARMS.keys()
    assert all(ARMS[a].has_synthetic or ARMS[a].pseudo for a, _ in pairs)
    numbers = {"real": 1234, "synthetic": "5,678", "baseline": 91011, "pseudo": "12"}
    for question in QUESTIONS:
        assert ("12 unlabelled" if ARMS[question.a].pseudo else "5,678 synthetic") in question.subject.format(**numbers)
