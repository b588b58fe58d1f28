"""The nearest images are found by projections, and are those of all windows of all pairs in float64."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from shared.metrics import neighbours
from shared.metrics.features import pairs, projected
from shared.metrics.features.pairs import Tile
from shared.metrics.neighbours import both_ways, of_images, of_points, shifts, windows
from tests.shared.metrics.copy_rates.draws import digits


def noise(count: int, seed: int, size_px: int = 12) -> Tensor:
    """Return colour images that no projection tells apart."""
    chance = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size_px, size_px), generator=chance, dtype=torch.uint8)


def flat(count: int, seed: int) -> Tensor:
    """Return images of one grey each, and a few that nearly are."""
    chance = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 1, 1, 1), generator=chance, dtype=torch.uint8).expand(-1, 1, 12, 12).clone()
    images[::3, 0, 6, 6] ^= 1
    return images


def collapsed(count: int, seed: int) -> Tensor:
    """Return images of which two thirds are one and the same."""
    images = noise(count, seed)
    images[torch.arange(count) % 3 > 0] = images[1].clone()
    return images


def exact_squares(images: Tensor, others: Tensor) -> np.ndarray:
    """Return the least squared distance (N, M) over all transforms, from float64 differences."""
    found = [
        cdist(side.double(), windows(others.float(), *shift).double(), "sqeuclidean")
        for side in both_ways(images, 1)
        for shift in shifts(others.shape[-1])
    ]
    return np.min(found, axis=0)


SETS = {
    "digits": (digits()[:150], digits()[130:400]),
    "noise": (noise(150, 1), noise(270, 2)),
    "collapsed": (noise(150, 1), collapsed(270, 4)),
    "both collapsed": (collapsed(150, 4), collapsed(270, 4)),
    "large": (noise(40, 5, 36), noise(90, 6, 36)),
}


@pytest.fixture(autouse=True)
def several_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks so small that there are several, the last ones smaller."""
    monkeypatch.setattr(pairs, "TILE_ROWS", 64)
    for module in (pairs, projected):
        monkeypatch.setattr(module, "TILE_COLUMNS", 50)
    monkeypatch.setattr(projected, "TILE_ROWS", 64)
    monkeypatch.setattr(projected, "DIRECTIONS", 8)
    monkeypatch.setattr(neighbours, "BLOCK_IMAGES", 120)


@pytest.mark.parametrize("kind", SETS)
def test_the_nearest_images_are_exactly_those_of_all_windows(kind: str) -> None:
    """The first of equally near ones, whether projections rule out pairs or none; never an image itself."""
    images, others = SETS[kind]
    squares = exact_squares(images, others)
    found = of_images(images, others)
    assert found.places.tolist() == squares.argmin(axis=1).tolist()
    np.testing.assert_allclose(found.distances.numpy(), np.sqrt(squares.min(axis=1)), rtol=1e-6, atol=2e-3)
    own = torch.cat([torch.arange(40, 80), torch.full((10,), -1)])
    among = exact_squares(others[own], others)
    among[np.arange(40), own[:40]] = np.inf
    assert of_images(others[own], others, own).places.tolist() == among.argmin(axis=1).tolist()


def test_flat_images_are_like_no_other() -> None:
    """They are at a distance of 1 from images with contrast, and from each other."""
    found = of_images(flat(90, 1), torch.cat([flat(60, 2), noise(100, 3)[:, :1]]))
    assert found.distances.tolist() == pytest.approx([1.0] * 90)
    alone = of_images(flat(1, 1), flat(1, 1), torch.tensor([0]))
    assert alone.distances.tolist() == [float("inf")]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the numbers of pairs whose distance is computed in float64."""
    computed: list[int] = []
    squares = Tile.squares

    def counting(tile: Tile, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        computed.append(len(rows))
        return squares(tile, rows, columns)

    monkeypatch.setattr(Tile, "squares", counting)
    return computed


@pytest.mark.parametrize("kind", SETS)
def test_few_windows_are_computed_in_float64(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In all kinds, at most one pair in twenty for each of a tile's size: copies cost no more than others."""
    images, others = SETS[kind]
    computed = counted(monkeypatch)
    of_images(images, others)
    assert sum(computed) < 2 * len(shifts(images.shape[-1])) * len(images) * len(others) / 20


def test_few_points_are_computed_where_all_others_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a collapsed generator makes."""
    points = torch.randn(300, 6, generator=torch.Generator().manual_seed(0))
    computed = counted(monkeypatch)
    found = of_points(points, points[:1].expand(400, -1))
    assert set(found.places.tolist()) == {0}
    assert sum(computed) < 300 * 400 / 8


def test_projections_rule_out_most_pairs_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits are compared in few directions: hardly any tile is made of whole windows."""
    whole, rough = [0], [0]
    make = Tile.of

    def counting(rows: object, columns: object, scale: float, memory: Tensor, is_rough: bool = False) -> Tile:
        (rough if is_rough else whole)[0] += 1
        return make(rows, columns, scale, memory, is_rough)  # type: ignore[arg-type]

    monkeypatch.setattr(Tile, "of", counting)
    monkeypatch.setattr(projected, "DIRECTIONS", 32)
    images, others = SETS["digits"]
    of_images(images, others)
    assert whole[0] < rough[0] / 2
