"""Views of images against the same operations on an array of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from shared.data import pixels as module
from shared.data.pixels import InMemory, Pixels
from shared.data.resizing import resized


def images(count: int, seed: int = 0) -> torch.Tensor:
    """Return noise."""
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 3, 4, 4), dtype=np.uint8))


KEYS: dict[str, Any] = {
    "all": slice(None),
    "slice": slice(2, 15, 3),
    "beyond": slice(10, 99),
    "backwards": slice(None, None, -1),
    "range": range(3, 9),
    "steps": range(1, 12, 4),
    "numbers": [4, 4, 0, 11],
    "negative": torch.tensor([-1, 0, -12]),
    "mask": torch.arange(12) % 3 == 1,
    "array mask": np.arange(12) > 7,
    "nothing": [],
}


def of_tensor(whole: torch.Tensor, key: Any) -> torch.Tensor:
    """Return what numpy gives."""
    if not isinstance(key, slice):
        key = np.asarray(key) if len(key) else np.empty(0, np.int64)
    return torch.from_numpy(whole.numpy()[key].copy())


VIEWS: dict[str, Callable[[], tuple[Pixels, torch.Tensor]]] = {
    "one source": lambda: (Pixels.of(images(12)), images(12)),
    "rows": lambda: (Pixels.of(images(20)).rows(range(12)), images(20)[:12]),
    "rows of rows": lambda: (
        Pixels.of(images(20)).rows([*range(19, 3, -1)]).rows(slice(2, 14)),
        images(20)[torch.arange(19, 3, -1)][2:14],
    ),
    "two sources": lambda: (
        Pixels.of(images(7)) + Pixels.of(images(9, 1)).rows(range(8, 3, -1)),
        torch.cat([images(7), images(9, 1)[[8, 7, 6, 5, 4]]]),
    ),
    "one source twice": lambda: (
        (lambda view: view + view.rows([3, 1, 2, 0, 5, 4]))(Pixels.of(images(6))),
        torch.cat([images(6), images(6)[[3, 1, 2, 0, 5, 4]]]),
    ),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("key", KEYS)
def test_a_view_reads_what_an_array_gives(view: str, key: str) -> None:
    """By slices, numbers and masks; so do the rows of a view."""
    pixels, whole = VIEWS[view]()
    assert (len(pixels), pixels.shape, pixels.dtype) == (12, (12, 3, 4, 4), torch.uint8)
    wanted = of_tensor(whole, KEYS[key])
    assert torch.equal(pixels[KEYS[key]], wanted)
    assert torch.equal(pixels.rows(KEYS[key])[:], wanted)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_gone_through_in_parts(view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts join to the whole, images come one by one, one number gives one image."""
    pixels, whole = VIEWS[view]()
    parts = list(pixels.split(5))
    assert [len(part) for part in parts] == [5, 5, 2]
    assert torch.equal(torch.cat(parts), whole)
    monkeypatch.setattr(module, "BLOCK_BYTES", 100)
    assert pixels.block_images == 2
    assert torch.equal(torch.stack(list(pixels)), whole)
    assert torch.equal(pixels[3], whole[3])


@pytest.mark.parametrize("key", [[12], [-13], range(11, 14), np.array([0, 99])])
def test_numbers_that_are_none_are_an_error(key: Any) -> None:
    """They are not wrapped around, nor cut off."""
    with pytest.raises(IndexError, match="there are 12"):
        Pixels.of(images(12)).rows(key)
    with pytest.raises(IndexError, match="a mask of 3"):
        Pixels.of(images(12)).rows(torch.tensor([True, False, True]))


def test_images_of_different_sizes_are_no_view() -> None:
    """They cannot be in one batch."""
    with pytest.raises(ValueError, match="images of 2 sizes"):
        Pixels([InMemory(images(2)), InMemory(images(2)[:, :, :3, :3])])


def test_a_source_in_two_parts_is_read_once() -> None:
    """Batches of an arm that has each image twice do not read twice as often."""
    reads = []

    class Counted(InMemory):
        def read(self, rows: Any) -> torch.Tensor:
            reads.append(len(rows))
            return super().read(rows)

    view = Pixels([Counted(images(6))])
    both = view + view
    assert len(both.sources) == 1
    assert len(both[:]) == 12
    assert reads == [12]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_another_size(view: str) -> None:
    """As `resized` gives it; the size that it has is itself."""
    pixels, whole = VIEWS[view]()
    assert torch.equal(pixels.at(8, "bicubic")[:], resized(whole, 8, "bicubic"))
    assert pixels.at(4, "box") is pixels


def test_few_images_are_in_one_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU many stay where they are."""
    view = Pixels.of(images(7)) + Pixels.of(images(5, 1))
    few = view.on(torch.device("cpu"))
    assert len(few.sources) == 1
    assert torch.equal(few[:], view[:])
    monkeypatch.setattr(module, "BLOCK_BYTES", 100)
    assert view.on(torch.device("cpu")) is view
