"""The verdict: intervals that cover what they claim, planted outcomes found, sentences by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from jobs.train_mixed.verdict import (
    COMPARISONS,
    Comparison,
    compare,
    compare_all,
    interval,
    judged,
    majority_baseline,
    sentence,
    worth,
)
from shared.stats.outcomes import Outcome, summarise

Array = NDArray[np.float64]
REPEATS = 2000


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("seed_sd", [0.0, 0.02, 0.1, 1.0])
def test_interval_covers_the_mean(seeds: int, seed_sd: float) -> None:
    """An interval of 95 % holds the true mean in 92 to 98 of 100 experiments, however much the seeds matter.

    Of 2,000 repetitions the share has a spread of sqrt(0.95 * 0.05 / 2000) = 0.5 %: 91 and 98.5 % are far out.
    """
    chance = np.random.default_rng(seeds)
    hits = 0
    for _ in range(REPEATS):
        of_seed, of_image = chance.normal(0, seed_sd, (seeds, 1)), chance.normal(0, 0.3, (1, 120))
        low, high = interval(of_seed + of_image + chance.normal(0, 0.3, (seeds, 120)))
        hits += low <= 0 <= high
    assert 0.91 <= hits / REPEATS <= 0.985


def test_interval_of_one_seed_is_students() -> None:
    """With one seed the interval is Student's over the images, as scipy gives it."""
    values = np.random.default_rng(4).normal(0.2, 1, (1, 30))
    expected = stats.ttest_1samp(values[0], 0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((expected.low, expected.high))


def test_interval_of_seeds_alone_is_students() -> None:
    """Where only the seed matters the interval is Student's over the means of the seeds."""
    of_seed = np.random.default_rng(5).normal(0.2, 1, 4)
    values = np.repeat(of_seed[:, None], 50, axis=1)
    expected = stats.ttest_1samp(of_seed, 0).confidence_interval(0.95)
    assert interval(values) == pytest.approx((expected.low, expected.high))


def test_interval_is_as_wide_as_theory_says() -> None:
    """With one seed the interval is the mean plus and minus 1.96 standard errors of the images, to within 5 %."""
    values = np.random.default_rng(1).normal(0.2, 1, (1, 400))
    low, high = interval(values)
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_interval_grows_with_the_differences_between_seeds() -> None:
    """Fits that disagree about the same images give a wider interval than fits that agree."""
    image = np.random.default_rng(2).normal(0, 1, (1, 200))
    agree = np.repeat(image, 4, axis=0)
    disagree = agree + np.array([[-0.3], [-0.1], [0.1], [0.3]])
    width = [high - low for low, high in (interval(agree), interval(disagree))]
    assert width[1] > 1.3 * width[0]


def test_pairing_takes_the_images_difficulty_out() -> None:
    """Two arms that err on the same images differ by exactly their difference, however hard the images are."""
    hard = np.tile(np.array([[1.0, 0.0, 1.0, 1.0, 0.0] * 20]), (3, 1))
    assert interval(hard - hard) == (0.0, 0.0)


def outcome_of(hits: Array) -> Outcome:
    """Return the outcome of two classes that is right where `hits` (seeds, images) is 1."""
    predicted = (hits < 0.5).astype(np.int64)
    return Outcome(np.zeros(hits.shape[1], np.int64), predicted, np.eye(2)[predicted])


def arms(a: float, b: float, images: int = 400, seeds: int = 3) -> tuple[Outcome, Outcome]:
    """Return arms with these accuracies on independent images, the same for every seed."""
    chance = np.random.default_rng(4)
    first, second = (np.repeat((chance.random((1, images)) < rate).astype(float), seeds, axis=0) for rate in (a, b))
    return outcome_of(first), outcome_of(second)


QUESTION = Comparison("a", "b", "adding a")


@pytest.mark.parametrize(
    ("accuracies", "outcome"),
    [((0.9, 0.7), "helped"), ((0.7, 0.9), "hurt"), ((0.95, 0.95), "no difference shown")],
)
def test_a_planted_outcome_is_found(accuracies: tuple[float, float], outcome: str) -> None:
    """20 points on 400 images (eight standard errors) are found with their sign; no difference is not."""
    found = compare(QUESTION, *arms(*accuracies), 400)
    assert found["outcome"] == outcome
    assert found["low"] <= found["difference"] <= found["high"]


@pytest.mark.parametrize("difference", [0.25, -0.75, 0.0])
def test_a_constant_difference_has_no_interval(difference: float) -> None:
    """Where every seed and image differ by the same amount, both ends of the interval are that amount."""
    assert interval(np.full((3, 10), difference)) == pytest.approx((difference, difference), abs=1e-12)


def test_no_difference_at_all_is_not_called_one() -> None:
    """Two arms with equal hits everywhere show no difference, and no test finds one."""
    same = arms(0.8, 0.8)[0]
    found = compare(QUESTION, same, same, 400)
    assert (found["outcome"], found["difference"], found["low"], found["high"]) == ("no difference shown", 0, 0, 0)
    assert (found["p_mcnemar"], found["p_permutation"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.001, 0.2, "helped"),
        (-0.2, -0.001, "hurt"),
        (-0.04, 0.05, "no difference shown"),
        (-0.1, 0.1, "not enough data to tell"),
    ],
)
def test_an_interval_says_what_it_can(low: float, high: float, says: str) -> None:
    """An interval that holds 0 shows no difference where it is narrow, and decides nothing where it is wide."""
    assert judged(low, high) == says


def test_p_values_are_corrected_for_the_number_of_comparisons() -> None:
    """Every comparison whose arms are there is made; Holm's p is never below the plain one."""
    good, bad = arms(0.9, 0.7)
    outcomes = {"synthetic_70_real_30": good, "real_30": bad, "real_100": good, "synthetic_only": bad}
    found = compare_all(outcomes, 400)
    assert len(found) == 3
    for row in found:
        assert row["p_mcnemar_holm"] >= row["p_mcnemar"]
        assert row["p_permutation_holm"] >= row["p_permutation"]
    assert found[0]["p_permutation_holm"] < 0.01


def test_what_synthetic_images_are_worth_is_read_off_the_learning_curve() -> None:
    """An arm as good as 50 % of the real images is worth about as many as those, with an interval around it."""
    chance = np.random.default_rng(0)
    hard = chance.random((1, 3000))
    heights = {"real_5": 0.6, "real_10": 0.7, "real_25": 0.8, "real_50": 0.9, "real_100": 0.95}
    outcomes = {name: outcome_of(np.repeat(hard < height, 3, axis=0).astype(float)) for name, height in heights.items()}
    counts = dict(zip(heights, (50, 100, 250, 500, 1000), strict=True))
    outcomes["synthetic_70_real_30"] = outcomes["real_50"]
    (row,) = worth(outcomes, counts | {"synthetic_70_real_30": 300})
    assert row["effective"] == {"images": 500, "beyond": None}
    assert row["effective_low"]["images"] < 500 < row["effective_high"]["images"]
    assert worth({"synthetic_only": outcomes["real_5"]}, {"synthetic_only": 0}) == []


@pytest.mark.parametrize(
    ("outcome", "numbers", "expected"),
    [
        (
            "helped",
            (0.0123, 0.004, 0.0206),
            "Adding x helped: +1.2 points of test accuracy (95 % interval +0.4 to +2.1).",
        ),
        (
            "hurt",
            (-0.105, -0.2, -0.0101),
            "Adding x hurt: \u221210.5 points of test accuracy (95 % interval \u221220.0 to \u22121.0).",
        ),
        (
            "no difference shown",
            (0.001, -0.01, 0.012),
            "Adding x made no difference that this experiment can show: "
            "+0.1 points of test accuracy (95 % interval \u22121.0 to +1.2).",
        ),
    ],
)
def test_the_sentence_says_the_outcome_in_points(
    outcome: str, numbers: tuple[float, float, float], expected: str
) -> None:
    """The verdict is one sentence: the question, the outcome, the difference in points and its interval."""
    assert sentence("adding x", outcome, *numbers) == expected


def test_the_headline_asks_whether_adding_helps() -> None:
    """The first comparison is 70 % synthetic and 30 % real images against the 30 % alone."""
    assert (COMPARISONS[0].a, COMPARISONS[0].b) == ("synthetic_70_real_30", "real_30")


@pytest.mark.parametrize(
    ("values", "mean", "std"),
    [([0.5], 0.5, None), ([1.0, 3.0], 2.0, 2**0.5), ([1.0, 2.0, 3.0, 6.0], 3.0, (14 / 3) ** 0.5)],
)
def test_summary_by_hand(values: list[float], mean: float, std: float | None) -> None:
    """A summary has the mean, the standard deviation with n - 1 (none for one value), both ends and the values."""
    found = summarise(values, 0.0)
    assert (found["min"], found["max"], found["values"]) == (min(values), max(values), values)
    assert (found["mean"], found["std"]) == (pytest.approx(mean), pytest.approx(std))


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [([0, 0, 1], [0, 1, 1, 1], 0.25), ([2, 2, 1, 2], [2, 2, 0, 1], 0.5), ([1], [0, 0], 0.0)],
)
def test_majority_baseline_by_hand(train: list[int], test: list[int], expected: float) -> None:
    """The baseline is the share of test images whose class is the most frequent one of train, not of test."""
    assert majority_baseline(np.array(train), np.array(test)) == expected
