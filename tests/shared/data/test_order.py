"""The order of samples."""

import numpy as np
import pytest

from shared.data import order
from shared.data.order import Order, permuted

drawn_or_permuted = pytest.mark.parametrize("at_once", [1 << 20, 0], ids=["drawn", "permuted"])


@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 16, 17, 100, 10_007])
def test_a_permutation_has_every_place_once(total: int) -> None:
    """Any part of it can be asked for, in any order, and any seed gives another one."""
    whole = permuted(np.arange(total), total, seed=3)
    assert sorted(whole.tolist()) == list(range(total))
    some = np.random.default_rng(0).integers(0, total, 20)
    assert permuted(some, total, seed=3).tolist() == whole[some].tolist()
    if total >= 16:
        assert permuted(np.arange(total), total, seed=4).tolist() != whole.tolist()


def test_a_permutation_mixes() -> None:
    """Over many seeds each place goes everywhere equally often, and so does the distance of two neighbours.

    Chi-squared of 50 x 50 counts, of which each is 100 on average, lies within 5 standard deviations of its mean.
    """
    total, seeds = 50, 5_000
    counts, steps = np.zeros((total, total)), np.zeros(total)
    for seed in range(seeds):
        whole = permuted(np.arange(total), total, seed)
        counts[np.arange(total), whole] += 1
        steps[(whole[1] - whole[0]) % total] += 1
    for found, mean, freedom in (
        (counts, seeds / total, (total - 1) ** 2),
        (steps[1:], seeds / (total - 1), total - 2),
    ):
        squared = float(((found - mean) ** 2 / mean).sum())
        assert abs(squared - freedom) < 5 * (2 * freedom) ** 0.5


@drawn_or_permuted
def test_an_epoch_has_every_sample_once(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Epochs differ, equal seeds give equal orders, and any place of any epoch is found without those before it."""
    monkeypatch.setattr(order, "DRAWN_AT_ONCE", at_once)
    whole = Order(30, seed=7).at(0, 90)
    epochs = whole.reshape(3, 30)
    assert [sorted(epoch) for epoch in epochs.tolist()] == [list(range(30))] * 3
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 3
    for start, length in ((0, 1), (29, 2), (31, 40), (89, 1)):
        assert Order(30, seed=7).at(start, length).tolist() == whole[start : start + length].tolist()
    assert Order(30, seed=8).at(0, 90).tolist() != whole.tolist()


def test_a_large_order_takes_no_memory() -> None:
    """A batch of a billion samples, far into an epoch, is found at once."""
    import tracemalloc

    tracemalloc.start()
    try:
        found = Order(1_000_000_000, seed=1).at(987_654_321, 256)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert len(set(found.tolist())) == 256
    assert found.min() >= 0
    assert found.max() < 1_000_000_000
