"""What is compared in blocks: neither images nor features are ever held as numbers, and the values stay the same."""

import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import linalg
from torch import Tensor

from shared.data.images import Images
from shared.metrics import pixels
from shared.metrics.copies import copy_test, cosine_distance, pixel_copies
from shared.metrics.features import rows
from shared.metrics.features.frechet import FeatureStats
from shared.metrics.features.inception_score import inception_score
from shared.metrics.features.kernel import _unbiased_mmd, kernel_distance
from shared.metrics.features.prdc import prdc
from shared.metrics.features.rows import digests
from shared.metrics.features.stored import StoredRows
from shared.metrics.membership import nearest_image
from shared.metrics.neighbours import of_points
from shared.metrics.pixels import class_qualities


@dataclass(frozen=True)
class Counted:
    """A view of images or points that notes how many of its rows are read at once."""

    whole: Tensor
    reads: list[int]

    @property
    def shape(self) -> Sequence[int]:
        """The shape of all of it."""
        return self.whole.shape

    @property
    def dtype(self) -> torch.dtype:
        """The type of its numbers."""
        return self.whole.dtype

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, chosen: Any) -> Tensor:
        return self._read(self.whole[chosen])

    def split(self, count: int) -> Iterator[Tensor]:
        """Yield parts, each read when it is asked for."""
        yield from (self._read(part) for part in self.whole.split(count))

    def _read(self, part: Tensor) -> Tensor:
        self.reads.append(len(part))
        return part


def cloud(count: int, width: int, seed: int) -> np.ndarray:
    """Return float32 points around 3, as features are."""
    return np.random.default_rng(seed).normal(3, 1, (count, width)).astype(np.float32)


def pictures(count: int, seed: int, size_px: int = 12, channels: int = 3) -> Tensor:
    """Return uint8 images of noise."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, size_px, size_px), generator=chance, dtype=torch.uint8)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks so small that every set here has several of each kind, the last ones shorter."""
    monkeypatch.setattr("shared.metrics.features.pairs.TILE_ROWS", 16)
    monkeypatch.setattr("shared.metrics.features.pairs.TILE_COLUMNS", 36)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 8 * 400)
    monkeypatch.setattr("shared.metrics.neighbours.BLOCK_IMAGES", 7)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("nearest", [1, 5, 20])
def test_prdc_in_tiles_is_that_of_the_authors(nearest: int) -> None:
    """Radii and balls across the borders of tiles, also where a tile has fewer points than neighbours are asked for."""
    from prdc import compute_prdc

    real, synthetic = cloud(117, 4, 1), cloud(83, 4, 2)
    expected = compute_prdc(real.astype(float), synthetic.astype(float), nearest_k=nearest)
    assert prdc(synthetic, real, nearest) == pytest.approx({name: float(value) for name, value in expected.items()})


@pytest.mark.usefixtures("small")
def test_a_set_against_itself_is_as_it_is_at_once() -> None:
    """The farthest neighbour of each point is as far as the radius, exactly: a ball does not hold it, in no tile."""
    same = cloud(90, 5, 3)
    found = prdc(same, same, 5)
    # itself and four neighbours are nearer than the fifth one
    assert (found["precision"], found["recall"], found["density"], found["coverage"]) == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.usefixtures("small")
def test_nearest_points_in_tiles_are_those_of_scipy() -> None:
    """The first of equally near ones, never a point itself."""
    from scipy.spatial import cKDTree

    points, others = cloud(70, 6, 4), cloud(110, 6, 5)
    others[90] = others[10]
    found = of_points(torch.from_numpy(points), torch.from_numpy(others))
    distances, _ = cKDTree(others.astype(float)).query(points.astype(float))
    np.testing.assert_allclose(found.distances.numpy(), distances, rtol=1e-9)
    assert 90 not in found.places
    own = torch.arange(40, 110, 1)
    among = of_points(torch.from_numpy(others[40:]), torch.from_numpy(others), own)
    distances = cKDTree(others.astype(float)).query(others[40:].astype(float), k=2)[0]
    assert not (among.places == own).any()
    rest = own != 90  # its copy is as near as itself
    np.testing.assert_allclose(among.distances[rest].numpy(), distances[rest.numpy(), 1], rtol=1e-9)
    assert (among.distances[~rest].tolist(), among.places[~rest].tolist()) == ([0], [10])


def test_no_set_is_converted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that goes through a set has a block of it at a time as float64, and reads no more of a view than that."""
    monkeypatch.setattr("shared.metrics.features.pairs.TILE_ROWS", 50)
    monkeypatch.setattr("shared.metrics.features.pairs.TILE_COLUMNS", 60)
    monkeypatch.setattr("shared.metrics.features.pairs.STRIP_BYTES", 12 * 3 * 12 * 12 * 50)
    monkeypatch.setattr("shared.metrics.features.pairs.MOST_AMID", 40)
    monkeypatch.setattr("shared.metrics.features.projected.DIRECTIONS", 40)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 8 * 3 * 12 * 12 * 20)
    monkeypatch.setattr("shared.metrics.copies.MOST_IMAGES", 40)
    monkeypatch.setattr("shared.metrics.copies.MOST_TRAIN", 40)
    monkeypatch.setattr("shared.metrics.neighbours.BLOCK_IMAGES", 30)
    monkeypatch.setattr("shared.metrics.membership.BLOCK_REAL", 30)
    monkeypatch.setattr("shared.metrics.pixels.MOST_IMAGES", 25)
    converted: list[int] = []
    double = Tensor.double

    def counted(side: Tensor) -> Tensor:
        converted.append(len(side))
        return double(side)

    monkeypatch.setattr(Tensor, "double", counted)
    reads: list[int] = []
    points = [Counted(torch.from_numpy(cloud(count, 3 * 12 * 12, count)), reads) for count in (70, 80, 400)]
    images = [Counted(pictures(count, count), reads) for count in (70, 80, 400)]
    copy_test(*points)
    held_out, train = (Images(view, torch.zeros(len(view)).long()) for view in images[1:])  # type: ignore[arg-type]
    pixel_copies(images[0], held_out, train)
    nearest_image(images[2], images[1])
    of_points(points[2], points[1])
    digests(images[2])
    class_qualities(images[2], torch.arange(400) % 2, 2)
    assert max(reads) <= 60
    assert max(converted) <= 60


def test_pictures_of_a_class_read_no_other_image() -> None:
    """A figure that shows five images of a class reads five."""
    view = Counted(pictures(400, 20), [])
    data = Images(view, torch.arange(400) % 3)  # type: ignore[arg-type]
    assert torch.equal(data.first_of(1, 5), view.whole[1:15:3])
    assert view.reads == [5]


@pytest.mark.usefixtures("small")
def test_copies_in_blocks_are_the_same() -> None:
    """Distances, pairs and cosines of features, against scipy's."""
    from scipy.spatial import distance

    points, train = cloud(60, 6, 6), cloud(150, 6, 7)
    points[:5] = train[100:105]
    found = cosine_distance(torch.from_numpy(points), torch.from_numpy(train))
    cosines = 1 - distance.cdist(points.astype(float), train.astype(float), "cosine")
    assert found == pytest.approx((1 - np.abs(cosines).max(axis=1)).mean(), rel=1e-9)
    images = pictures(40, 8)
    flat = [part.flatten(1).double().numpy() / 255 for part in (images[:15], images[15:])]
    expected = distance.cdist(*flat, "cosine").min(axis=1).mean()
    assert cosine_distance(images[:15], images[15:]) == pytest.approx(expected, rel=1e-9)
    test = copy_test(torch.from_numpy(points), torch.from_numpy(cloud(50, 6, 9)), torch.from_numpy(train))
    assert {(pair.synthetic, pair.train) for pair in test.closest[:5]} == {(i, 100 + i) for i in range(5)}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("n", "m", "width"), [(300, 400, 12), (30, 400, 64), (40, 50, 64)])
def test_moments_in_blocks_give_the_same_distance(n: int, m: int, width: int) -> None:
    """More images than features, fewer on one side, fewer on both: as scipy's root of the product of covariances."""
    a, b = cloud(n, width, 10), cloud(m, width, 11) * np.float32(1.3)
    found = FeatureStats(a).distance(FeatureStats(b))
    exact = [side.astype(float) for side in (a, b)]
    covs = [np.cov(side, rowvar=False) for side in exact]
    product = linalg.eigvals(covs[0] @ covs[1])
    root = np.sqrt(product.real.clip(min=0)).sum()
    difference = exact[0].mean(axis=0) - exact[1].mean(axis=0)
    assert found == pytest.approx(difference @ difference + sum(map(np.trace, covs)) - 2 * root, rel=1e-6)
    np.testing.assert_allclose(FeatureStats(b).cov, covs[1], rtol=1e-9, atol=1e-12)


def test_one_block_gives_the_very_numbers_of_the_whole() -> None:
    """Sets that fit into a block: mean and covariance to the last bit, so that finished scores stay what they are."""
    some = cloud(500, 16, 12)
    exact = some.astype(np.float64)
    whole = (exact - exact.mean(axis=0)) / np.sqrt(499)
    stats = FeatureStats(some)
    assert np.array_equal(stats.mean, exact.mean(axis=0))
    assert np.array_equal(stats.cov, whole.T @ whole)
    assert stats.trace == np.vdot(whole, whole)


def test_subsets_of_a_kernel_are_drawn_as_ever() -> None:
    """The same draws as of whole sets in float64."""
    a, b = cloud(60, 5, 13), cloud(50, 5, 14)
    chance = np.random.default_rng(3)
    sides = [side.astype(float) for side in (a, b)]
    values = [_unbiased_mmd(*(side[chance.choice(len(side), 25, replace=False)] for side in sides)) for _ in range(4)]
    found = kernel_distance(a, b, seed=3, subsets=4)
    assert found[0] == np.mean(values)


def test_parts_of_probabilities_are_those_of_the_permuted_whole() -> None:
    """The order in which images are divided into parts is numpy's permutation of the rows."""
    probabilities = np.random.default_rng(0).dirichlet(np.ones(6), 57).astype(np.float32)
    shuffled = np.random.default_rng(5).permutation(probabilities.astype(np.float64))
    scores = []
    for part in np.array_split(shuffled, 10):
        ratio = np.log(part) - np.log(part.mean(axis=0, keepdims=True))
        scores.append(np.exp((part * ratio).sum(axis=1).mean()))
    assert inception_score(probabilities, seed=5) == (float(np.mean(scores)), float(np.std(scores)))


def test_qualities_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In colour, a few images at a time: sharpness, contrast and diversity of all."""
    images = pictures(50, 15)
    whole = pixels.qualities(images)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 8 * 3 * 12 * 12 * 7)
    assert pixels.qualities(images) == pytest.approx(whole, rel=1e-12)


def test_stored_rows_are_those_of_a_tensor(tmp_path: Path) -> None:
    """Whole, in parts, by slices and by places; the file has no name and is in memory in no part."""
    expected = torch.from_numpy(cloud(53, 6, 18))
    with StoredRows(tmp_path) as found:
        for part in expected.split(20):
            found.append(part.numpy())
        assert (len(found), found.shape, found.dtype) == (53, (53, 6), torch.float32)
        assert [*tmp_path.iterdir()] == []
        assert torch.equal(torch.cat([*found.split(7)]), expected)
        for chosen in (slice(None), slice(5, 21), slice(50, 99), slice(0, 53, 4), torch.tensor([52, 0, 7, 7])):
            assert torch.equal(found[chosen], expected[chosen])
        for wrong in (torch.tensor([53]), torch.tensor([-1])):
            with pytest.raises(IndexError, match="there are 53"):
                found[wrong]
        with pytest.raises(ValueError, match="rows of 5 numbers, want 6"):
            found.append(np.zeros((1, 5), np.float32))


def test_copies_among_stored_rows_are_those_among_a_tensors(tmp_path: Path) -> None:
    """The same record to the last digit."""
    points, held_out, train = (torch.from_numpy(cloud(count, 6, count)) for count in (60, 50, 700))
    with StoredRows(tmp_path) as stored:
        stored.append(train.numpy())
        assert copy_test(points, held_out, stored) == copy_test(points, held_out, train)


def test_memory_of_moments_does_not_grow_with_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Float32 features of 8 times the images take no more besides themselves."""
    monkeypatch.setattr(rows, "BLOCK_BYTES", 1 << 20)
    peaks = []
    for count in (4000, 32000):
        some, others = cloud(count, 64, 16), cloud(500, 64, 17)
        tracemalloc.start()
        FeatureStats(some).distance(FeatureStats(others))
        kernel_distance(some, others, seed=0, subsets=3)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
