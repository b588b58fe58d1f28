"""Precision, recall, density, coverage, Inception Score and extrapolation: by hand and against the authors' code."""

import numpy as np
import pytest
import torch
from prdc import compute_prdc

from shared.metrics.features.frechet import class_frechet, frechet_distance, frechet_infinite, moments
from shared.metrics.features.inception_score import inception_score
from shared.metrics.features.prdc import prdc
from shared.metrics.neighbours import of_points

CHANCE = np.random.default_rng(0)


def cloud(n: int, width: int = 8, shift: float = 0.0, spread: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return n points around `shift`."""
    return np.random.default_rng(seed).normal(shift, spread, (n, width))


@pytest.mark.parametrize("nearest", [1, 3, 5])
@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (0.5, 1.0), (0.0, 0.3), (3.0, 2.0)])
def test_scores_are_those_of_the_authors(nearest: int, shift: float, spread: float) -> None:
    """`prdc`, by the authors of density and coverage, gives the same four numbers."""
    real, synthetic = cloud(300, seed=1), cloud(200, shift=shift, spread=spread, seed=2)
    expected = compute_prdc(real, synthetic, nearest_k=nearest)
    assert prdc(synthetic, real, nearest) == pytest.approx({k: float(v) for k, v in expected.items()})


def test_by_hand_on_a_line() -> None:
    """Real points 0, 1, 2, 10 with radii 1, 1, 1, 8; synthetic 0.5, 1.5, 20 with radii 1, 1, 18.5.

    0.5 lies in the balls of 0 and 1, 1.5 in those of 1 and 2, 20 in none: precision 2/3, density 4/3. The balls of 0,
    1 and 2 hold a synthetic point, that of 10 none (1.5 is 8.5 away): coverage 3/4. The real points 0, 1, 2 lie in
    synthetic balls, and 10 in that of 20: recall 1.
    """
    real, synthetic = np.array([[0.0], [1.0], [2.0], [10.0]]), np.array([[0.5], [1.5], [20.0]])
    found = prdc(synthetic, real, nearest=1)
    assert found == pytest.approx({"precision": 2 / 3, "recall": 1.0, "density": 4 / 3, "coverage": 3 / 4})


def test_nearest_distances_are_those_of_scipy() -> None:
    """The nearest of many and how far it is, block by block."""
    from scipy.spatial import cKDTree

    points, others = cloud(700, seed=3), cloud(600, seed=4)
    found = of_points(torch.from_numpy(points), torch.from_numpy(others))
    distances, places = cKDTree(others).query(points)
    assert found.places.tolist() == places.tolist()
    np.testing.assert_allclose(found.distances.numpy(), distances, rtol=1e-9)


def test_inception_score_by_hand() -> None:
    """Confident and evenly spread over k classes: k. Undecided, or always the same class: 1."""
    assert inception_score(np.eye(4)[np.arange(40) % 4], seed=0, splits=1)[0] == pytest.approx(4.0)
    assert inception_score(np.full((40, 4), 0.25), seed=0)[0] == pytest.approx(1.0)
    assert inception_score(np.eye(4)[np.zeros(40, int)], seed=0)[0] == pytest.approx(1.0)


def test_inception_score_does_not_depend_on_the_order_of_classes() -> None:
    """Images sorted by class score as those that are mixed do: near the number of classes, not near 1."""
    sorted_by_class = np.eye(4)[np.repeat(np.arange(4), 250)]
    assert inception_score(sorted_by_class, seed=0)[0] > 3.8


@pytest.mark.filterwarnings("ignore::UserWarning")  # torchmetrics warns of memory and of states set by hand
def test_inception_score_is_torchmetrics() -> None:
    """Given equal probabilities torchmetrics gives the same mean; it permutes them, so one split is compared."""
    from torchmetrics.image.inception import InceptionScore

    logits = torch.randn(200, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    metric = InceptionScore(feature=torch.nn.Identity(), splits=1)
    metric.features = [logits]
    mean, _ = metric.compute()
    assert inception_score(logits.softmax(dim=1).numpy(), seed=0, splits=1)[0] == pytest.approx(float(mean), rel=1e-9)


def test_extrapolation_finds_the_distance_of_the_distributions() -> None:
    """For equal Gaussians 400 images give a distance well above 0, extrapolation one near 0; the slope is positive."""
    real, synthetic = cloud(20000, width=32, seed=5), cloud(1000, width=32, seed=6)
    biased = frechet_distance(*moments(synthetic), *moments(real))
    infinite, slope = frechet_infinite(synthetic, real, seed=0)
    assert abs(infinite) < 0.3 * biased
    assert slope > 0
    assert frechet_infinite(synthetic, real, seed=0) == (infinite, slope)


def test_class_distances_look_at_one_class_each() -> None:
    """A class drawn as another has a large distance, the others a small one; a class of one image has none."""
    real = np.concatenate([cloud(300, shift=5.0 * label, seed=label) for label in range(2)])
    labels = np.repeat([0, 1], 300)
    drawn = np.concatenate([cloud(300, seed=9), cloud(300, shift=0.0, seed=10), cloud(1, seed=11)])
    asked = np.array([0] * 300 + [1] * 300 + [2])
    found = class_frechet(drawn, asked, np.concatenate([real, cloud(1)]), np.append(labels, 2))
    assert sorted(found) == [0, 1]
    assert found[0] < 1
    assert found[1] == pytest.approx(8 * 25, rel=0.1)
