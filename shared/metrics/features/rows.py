"""Sets of images or features, gone through in blocks: what takes memory is a block, however large the set is."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from math import prod
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BLOCK_BYTES = 64 << 20
"""What a block may take as numbers."""

Row = TypeVar("Row", bound=np.generic)


class Rows(Protocol):
    """A tensor, or what acts like one: a view of images that are in a file. The first dimension is that of the rows."""

    @property
    def shape(self) -> Sequence[int]:
        """The shape that all of it has."""

    @property
    def dtype(self) -> torch.dtype:
        """The type of its numbers."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, chosen: Any, /) -> Tensor:
        """Return the rows of a slice, or those whose places are in an int64 tensor."""

    def split(self, rows: int, /) -> Iterable[Tensor]:
        """Return all rows, `rows` at a time, the last ones fewer."""


def block_rows(rows: Rows, block_bytes: int = 0) -> int:
    """Return how many of the rows, as float64, take `block_bytes`, BLOCK_BYTES where not given; 1 at least."""
    return max((block_bytes or BLOCK_BYTES) // (8 * max(prod(rows.shape[1:]), 1)), 1)


def parts(features: NDArray[Row]) -> Iterator[NDArray[Row]]:
    """Yield features (n, d) in blocks, as views."""
    rows = max(BLOCK_BYTES // (8 * max(features[:1].size, 1)), 1)
    for start in range(0, len(features), rows):
        yield features[start : start + rows]


def digests(images: Rows, before: bytes = b"") -> NDArray[np.void]:
    """Return the sha256 of `before` and the pixels of each of N uint8 images: (N,) of 32 bytes, sorted as text is."""
    made = bytearray()
    for block in images.split(block_rows(images)):
        for image in block.numpy():
            made += sha256(before + image.tobytes()).digest()
    return np.frombuffer(bytes(made), "V32")
