from fractions import Fraction

import numpy as np
import pytest

from shared.data.sampling import apportion, apportion_within, ceil_share, floor_share, largest_share, spread, stratified


@pytest.mark.parametrize(
    ("share", "total", "expected"),
    [
        (0.7, 162_770, 113_939),
        (0.7, 1257, 879),
        (0.0, 5, 0),
        (1.0, 5, 5),
        (0.1, 10, 1),
        (0.29, 100, 29),
        (0.57, 100, 57),
        (0.333333, 3, 0),
    ],
)
def test_a_floor_share_is_exact(share: float, total: int, expected: int) -> None:
    """floor(share x total) in decimal arithmetic: 0.29 x 100 is 29, although 0.29 * 100 is 28.999... in floats."""
    assert floor_share(share, total) == expected


def test_the_largest_share_of_few_images_takes_them_all_and_no_more() -> None:
    """A share fits into the images that another share gave exactly if its own floor is no more than theirs."""
    for total in (1, 7, 100, 1257, 50_000):
        for percent in range(1, 200):
            count = floor_share(percent / 100, total)
            largest = largest_share(count, total)
            assert floor_share(largest, total) == count
            assert all((other / 100 <= largest) == (floor_share(other / 100, total) <= count) for other in (30, 70, 95))


def test_a_floor_share_is_the_fractions_floor() -> None:
    """For every share of two decimals and many totals it is the floor of the exact fraction."""
    for percent in range(101):
        for total in (1, 7, 99, 1257, 10**9 + 7):
            assert floor_share(percent / 100, total) == percent * total // 100


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        ([1, 1, 1], 3, [1, 1, 1]),
        ([1, 1, 1], 4, [2, 1, 1]),
        ([5, 3, 2], 10, [5, 3, 2]),
        ([47_000, 16_000, 15_900, 12_000, 6_000, 3_100], 10, [5, 2, 1, 1, 1, 0]),
        ([3, 0, 1], 2, [2, 0, 0]),
        ([1, 2], 0, [0, 0]),
    ],
)
def test_largest_remainders_by_hand(sizes: list[int], total: int, expected: list[int]) -> None:
    """Quotas are rounded down and what is left goes to the largest remainders (Hamilton), ties to the first."""
    assert apportion(sizes, total) == expected


@pytest.mark.parametrize(
    ("sizes", "total", "low", "high", "expected"),
    [
        ([60, 40], 10, [0, 0], [60, 40], [6, 4]),
        ([60, 40], 10, [0, 0], [60, 2], [8, 2]),
        ([60, 40], 10, [0, 5], [60, 40], [5, 5]),
        ([96, 3], 10, [1, 1], [96, 3], [9, 1]),
        ([50, 30, 20], 10, [0, 0, 0], [2, 9, 9], [2, 4, 4]),  # of three more, room for 6 and 7: one and two
        ([1, 1], 6, [0, 0], [3, 3], [3, 3]),
    ],
)
def test_bounds_move_what_does_not_fit(
    sizes: list[int], total: int, low: list[int], high: list[int], expected: list[int]
) -> None:
    """The parts add up to the total and keep their bounds; what one cannot take the others share by their room."""
    assert apportion_within(sizes, total, low, high) == expected


@pytest.mark.parametrize("seed", range(5))
def test_an_apportionment_adds_up_and_is_within_one_of_the_quota(seed: int) -> None:
    """For random sizes and totals the counts sum to the total, and each is its quota rounded up or down."""
    chance = np.random.default_rng(seed)
    for _ in range(50):
        sizes = chance.integers(0, 5000, int(chance.integers(1, 40))).tolist()
        sizes[0] += 1
        total = int(chance.integers(0, 20_000))
        counts = apportion(sizes, total)
        assert sum(counts) == total
        for size, count in zip(sizes, counts, strict=True):
            assert abs(count - Fraction(size * total, sum(sizes))) < 1


def test_equal_remainders_go_to_the_first() -> None:
    """Quotas 1/3, 4/3 and 7/3 have one remainder, 1/3: the one image left goes to the first class."""
    assert apportion([1, 4, 7], 4) == [1, 1, 2]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([2, 2], [0, 1, 0, 1]), ([1, 3], [1, 0, 1, 1]), ([0, 2], [1, 1]), ([3], [0, 0, 0]), ([4, 2], [0, 1, 0, 0, 1, 0])],
)
def test_labels_are_spread_by_hand(counts: list[int], expected: list[int]) -> None:
    """The k-th of n images of a class lies at (k + 1/2)/n of the way; ties go to the smaller label."""
    assert spread(counts).tolist() == expected


@pytest.mark.parametrize("counts", [[700, 300], [90, 9], [50, 50, 50, 1], [13, 7, 5, 3, 2]])
def test_every_prefix_has_about_the_proportions(counts: list[int]) -> None:
    """Each class has its count, and no prefix is off its share by more than one image and a rounding."""
    labels = spread(counts)
    assert np.bincount(labels, minlength=len(counts)).tolist() == counts
    seen = np.cumsum(labels[:, None] == np.arange(len(counts)), axis=0)
    share = np.outer(np.arange(1, len(labels) + 1), np.array(counts) / sum(counts))
    assert np.abs(seen - share).max() <= 1 + len(counts) / 4


LABELS = np.array([0] * 60 + [1] * 30 + [2] * 10)


def test_a_stratified_draw_has_the_proportions() -> None:
    """Ten of 60 + 30 + 10 are 6 + 3 + 1, each index once and in order."""
    chosen = stratified(LABELS, 10, seed=0)
    assert np.bincount(LABELS[chosen]).tolist() == [6, 3, 1]
    assert sorted(set(chosen.tolist())) == chosen.tolist()


def test_a_stratified_draw_depends_on_the_seed_alone() -> None:
    """Equal seeds draw equal images, other seeds others; all of them is every image."""
    assert stratified(LABELS, 10, seed=1).tolist() == stratified(LABELS, 10, seed=1).tolist()
    assert stratified(LABELS, 10, seed=1).tolist() != stratified(LABELS, 10, seed=2).tolist()
    assert stratified(LABELS, 100, seed=3).tolist() == list(range(100))


def test_a_stratified_draw_is_uniform_within_a_class() -> None:
    """Over 600 seeds each of 60 images of a class is among 6 drawn 60 times: within 5 standard errors, 60 +- 37."""
    drawn = np.concatenate([stratified(LABELS, 10, seed) for seed in range(600)])
    times = np.bincount(drawn, minlength=100)[:60]
    assert times.sum() == 3600
    assert np.abs(times - 60).max() < 37


@pytest.mark.parametrize(
    ("share", "total", "expected"),
    [(0.1, 30, 3), (0.1, 31, 4), (0.07, 100, 7), (0.2, 0, 0), (1e-7, 5, 1), (0.55, 100, 55)],
)
def test_a_ceil_share_is_exact(share: float, total: int, expected: int) -> None:
    """The share is exact as written: a tenth of 30 is 3, though in floating point it is a little more."""
    assert ceil_share(share, total) == expected


def test_a_ceil_share_is_the_fractions_ceiling() -> None:
    """For every percentage of every total up to 300 the result is the exact ceiling."""
    for percent in range(101):
        for total in range(301):
            assert ceil_share(percent / 100, total) == -(-percent * total // 100)
