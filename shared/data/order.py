"""The endless order of samples: a permutation for each epoch, of which any place can be asked for."""

import numpy as np
import torch
from numpy.typing import NDArray

from shared.runtime.seeding import derive_seed, make_generator

DRAWN_AT_ONCE = 1 << 20
"""Samples up to which an epoch's permutation is drawn whole, by torch; above it would take time and memory."""

ROUNDS = 8
"""Rounds of the network that permutes more samples: four are enough with random functions (Luby and Rackoff 1988)."""

_Words = NDArray[np.uint64]


class Order:
    """One permutation of `total` samples after another, each from (seed, epoch)."""

    def __init__(self, total: int, seed: int) -> None:
        self.total, self.seed = total, seed
        self._epochs: dict[int, NDArray[np.int64]] = {}

    def at(self, position: int, length: int) -> NDArray[np.int64]:
        """Return the indexes of `length` samples from `position` on, (length,)."""
        parts = []
        while length > 0:
            epoch, offset = divmod(position, self.total)
            part = self._part(epoch, offset, min(length, self.total - offset))
            parts.append(part)
            position, length = position + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _part(self, epoch: int, offset: int, length: int) -> NDArray[np.int64]:
        if self.total > DRAWN_AT_ONCE:
            return permuted(np.arange(offset, offset + length), self.total, derive_seed(self.seed, epoch))
        return self._drawn(epoch)[offset : offset + length]

    def _drawn(self, epoch: int) -> NDArray[np.int64]:
        if epoch not in self._epochs:
            # a batch runs into the next epoch at most: earlier orders are of no use any more
            recent = {number: order for number, order in self._epochs.items() if number >= epoch - 1}
            drawn = torch.randperm(self.total, generator=make_generator(self.seed, epoch)).numpy()
            self._epochs = recent | {epoch: drawn}
        return self._epochs[epoch]


def permuted(places: NDArray[np.int64], total: int, seed: int) -> NDArray[np.int64]:
    """Return where a permutation of 0 to `total` - 1 that is drawn from `seed` takes `places`, without making it.

    A Feistel network over pairs of numbers (Black and Rogaway 2002, ciphers with arbitrary finite domains): a place is
    (left, right), and each round adds a hash of one to the other. What lands outside of 0 to `total` - 1 is permuted
    again, until it lands inside.
    """
    width = np.uint64(int(np.ceil(np.sqrt(total))))
    height = np.uint64(-(-total // int(width)))  # width * height is hardly more than `total`
    found = places.astype(np.uint64)
    outside = np.arange(len(found))
    while len(outside):
        left, right = found[outside] // width, found[outside] % width
        for number in range(0, ROUNDS, 2):
            left = (left + _hashed(right, derive_seed(seed, number)) % height) % height
            right = (right + _hashed(left, derive_seed(seed, number + 1)) % width) % width
        found[outside] = left * width + right
        outside = outside[found[outside] >= total]
    return found.astype(np.int64)


def _hashed(words: _Words, key: int) -> _Words:
    """Return a hash of each word under a key: splitmix64's, as seeds are derived."""
    state = words + np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
