"""The nearest of points of many numbers, by few of them: most pairs are farther apart in a projection than is needed.

A projection to orthogonal directions shortens every distance, and so does one that adds the length of what is left.
Images that are alike hold nearly all of their length in few directions, so that the projection rules out nearly
all pairs; where it does not, as in noise, the points are compared as they are.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.metrics.features.closest import Closest
from shared.metrics.features.pairs import TILE_COLUMNS, TILE_ROWS, Block, Frame, Places, Tile, chunks, error_of

DIRECTIONS = 96
"""Directions that points are projected to."""

ITERATIONS = 2
"""Steps of subspace iteration: any orthogonal directions are right, near the principal ones they rule out more."""

FAINT = 1e-4
"""Squared length below which a point is about as far from all points of length 1: any of them will do."""

ORIGIN = Frame(torch.zeros(1, dtype=torch.float64))


@dataclass(frozen=True)
class Projection:
    """Orthonormal directions (d, k), float32."""

    directions: Tensor

    @classmethod
    def amid(cls, points: Tensor) -> "Projection":
        """Return directions in which points (N, d) are long."""
        count = min(DIRECTIONS, *points.shape)
        some = torch.linspace(0, len(points) - 1, count, dtype=torch.float64).long()
        directions = torch.linalg.qr(points[some].double().T).Q
        for _ in range(ITERATIONS):
            longest = torch.zeros_like(directions)
            for part in chunks(len(points), points):
                exact = points[part].double()
                longest += exact.T @ (exact @ directions)
            directions = torch.linalg.qr(longest).Q
        return cls(directions.float())

    def block(self, points: Tensor, first: int, columns: bool = False) -> Block:
        """Return the block of points (n, d), whose products are those of their projections."""
        along = points @ self.directions
        # float32 may have made them longer than they are: what is left is then no less than it was
        left = points.square().sum(dim=1) - along.square().sum(dim=1) + 4 * self.error
        found = Block.of(torch.cat([along, left.clamp(min=0).sqrt()[:, None]], dim=1), first, ORIGIN, columns)
        found.terms[:, along.shape[1] + 1 + columns] += self.error
        return Block(first, points, found.terms, found.lengths)

    @property
    def error(self) -> float:
        """The bound of the error that float32 leaves in a product of two projections, of points no longer than 1."""
        width, count = self.directions.shape
        return 2 * error_of(width) * math.sqrt(count)


class ProjectedSearch:
    """Finds the nearest other to each of N points, which are given in several ways, `sides`, each (N, d).

    Lengths are at most 1. `own` is as in `closest`.
    """

    def __init__(self, sides: list[Tensor], own: Places | None = None) -> None:
        lengths = sides[0].square().sum(dim=1).numpy()
        self.closest = Closest(len(lengths), 1, enough=np.where(lengths < FAINT, 4.0, 0.0))
        self.own = own
        self._projection = Projection.amid(torch.cat(sides))
        self._memory = torch.empty(TILE_ROWS * TILE_COLUMNS)
        self._rough = [part for side in sides for part in self._projection.block(side, 0).parts()]
        self._whole = [part for side in sides for part in Block.of(side, 0, ORIGIN).parts()]

    def look(self, ways: Iterable[Tensor], first: int) -> None:
        """Take in others (m, d), given in several ways, the first of which is at the place `first`."""
        useless = [False] * len(self._rough)
        for way in ways:
            for start in range(0, len(way), TILE_COLUMNS):
                self._look(way[start : start + TILE_COLUMNS], first + start, useless)

    def _look(self, points: Tensor, first: int, useless: list[bool]) -> None:
        """Take in others; points to which projections have been `useless` are compared as they are."""
        whole = None
        rough = None if all(useless) else self._projection.block(points, first, columns=True)
        for number in range(len(self._rough)):
            if rough is not None and not useless[number]:
                useless[number] = not self.closest.look(self._tile(self._rough[number], rough, True), self.own)
            if useless[number]:
                whole = whole or Block.of(points, first, ORIGIN, columns=True)
                self.closest.look(self._tile(self._whole[number], whole, False), self.own)

    def _tile(self, rows: Block, columns: Block, rough: bool) -> Tile:
        return Tile.of(rows, columns, 1.0, self._memory, rough)
