"""Digests as arrays: they compare, sort and count as their texts do."""

from hashlib import sha256

import numpy as np
import pytest

import shared.sources.digests
from shared.sources.digests import Digests, Known, ranks, sorted_hash


def some(count: int, seed: int = 0) -> Digests:
    """Return digests, of which every tenth occurs twice."""
    rows = np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)
    rows[1::10] = rows[: len(rows) - 1 : 10]
    return Digests(rows)


@pytest.fixture(autouse=True)
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on 7 at a time."""
    monkeypatch.setattr(shared.sources.digests, "BLOCK", 7)


def test_an_element_is_its_text() -> None:
    """One of them, a slice, what a mask selects."""
    digests = some(20)
    texts = [row.tobytes().hex() for row in digests.rows]
    assert list(digests) == texts
    assert list(digests[3:9]) == texts[3:9]
    assert list(digests[np.arange(20) % 2 == 0]) == texts[::2]
    assert np.argsort(np.asarray(digests), kind="stable").tolist() == sorted(range(20), key=texts.__getitem__)


def test_ranks_are_in_the_order_of_the_texts() -> None:
    """Sorting by them is sorting by the hexadecimal digits."""
    texts = [f"salt {number}" for number in range(50)]
    expected = sorted(range(50), key=lambda number: sha256(texts[number].encode()).hexdigest())
    assert np.argsort(ranks(texts), kind="stable").tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 7, 8, 50])
def test_a_set_is_named_as_by_its_sorted_texts(count: int) -> None:
    """The sha256 of the sorted texts, a line each."""
    digests = some(count)
    assert sorted_hash(digests) == sha256("\n".join(sorted(digests)).encode()).hexdigest()


def test_equal_ones_count_as_often_as_they_occur() -> None:
    """Also where the others are more than a block, above or below all of them, or none."""
    digests, others = some(60), some(30, seed=1)
    shared_ones = [*digests[::10], digests[5]]
    expected = sum(text in set(shared_ones) for text in digests)
    assert expected == 2 * 6 + 1
    known = Known(digests)
    assert known.equal([*others, *shared_ones, *shared_ones, "00" * 32, "ff" * 32]) == expected
    assert known.equal([]) == known.equal(others) == Known(some(0)).equal(others) == 0
