"""All pairs of two sets of points: float32 tells which of them may be near, float64 how near these are.

One float32 matrix product gives the squared distances of a tile of pairs up to an error that is bounded: what lies
outside the bound is decided by it, everything else by differences in float64. No result depends on the product's
rounding, nor on how the sets are cut into blocks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.metrics.features.rows import Rows, block_rows

TILE_ROWS, TILE_COLUMNS = 512, 1024
"""Pairs that are looked at together: their product takes 2 MB, which caches hold."""

STRIP_BYTES = 256 << 20
"""What the rows may take that are kept while the columns are read: each strip of rows reads all of these once."""

MOST_AMID = 256
"""Points, at most, whose mean is the origin of products."""

ROUNDING = 2.0**-24
"""The largest relative error of a float32 operation."""

TINY = 2.0**-100
"""Far above what is lost where float32 underflows, in sets that are scaled to a length of 1."""

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Frame:
    """What float32 products are relative to: an origin (d,) amid the points, and a scale, a power of two."""

    origin: Tensor
    scale: float = 1.0

    @classmethod
    def amid(cls, points: Rows, scale: float) -> "Frame":
        """Return the frame around some of the points (N, d): the shorter they are in it, the smaller the error."""
        some = torch.linspace(0, max(len(points) - 1, 0), min(MOST_AMID, len(points)), dtype=torch.float64).long()
        return cls(points[some].double().mean(dim=0), scale)


def scale_of(*sets: Rows) -> float:
    """Return the power of two by which no difference of two points of the sets (N, d) is longer than 2.

    Multiplying by it rounds nothing, and no square overflows. ValueError for numbers that are not finite.
    """
    largest = 0.0
    for points in sets:
        for part in chunks(len(points), points):
            low, high = torch.aminmax(points[part])
            # of NaN a maximum depends on the order
            if not math.isfinite(float(high) - float(low)):
                raise ValueError("points have numbers that are infinite or none at all")
            largest = max(largest, -float(low), float(high))
    return 2.0 ** -math.frexp(2 * largest * math.sqrt(max(points.shape[1], 1)))[1] if largest else 1.0


@dataclass(frozen=True)
class Block:
    """Points that follow each other, from the place `first` on: as they are, and as a product takes them.

    `terms` (n, d + 2) are the points in the frame as float32, half their squared `lengths` and 1 (the latter two
    exchanged for columns), so that products of terms are minus half the least squared distances that are possible.
    """

    first: int
    points: Tensor
    terms: Tensor
    lengths: Array

    @classmethod
    def of(cls, points: Tensor, first: int, frame: Frame, columns: bool = False) -> "Block":
        """Return the block of points (n, d)."""
        count, width = points.shape
        terms, lengths = torch.ones(count, width + 2), np.empty(count)
        for part in chunks(count, points):
            moved = terms[part, :width].copy_((points[part].double() - frame.origin).mul_(frame.scale)).double()
            lengths[part] = np.vecdot(moved.numpy(), moved.numpy())
        terms[:, width + columns] = torch.from_numpy(TINY - (0.5 - error_of(width)) * lengths)
        return cls(first, points, terms, lengths)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def places(self) -> slice:
        """The places of its points in their set."""
        return slice(self.first, self.first + len(self))

    def parts(self) -> "Iterator[Block]":
        """Yield its points in blocks of at most `TILE_ROWS`, as views."""
        for start in range(0, len(self), TILE_ROWS):
            rows = slice(start, start + TILE_ROWS)
            yield Block(self.first + start, self.points[rows], self.terms[rows], self.lengths[rows])

    def first_of_equals(self) -> NDArray[np.bool_]:
        """Return whether each point (n,) has no equal before it."""
        rows = self.points.contiguous().numpy()
        _, firsts = np.unique(rows.view(f"V{rows.itemsize * rows.shape[1]}"), return_index=True)
        first = np.zeros(len(rows), bool)
        first[firsts] = True
        return first


def error_of(width: int) -> float:
    """Return the bound of the error of half a squared distance of points of `width` numbers, over the sum of squares.

    A sum of n float32 products is off by at most n / (1 - n * ROUNDING) roundings of the sum of their absolute values
    (Higham 2002, 3.1), here of no more than both squared lengths; converting points and lengths adds 4 roundings.
    """
    return 1.01 * (width + 16) * ROUNDING


def chunks(count: int, points: Rows) -> Iterator[slice]:
    """Yield slices of `count` things as large as a point, no more of them than a block has as float64."""
    step = min(block_rows(points), TILE_ROWS)
    for start in range(0, count, step):
        yield slice(start, start + step)


def rounded_down(limits: Array) -> NDArray[np.float32]:
    """Return float32 limits that are no larger: what reaches one reaches the other, so that no pair is lost."""
    return np.nextafter(limits.astype(np.float32), np.float32(-np.inf))


@dataclass(frozen=True)
class Tile:
    """Pairs of all points of two blocks; squared distances are in the frame's scale."""

    rows: Block
    columns: Block
    scale: float
    nearness: NDArray[np.float32]
    """Minus half of the least squared distances (n, m) that are possible; overwritten by the next tile."""

    rough: bool = False
    """Whether they are far below the distances, which the product alone then does not bound from above."""

    @classmethod
    def of(cls, rows: Block, columns: Block, scale: float, memory: Tensor, rough: bool = False) -> "Tile":
        """Return the tile of two blocks, whose product is written into float32 `memory`."""
        products = memory[: len(rows) * len(columns)].view(len(rows), len(columns))
        torch.mm(rows.terms, columns.terms.T, out=products)
        return cls(rows, columns, scale, products.numpy(), rough)

    def candidates(self, limits: Array, among: NDArray[np.bool_] | None = None) -> tuple[Places, Places]:
        """Return the rows and columns of pairs that may be no farther than `limits`, (n, 1) or (1, m), and others.

        `among` (m,) says which columns are looked at, None for all.
        """
        near = self.nearness >= rounded_down(-limits / 2)
        if among is not None:
            near &= among
        return np.divmod(np.flatnonzero(near), len(self.columns))

    def within(self, limits: Array, among: NDArray[np.bool_] | None = None) -> tuple[Places, Places]:
        """Return the rows and columns of the pairs that are nearer than `limits`, as `candidates` takes them."""
        # nothing is nearer than 0, and where all points are equal every pair would be looked at
        limits = np.where(limits > 0, limits, -1.0)
        rows, columns = self.candidates(limits, among)
        reach = np.broadcast_to(limits, self.nearness.shape)[rows, columns]
        inside = self.most(rows, columns) < reach
        unsure = np.flatnonzero(~inside)
        inside[unsure] = self.squares(rows[unsure], columns[unsure]) < reach[unsure]
        return rows[inside], columns[inside]

    def most(self, rows: Places, columns: Places) -> Array:
        """Return the largest squared distances that are possible of pairs."""
        error = error_of(self.rows.points.shape[1]) * (self.rows.lengths[rows] + self.columns.lengths[columns])
        most: Array = 4 * (error + TINY) - 2.0 * self.nearness[rows, columns]
        return most

    def some_of_nearest(self, nearest: int, itself: tuple[Places, Places], axis: int) -> Array:
        """Return the largest squared distance to `nearest` others that seem near, of rows or with `axis` 1 of columns.

        The `nearest`-th is no farther than that. `itself` are the pairs of a point with itself, which do not count.
        """
        near = self.nearness.copy()
        near[itself] = -np.inf
        others = np.argpartition(near, -nearest, axis=1 - axis).take(range(-nearest, 0), axis=1 - axis)
        pairs = [places.ravel() for places in np.indices(others.shape)]
        pairs[1 - axis] = others.ravel()
        farthest: Array = self.squares(pairs[0], pairs[1]).reshape(others.shape).max(axis=1 - axis)
        return farthest

    def squares(self, rows: Places, columns: Places) -> Array:
        """Return the squared distances of pairs, from differences in float64."""
        found = np.empty(len(rows))
        for part in chunks(len(rows), self.rows.points):
            differences = self.rows.points[rows[part]].double().sub_(self.columns.points[columns[part]].double())
            scaled = differences.mul_(self.scale).numpy()
            found[part] = np.vecdot(scaled, scaled)
        return found


def blocks(points: Rows, others: Rows, frame: Frame, triangle: bool = False) -> Iterator[tuple[Block, Block]]:
    """Yield blocks of points (N, d) with blocks of others (M, d), all pairs of which are all pairs of the sets.

    `triangle` leaves out blocks in which no column comes after a row: in a set and itself these pairs are seen twice.
    """
    row_bytes = 12 * max(points.shape[1], 1)
    height, width = max(STRIP_BYTES // row_bytes, 1), min(max(STRIP_BYTES // 4 // row_bytes, 1), TILE_COLUMNS)
    for start in range(0, len(points), height):
        strip = Block.of(points[start : start + height], start, frame)
        for first in range(start if triangle else 0, len(others), width):
            columns = Block.of(others[first : first + width], first, frame, columns=True)
            for rows in strip.parts():
                if not triangle or first + len(columns) > rows.first + 1:
                    yield rows, columns


def tiles(points: Rows, others: Rows, frame: Frame, triangle: bool = False) -> Iterator[Tile]:
    """Yield tiles of points (N, d) and others (M, d), as `blocks` are cut; each is gone when the next one comes."""
    memory = torch.empty(TILE_ROWS * TILE_COLUMNS)
    for rows, columns in blocks(points, others, frame, triangle):
        yield Tile.of(rows, columns, frame.scale, memory)
