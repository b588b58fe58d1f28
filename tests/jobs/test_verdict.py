"""The verdict: intervals that cover what they claim, planted outcomes found, sentences by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from jobs.train_mixed.verdict import COMPARISONS, Comparison, compare, interval, majority_baseline, sentence, summary

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


def arms(a: float, b: float, images: int = 400, seeds: int = 3) -> dict[str, Array]:
    """Return hits of arms a and b with these accuracies on independent images, the same for every seed."""
    chance = np.random.default_rng(4)
    return {
        name: np.repeat((chance.random((1, images)) < rate).astype(float), seeds, axis=0)
        for name, rate in (("a", a), ("b", b))
    }


QUESTION = Comparison("a", "b", "adding a")


@pytest.mark.parametrize(
    ("accuracies", "outcome"),
    [((0.9, 0.7), "helped"), ((0.7, 0.9), "hurt"), ((0.8, 0.8), "no difference shown")],
)
def test_a_planted_outcome_is_found(accuracies: tuple[float, float], outcome: str) -> None:
    """20 points on 400 images (eight standard errors) are found with their sign; no difference is not."""
    found = compare(QUESTION, arms(*accuracies))
    assert found["outcome"] == outcome
    assert found["low"] <= found["difference"] <= found["high"]


@pytest.mark.parametrize(
    ("a", "b", "outcome"), [(1.0, 0.75, "helped"), (0.25, 1.0, "hurt"), (0.5, 0.5, "no difference shown")]
)
def test_a_constant_difference_has_no_interval(a: float, b: float, outcome: str) -> None:
    """Where every seed and image differ by the same amount, difference and both ends are that amount."""
    found = compare(QUESTION, {"a": np.full((3, 10), a), "b": np.full((3, 10), b)})
    for name in ("difference", "low", "high"):
        assert found[name] == pytest.approx(a - b, abs=1e-12)
    if a != b:
        assert found["outcome"] == outcome


def test_no_difference_at_all_is_not_called_one() -> None:
    """Two arms with equal hits everywhere show no difference."""
    same = arms(0.8, 0.8)["a"]
    found = compare(QUESTION, {"a": same, "b": same})
    assert (found["outcome"], found["difference"], found["low"], found["high"]) == ("no difference shown", 0, 0, 0)


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
    found = summary(values)
    assert (found["min"], found["max"], found["values"]) == (min(values), max(values), values)
    assert (found["mean"], found["std"]) == (pytest.approx(mean), pytest.approx(std))


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [([0, 0, 1], [0, 1, 1, 1], 0.25), ([2, 2, 1, 2], [2, 2, 0, 1], 0.5), ([1], [0, 0], 0.0)],
)
def test_majority_baseline_by_hand(train: list[int], test: list[int], expected: float) -> None:
    """The baseline is the share of test images whose class is the most frequent one of train, not of test."""
    assert majority_baseline(np.array(train), np.array(test)) == expected
