"""The copy test: generators that copy are flagged, others are not, in the paper's direction."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from shared.data.images import Images
from shared.metrics import neighbours
from shared.metrics.copies import NEARER, SHARE_OF_COPIES, copy_test, cosine_distance, pixel_copies
from shared.metrics.features import pairs
from shared.metrics.membership import NonMembers, prepare
from shared.metrics.over_replicates import copies_finding
from shared.runtime.observe.bars import Bar
from tests.shared.metrics.copy_rates import draws as copy_rates


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


def test_what_is_as_near_to_train_as_train_is_to_itself_is_no_copy() -> None:
    """Held-out images of another kind, other persons say: train is nearer to everything of its own kind."""
    kind = torch.randn(1, 6, generator=torch.Generator().manual_seed(11), dtype=torch.float64)
    train, synthetic = (cloud(count, seed) + 3 * kind for count, seed in ((300, 12), (200, 13)))
    found = copy_test(synthetic, HELD_OUT - 3 * kind, train)
    assert found.nearer > 0.9
    assert not found.flagged
    assert found.spared
    assert "no nearer than train images are to each other" in copies_finding(False, [], {}, spared=found.spared)
    honest = copy_test(cloud(200, 14), HELD_OUT, TRAIN)
    assert not honest.spared
    assert not copy_test(TRAIN[:200], HELD_OUT, TRAIN).spared


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


DIGITS = copy_rates.digits()


@pytest.mark.parametrize("kind", copy_rates.HONEST)
def test_honest_images_are_not_flagged(kind: str) -> None:
    """Other real images, blurred ones, blends of held-out ones: none of three draws."""
    assert not any(copy_rates.honest(DIGITS, kind, seed).flagged for seed in range(3))


@pytest.mark.parametrize("kind", ["copies", "shifted", "mirrored", "contrast"])
def test_a_tenth_of_changed_copies_is_flagged(kind: str) -> None:
    """Among other real images, by their share."""
    found = copy_rates.planted(DIGITS, kind, 0.1, 0)
    assert found.flagged_for == [SHARE_OF_COPIES]
    assert found.least_share is not None
    assert found.least_share <= 0.1


def test_blends_are_nearer_to_train() -> None:
    """No blend is a copy, but all of them together are nearer to train than new images."""
    assert NEARER in (copy_rates.planted(DIGITS, "70/30 blends", 1.0, 0, (600, 300, 300)).flagged_for or [])


def test_the_transform_of_a_copy_is_named() -> None:
    """Mirrored, and moved by two pixels to the right and one up."""
    train, held_out, _ = copy_rates.draw(DIGITS, np.random.default_rng(0))
    moved = torch.roll(train[:20].flip(-1), (-1, 2), dims=(2, 3))
    assert {pair.transform for pair in copy_rates.tested(moved, held_out, train).closest} <= {
        "mirrored, shifted 1 px up and 2 px left"
    }


def test_held_out_images_of_another_kind_make_no_copies() -> None:
    """Where all held-out images differ from train in style, new images of train's own style are no copies."""
    train, held_out, other = copy_rates.draw(DIGITS, np.random.default_rng(0))
    assert not copy_rates.tested(other, 255 - held_out, train).flagged


def test_train_and_held_out_are_not_exchangeable() -> None:
    """Copies of held-out images are no copies of train."""
    train, held_out, _ = copy_rates.draw(DIGITS, np.random.default_rng(0))
    found = copy_rates.tested(held_out, held_out, train)
    assert not found.flagged
    assert found.nearer < 0.1


def test_many_images_in_blocks_have_the_same_nearest_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a block changes nothing but the last digits, and no image is its own neighbour."""
    own = torch.arange(5, 90, 3)
    whole = neighbours.of_images(DIGITS[own], DIGITS[:100], own)
    monkeypatch.setattr(neighbours, "BLOCK_IMAGES", 7)
    parts = neighbours.of_images(DIGITS[own], DIGITS[:100], own)
    torch.testing.assert_close(parts.distances, whole.distances, atol=2e-3, rtol=0)
    assert (parts.places == whole.places).all()
    assert not (whole.places == own).any()


class Counted:
    """Bars that count what was said of each."""

    def __init__(self) -> None:
        self.bars: dict[str, tuple[int, list[int]]] = {}

    @contextmanager
    def bar(self, title: str, total: int, unit: str) -> Iterator[Bar]:
        """Count the pairs of one piece of work, under its title and the number of its pairs."""
        assert unit == "pairs of images"
        counts = self.bars.setdefault(f"{title}, {total:,}", (total, []))[1]

        class Counting:
            def advance(self, count: int = 1) -> None:
                counts.append(count)

        yield Counting()


def test_comparisons_of_pixels_tell_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs of each search are counted, a block at a time: with large sets they take minutes."""
    monkeypatch.setattr(neighbours, "BLOCK_IMAGES", 40)
    monkeypatch.setattr(pairs, "TILE_COLUMNS", 25)
    images = torch.randint(0, 256, (200, 1, 16, 16), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    parts = [Images(part, torch.zeros(len(part), dtype=torch.int64)) for part in images.split([60, 40, 100])]
    counted = Counted()
    pixel_copies(parts[0].images, parts[1], parts[2], counted.bar)
    # 60 synthetic, 40 held-out and 100 training images with the latter two; the first two with the latter
    assert [total for total, _ in counted.bars.values()] == [200 * 100, 200 * 40, 100 * 100]
    assert all(sum(counts) == total for total, counts in counted.bars.values())
    assert [len(counts) for _, counts in counted.bars.values()] == [3, 1, 2 * 4]
    others = NonMembers(parts[1], "audit", grouped=True)
    attack = prepare(parts[2], parts[1], others, 1, 3, torch.device("cpu"))
    assert attack is not None
    attack.by(parts[0].images, counted.bar)
    total, counts = counted.bars["look for members, 4,800"]
    assert sum(counts) == total == 2 * 40 * 60
