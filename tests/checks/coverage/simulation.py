"""Simulated experiments: which test images each arm has right, in each replicate, with an exactly known truth.

Arm A has the true accuracy acc + diff / 2, arm B has acc - diff / 2. In replicate r their accuracies are

    a_r = acc + diff / 2 + G_r + F_r        b_r = acc - diff / 2 + H_r

G_r is the effect of the replicate's generator, of standard deviation `generator_sd`; F_r and H_r are those of the two
fits, of `fit_sd`. All effects are independent and triangular, symmetric about 0, so that they are bounded. Their mean
is 0, therefore E[a_r - b_r] = diff.

Each image i has a place U_ri on a circle of length 1, uniform: its difficulty. With a probability of `persistence` an
image keeps its place in every replicate, otherwise it gets a new one in each. A is right on the arc [0, a_r), B on the
arc [q_r, q_r + b_r), where q_r = (d_r + a_r - b_r) / 2 and d_r = max(disagreement, |a_r - b_r|). In order around the
circle the arcs are: A alone right (q_r), both right, B alone right (d_r - a_r + b_r) / 2, both wrong. So P(A right) =
a_r, P(B right) = b_r and P(the arms disagree) = d_r, but for the rounding of single precision, 1e-7. The arms share
replicates and test images, and images are independent of each other.
"""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from shared.stats.two_way import Sums
from tests.checks.coverage.cells import SUPPORT, Cell

CHUNK = 500_000
"""Runs times images at a time: more would not fit in a cache."""


def experiments(cell: Cell, runs: int, seed: int) -> tuple[Sums, Sums]:
    """Return the sums of A - B and of A alone over `runs` experiments; equal seeds give equal ones."""
    rng = np.random.default_rng(seed)
    size = max(CHUNK // cell.images, 1)
    drawn = [_draw(cell, min(size, runs - start), rng) for start in range(0, runs, size)]
    differences, levels = zip(*drawn, strict=True)
    return _joined(differences), _joined(levels)


def _joined(parts: tuple[Sums, ...]) -> Sums:
    return Sums(
        parts[0].images,
        np.concatenate([part.of_replicates for part in parts]),
        np.concatenate([part.image_squares for part in parts]),
        np.concatenate([part.squares for part in parts]),
    )


def _effects(sd: float, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    reach = sd * SUPPORT
    return rng.triangular(-reach, 0, reach, shape) if sd else np.zeros(shape)


def _places(cell: Cell, runs: int, rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yield the places (runs, images) of each replicate."""
    shape = (runs, cell.images)
    # images are exchangeable: those that keep their places may come first
    keep = np.arange(cell.images) < rng.binomial(cell.images, cell.persistence, (runs, 1))
    kept = rng.random(shape, np.float32)
    for _ in range(cell.replicates):
        yield np.where(keep, kept, rng.random(shape, np.float32))


def _draw(cell: Cell, runs: int, rng: np.random.Generator) -> tuple[Sums, Sums]:
    *_, whole = growing(cell, runs, rng, (cell.replicates,))
    return whole


def growing(cell: Cell, runs: int, rng: np.random.Generator, looks: Collection[int]) -> Iterator[tuple[Sums, Sums]]:
    """Yield the sums of A - B and of A alone over `runs` experiments when they have as many replicates as `looks` say.

    All of them have `cell.replicates` at the end.
    """
    shape = (runs, cell.replicates)
    a = (
        cell.accuracy
        + cell.difference / 2
        + _effects(cell.generator_sd, shape, rng)
        + _effects(cell.fit_sd, shape, rng)
    )
    b = cell.accuracy - cell.difference / 2 + _effects(cell.fit_sd, shape, rng)
    start = (np.maximum(cell.disagreement, np.abs(a - b)) + a - b) / 2
    # in the precision of places: numpy would otherwise make doubles of all of them
    end_a, start_b, end_b = (ends.astype(np.float32) for ends in (a, start, start + b))
    right_a, right_b, unequal = (np.zeros(shape) for _ in range(3))
    # a sum over replicates is at most their number, of which there are 100 at most
    image_a, image_difference = (np.zeros((runs, cell.images), np.int8) for _ in range(2))
    for place, places in enumerate(_places(cell, runs, rng)):
        of_a = places < end_a[:, [place]]
        of_b = (places >= start_b[:, [place]]) & (places < end_b[:, [place]])
        right_a[:, place] = np.count_nonzero(of_a, axis=1)
        right_b[:, place] = np.count_nonzero(of_b, axis=1)
        unequal[:, place] = np.count_nonzero(of_a != of_b, axis=1)
        image_a += of_a
        image_difference += of_a.view(np.int8) - of_b.view(np.int8)
        if (now := place + 1) in looks:
            difference = right_a[:, :now] - right_b[:, :now]
            yield (
                Sums(cell.images, difference, _squared(image_difference), unequal.sum(axis=1)),
                Sums(cell.images, right_a[:, :now].copy(), _squared(image_a), right_a.sum(axis=1)),
            )


def _squared(of_images: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the sum over images of the squared sums over replicates, (runs,)."""
    # whole numbers below 2^24 are exact in single precision
    sums = of_images.astype(np.float32)
    return np.einsum("ij,ij->i", sums, sums).astype(np.float64)
