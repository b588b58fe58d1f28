"""The copy test: generators that copy are flagged, others are not, in the paper's direction."""

import pytest
import torch

from shared.metrics.copies import copy_test, cosine_distance


def cloud(n: int, seed: int) -> torch.Tensor:
    """Return n points of one distribution."""
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


TRAIN, HELD_OUT = cloud(1000, 1), cloud(400, 2)


def test_new_draws_of_the_distribution_are_no_copies() -> None:
    """As close to train as held-out points: about 50 % nearer, a copy rate of about 1 %, not flagged."""
    found = copy_test(cloud(500, 3), HELD_OUT, TRAIN)
    assert found.nearer_low < 0.5 < found.nearer_high
    assert found.copy_rate_interval[0] < 0.02
    assert not found.flagged


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_copies_are_flagged(noise: float) -> None:
    """Training points, exact or nearly: 100 % nearer, copy rate 100 %, flagged, pairs listed."""
    synthetic = TRAIN[:300] + noise * cloud(300, 4)
    found = copy_test(synthetic, HELD_OUT, TRAIN)
    assert found.nearer > 0.99
    assert found.copy_rate > 0.95
    assert found.flagged
    assert all(pair.synthetic == pair.train for pair in found.closest)


def test_a_few_copies_among_many_show_in_the_copy_rate() -> None:
    """Fifty exact copies among 500 images, the case that torchmetrics' MiFID misses: the rate says 10 % or more."""
    synthetic = torch.cat([cloud(450, 5), TRAIN[:50]])
    found = copy_test(synthetic, HELD_OUT, TRAIN)
    assert found.copy_rate_interval[0] > 0.06
    assert found.flagged
    assert found.memorisation < found.memorisation_held_out


def test_points_far_from_everything_are_no_copies() -> None:
    """Noise is as far from train as from held-out points."""
    found = copy_test(cloud(200, 6) * 10, HELD_OUT, TRAIN)
    assert found.nearer < 0.5
    assert found.copy_rate < 0.01
    assert not found.flagged


def test_flat_images_are_no_copies() -> None:
    """A collapsed generator draws the mean image: close to train, but as close to held-out images."""
    middle = TRAIN.mean(dim=0, keepdim=True) + 0.01 * cloud(200, 7)
    found = copy_test(middle, HELD_OUT, TRAIN)
    assert found.nearer > 0.9
    assert not found.flagged


def test_memorisation_runs_from_synthetic_to_real() -> None:
    """MiFID's paper: the mean over generated images of the distance to the nearest real one; copies have 0."""
    assert cosine_distance(TRAIN[:7], TRAIN) == pytest.approx(0, abs=1e-12)
    train = torch.eye(3, dtype=torch.float64)
    assert cosine_distance(torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64), train) == pytest.approx(1 - 0.5**0.5)
