"""Float32 products rule out pairs and float64 differences decide: results are those of float64, on hard points too."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from shared.metrics.copies import cosine_distance
from shared.metrics.features import pairs
from shared.metrics.features.closest import closest, closest_of_own
from shared.metrics.features.pairs import Frame, Tile, scale_of, tiles
from shared.metrics.features.prdc import prdc
from shared.metrics.features.stored import StoredRows
from shared.metrics.neighbours import of_points

Array = np.ndarray


def ordinary(chance: np.random.Generator, count: int) -> Array:
    """Return features as they are: not negative, many of them 0."""
    return np.maximum(chance.normal(0.5, 1, (count, 12)), 0)


def lattice(chance: np.random.Generator, count: int) -> Array:
    """Whole numbers, far from 0: most distances are tied with others, exactly."""
    return 4096.0 + chance.integers(0, 3, (count, 6))


def copies(chance: np.random.Generator, count: int) -> Array:
    """Points of which there are many each, and some that there are once."""
    few = np.random.default_rng(0).normal(0, 1, (8, 5))
    return np.concatenate([few[chance.integers(0, 8, count - 30)], chance.normal(0, 1, (30, 5))])


def clusters(chance: np.random.Generator, count: int) -> Array:
    """Far groups of near points: float32 products cannot tell the distances within a group from 0."""
    far = np.random.default_rng(1).normal(0, 1e4, (4, 9))
    return far[chance.integers(0, 4, count)] + chance.normal(0, 1e-2, (count, 9))


def near_ties(chance: np.random.Generator, count: int) -> Array:
    """On spheres whose radii differ in the 9th digit, in float64."""
    directions = chance.normal(0, 1, (count, 7))
    radii = 1 + 1e-9 * chance.integers(0, 3, (count, 1))
    return radii * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def outlier(chance: np.random.Generator, count: int) -> Array:
    """One point is as far away as float32 goes."""
    points = chance.normal(0, 1, (count, 5))
    points[count // 2] = 1e36
    return points


def large(chance: np.random.Generator, count: int) -> Array:
    """Squares overflow float32."""
    return chance.normal(3e25, 1e25, (count, 5))


def small(chance: np.random.Generator, count: int) -> Array:
    """Squares underflow float32."""
    return chance.normal(0, 1e-25, (count, 5))


def equal(_: np.random.Generator, count: int) -> Array:
    """Return what a collapsed generator makes."""
    return np.full((count, 4), 0.1)


Kind = Callable[[np.random.Generator, int], Array]

KINDS = pytest.mark.parametrize(
    "kind",
    [ordinary, lattice, copies, clusters, near_ties, outlier, large, small, equal],
    ids=lambda kind: kind.__name__,
)

TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture(autouse=True)
def several_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tiles and strips so small that every set here has several, the last ones smaller."""
    monkeypatch.setattr(pairs, "TILE_ROWS", 24)
    monkeypatch.setattr(pairs, "TILE_COLUMNS", 50)
    monkeypatch.setattr(pairs, "STRIP_BYTES", 12 * 12 * 60)


def sets(kind: Kind, dtype: type, *counts: int) -> list[Array]:
    """Return sets of a kind; some points of the second are also in the first."""
    chance = np.random.default_rng(5)
    made = [kind(chance, count).astype(dtype) for count in counts]
    made[0][:7] = made[-1][20:27]
    return made


def exact_squares(points: Array, others: Array) -> Array:
    """Return the squared distances, from float64 differences."""
    return cdist(points.astype(float), others.astype(float), "sqeuclidean")


def exact_prdc(synthetic: Array, real: Array, nearest: int) -> dict[str, float]:
    """Return the scores from the whole matrices."""
    # a point is the first of its own row
    radii = [np.sort(exact_squares(side, side), axis=1)[:, nearest] for side in (synthetic, real)]
    across = exact_squares(synthetic, real)
    inside = across < radii[1]
    return {
        "precision": float(inside.any(axis=1).mean()),
        "recall": float((across < radii[0][:, None]).any(axis=0).mean()),
        "density": float(inside.sum(axis=1).mean() / nearest),
        "coverage": float(inside.any(axis=0).mean()),
    }


@KINDS
@TYPES
@pytest.mark.parametrize("nearest", [1, 5])
def test_prdc_is_exactly_that_of_float64(kind: Kind, dtype: type, nearest: int) -> None:
    """The very four numbers: ties and copies are on the right side of every radius."""
    synthetic, real = sets(kind, dtype, 130, 170)
    assert prdc(synthetic, real, nearest) == exact_prdc(synthetic, real, nearest)


@KINDS
@TYPES
def test_the_nearest_are_exactly_those_of_float64(kind: Kind, dtype: type) -> None:
    """The first of equally near ones; distances to the last digits; no point is near itself."""
    points, others = sets(kind, dtype, 90, 160)
    squares = exact_squares(points, others)
    found = of_points(torch.from_numpy(points), torch.from_numpy(others))
    assert found.places.tolist() == squares.argmin(axis=1).tolist()
    np.testing.assert_allclose(found.distances.numpy(), np.sqrt(squares.min(axis=1)), rtol=1e-14, atol=0)
    own = np.arange(30, 120)
    among = exact_squares(others[own], others)
    among[np.arange(len(own)), own] = np.inf
    again = of_points(torch.from_numpy(others[own]), torch.from_numpy(others), torch.from_numpy(own))
    assert again.places.tolist() == among.argmin(axis=1).tolist()


@KINDS
def test_the_nearest_few_are_those_of_the_whole_matrix(kind: Kind) -> None:
    """From both sides of half of the matrix, as from all of it."""
    [points] = sets(kind, np.float64, 140)
    torches, scale = torch.from_numpy(points), scale_of(torch.from_numpy(points))
    expected = np.sort(exact_squares(points, points), axis=1)[:, 1:7]
    found = [
        closest_of_own(torches, 6, scale),
        closest(torches, torches, 6, scale, np.arange(140)),
    ]
    for side in found:
        np.testing.assert_allclose(side.squares / scale**2, expected, rtol=1e-13, atol=0)


@KINDS
@TYPES
def test_every_squared_distance_is_within_its_bounds(kind: Kind, dtype: type) -> None:
    """What a product says at least and at most holds of each pair."""
    points, others = (torch.from_numpy(side) for side in sets(kind, dtype, 70, 110))
    scale = scale_of(points, others)
    for tile in tiles(points, others, Frame.amid(others, scale)):
        rows, columns = (places.ravel() for places in np.indices(tile.nearness.shape))
        squares = tile.squares(rows, columns)
        assert (-2.0 * tile.nearness.ravel() <= squares * (1 + 1e-13) + 4 * pairs.TINY).all()
        assert (squares <= tile.most(rows, columns)).all()


def test_a_limit_in_float32_loses_no_pair() -> None:
    """It is no larger than the limit itself, whichever way float32 rounds that."""
    limits = np.random.default_rng(0).normal(0, 1, 1000)
    assert (pairs.rounded_down(limits) <= limits).all()


def test_few_pairs_are_computed_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than one pair of features in twenty: otherwise nothing would be gained."""
    monkeypatch.setattr(pairs, "TILE_ROWS", 256)
    monkeypatch.setattr(pairs, "TILE_COLUMNS", 256)
    monkeypatch.setattr(pairs, "STRIP_BYTES", 1 << 20)
    computed: list[int] = []
    squares = Tile.squares

    def counted(tile: Tile, rows: Array, columns: Array) -> Array:
        computed.append(len(rows))
        return squares(tile, rows, columns)

    monkeypatch.setattr(Tile, "squares", counted)
    synthetic, real = sets(ordinary, np.float32, 2000, 2000)
    prdc(synthetic, real)
    assert sum(computed) < 2 * 2000**2 / 20


@TYPES
def test_cosines_are_those_of_float64(dtype: type) -> None:
    """Also of points of opposite directions, of copies, and of points of zeros, which have no direction."""
    points, train = sets(clusters, dtype, 90, 160)
    points[10], points[11:20], train[3] = 0, -train[50:59] * 2, 0
    units = [
        side.astype(float) / np.maximum(np.linalg.norm(side.astype(float), axis=1), 1e-12)[:, None]
        for side in (points, train)
    ]
    expected = (1 - np.abs(units[0] @ units[1].T).max(axis=1)).mean()
    assert cosine_distance(torch.from_numpy(points), torch.from_numpy(train)) == pytest.approx(expected, rel=1e-12)


def test_points_on_disk_have_the_scores_of_points_in_memory(tmp_path: Path) -> None:
    """PRDC of features that are read block by block."""
    synthetic, real = sets(ordinary, np.float32, 130, 170)
    with StoredRows(tmp_path) as stored, StoredRows(tmp_path) as others:
        stored.append(synthetic)
        others.append(real)
        assert prdc(stored, others) == prdc(synthetic, real)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(wrong: float) -> None:
    """They are near to nothing and far from nothing: no score is better than one of them."""
    synthetic, real = sets(ordinary, np.float32, 130, 170)
    real[44, 3] = wrong
    with pytest.raises(ValueError, match="infinite or none at all"):
        prdc(synthetic, real)
