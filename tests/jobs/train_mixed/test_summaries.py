"""Where the variance comes from, against simulations with known parts; data equivalents that do not trust the curve."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.train_mixed.outcome import Outcome
from jobs.train_mixed.summaries import UNKNOWN, data_equivalents, majority_baseline, variance_shares
from shared.stats.data_equivalent import data_equivalent
from shared.stats.intervals import share_interval
from shared.store.records.mixed import RealImages
from tests.jobs.train_mixed.planted import HEADLINE_OF_LABELS, experiment, outcome_of, right

Array = NDArray[np.float64]


def simulated(fits: int, generator: float, fit: float, image: float, images: int = 1000) -> tuple[Outcome, Outcome]:
    """Return arms of 60 replicates whose accuracies vary by generator (the first's alone), fit and image."""
    rng = np.random.default_rng(5)
    size = (60, fits, images)
    of_image = image * rng.choice([-1, 1], images)
    of_generator = generator * rng.normal(size=(60, 1, 1))
    of_fit = [fit * rng.normal(size=(60, fits, 1)) for _ in range(2)]
    a, b = 0.7 + of_generator + of_fit[0] + of_image, 0.7 + of_fit[1]
    # answers are drawn by fit: what single answers vary counts with fits, 0.21 / images for each arm
    return outcome_of((rng.random(size) < a).astype(float)), outcome_of((rng.random(size) < b).astype(float))


@pytest.mark.parametrize("fits", [1, 3])
@pytest.mark.parametrize(
    ("generator", "fit", "image"),
    [(0.05, 0.01, 0.0), (0.0, 0.04, 0.0), (0.03, 0.02, 0.2), (0.0, 0.0, 0.25)],
    ids=["generators", "fits", "all", "images"],
)
def test_variance_is_told_apart(fits: int, generator: float, fit: float, image: float) -> None:
    """Shares are those that the simulation has, with one fit for each replicate and with three, and add up to 1."""
    images = 1000
    found = variance_shares(*simulated(fits, generator, fit, image, images), by_fits_alone=True)
    by_answer = (0.21 + 0.21 - image**2) / images
    parts = np.array([generator**2 / 60, (2 * fit**2 + by_answer) / fits / 60, image**2 / images])
    assert found.generator is not None
    assert found.fit is not None
    assert found.images is not None
    shares = np.array([found.generator, found.fit, found.images])
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0).all()
    assert shares == pytest.approx(parts / parts.sum(), abs=0.15)


def test_one_replicate_tells_nothing() -> None:
    """Nor do arms that never differ: shares are unknown rather than 0."""
    one = (outcome_of(right(0.9, 1)), outcome_of(right(0.8, 1, seed=1)))
    same = outcome_of(np.ones((5, 100)))
    assert variance_shares(*one, by_fits_alone=True) == variance_shares(same, same, by_fits_alone=True) == UNKNOWN


def test_a_baseline_with_a_generator_does_not_tell_fits() -> None:
    """With one fit and a baseline whose own generator varies, only the images' share is known."""
    found = variance_shares(*simulated(1, 0.03, 0.02, 0.2), by_fits_alone=False)
    told = variance_shares(*simulated(1, 0.03, 0.02, 0.2), by_fits_alone=True)
    assert (found.generator, found.fit) == (None, None)
    assert found.images == told.images


def test_the_record_has_the_variance_of_the_headline() -> None:
    """It is that of the headline's arms."""
    added, real = simulated(1, 0.03, 0.02, 0.2)
    other = outcome_of(right(0.5, 60, 1000))
    record = experiment({"real_100_plus_synthetic_100": added, "real_100": real, "synthetic_100": other})
    assert record.variance == variance_shares(added, real, by_fits_alone=True) != UNKNOWN


def test_subsets_of_each_replicate_are_not_taken_for_fits() -> None:
    """Where each replicate has train images of its own, accuracy on real images varies by these, too."""
    added, real = simulated(1, 0.03, 0.02, 0.2)
    record = experiment({"real_100_plus_synthetic_100": added, "real_100": real}, resplit="train")
    assert record.variance == variance_shares(added, real, by_fits_alone=False)


def test_pseudo_labels_vary_with_their_annotator() -> None:
    """A baseline with them is no arm of real images alone, whose accuracy varies by its fits and nothing else."""
    added, pseudo = simulated(1, 0.03, 0.02, 0.2)
    record = experiment(dict(zip(HEADLINE_OF_LABELS, (added, pseudo), strict=True)))
    assert record.variance == variance_shares(added, pseudo, by_fits_alone=False)


HEIGHTS = {"real_5": 0.6, "real_10": 0.7, "real_25": 0.8, "real_50": 0.9, "real_100": 0.95}
COUNTS = dict(zip([*HEIGHTS, "synthetic_70_real_30"], (50, 100, 250, 500, 1000, 300), strict=True))


def curve(images: int) -> dict[str, Outcome]:
    """Return the arms of a learning curve, and a mixed arm that is as good as half of the real images."""
    outcomes = {name: outcome_of(right(height, images=images)) for name, height in HEIGHTS.items()}
    return outcomes | {"synthetic_70_real_30": outcomes["real_50"]}


def test_the_data_equivalent_is_read_off_the_learning_curve() -> None:
    """An arm as good as 50 % of the real images is worth about as many as those, with an interval around it."""
    (found,) = data_equivalents(curve(3000), COUNTS)
    assert (found.arm, found.n_real) == ("synthetic_70_real_30", 300)
    assert found.effective == RealImages(images=500, beyond=None)
    assert found.effective_low.images < 500 < found.effective_high.images
    assert [count for count, _ in found.curve] == list(COUNTS.values())[:5]
    assert [height for _, height in found.curve] == pytest.approx(list(HEIGHTS.values()))


@pytest.mark.parametrize("images", [300, 3000])
def test_the_learning_curve_is_not_taken_as_exact(images: int) -> None:
    """The interval is wider than that of the arm on an exact curve, at both ends, and has the curve's own bounds."""
    outcomes = curve(images)
    (found,) = data_equivalents(outcomes, COUNTS)
    arm = share_interval(outcomes["synthetic_70_real_30"].correct)
    counts, heights = list(COUNTS.values())[:5], list(HEIGHTS.values())
    exact = [data_equivalent(counts, heights, value)["images"] for value in (arm.low, arm.high)]
    assert found.effective_low.images < exact[0] < 500 < exact[1]
    assert found.effective_high.images > exact[1] or found.effective_high.beyond == "more"
    highs = [share_interval(outcomes[name].correct).high for name in HEIGHTS]
    assert found.effective_low.images == data_equivalent(counts, highs, arm.low)["images"]


def test_two_points_are_no_learning_curve() -> None:
    """Without three arms of the curve there is no data equivalent."""
    outcomes = curve(300)
    few = {name: outcomes[name] for name in ("real_5", "real_100", "synthetic_70_real_30")}
    assert data_equivalents(few, COUNTS) == []


@pytest.mark.parametrize(
    ("train_counts", "test", "expected"),
    [([2, 1], [0, 1, 1, 1], 0.25), ([0, 1, 3], [2, 2, 0, 1], 0.5), ([0, 1], [0, 0], 0.0)],
)
def test_majority_baseline_by_hand(train_counts: list[int], test: list[int], expected: float) -> None:
    """The baseline is the share of test images of the class most frequent in train, not in test."""
    assert majority_baseline(train_counts, np.array(test)) == expected
