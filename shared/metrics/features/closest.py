"""The nearest few of each point of a set, found tile by tile."""

import numpy as np

from shared.metrics.features.pairs import Array, Frame, Places, Tile, tiles
from shared.metrics.features.rows import Rows

MANY = 128
"""Where more than one in `MANY` pairs of a tile may be near, closer limits are found first."""


class Closest:
    """The smallest squared distances of each of `count` points so far (count, nearest), ascending, and whose they are.

    Those that there are too few points for are infinite. A point that has them within `enough` (count,) needs no nearer
    ones.
    """

    def __init__(self, count: int, nearest: int, enough: Array | float = 0.0) -> None:
        self.squares = np.full((count, nearest), np.inf)
        self.places = np.zeros((count, nearest), np.int64)
        self._nearest = nearest
        self._bounds = np.full(count, np.inf)
        # nothing is nearer than 0, and where many points are equal every pair would be looked at
        self._enough = np.broadcast_to(enough, count)

    def look(self, tile: Tile, own: Places | None, axis: int = 0, once: bool = False) -> bool:
        """Take in the pairs of a tile for the points of its rows, or with an `axis` of 1 for those of its columns.

        `own` are the places of all rows among the columns, where these are the same points: none is near itself. With
        `once` only pairs count whose column is after its row. Where a rough tile leaves too many pairs open nothing is
        taken in, and False returned.
        """
        itself = _itself(tile, own)
        rows, columns = self._candidates(tile, itself, axis)
        if tile.rough and len(rows) > tile.nearness.size // MANY:
            return False
        if once:
            kept = tile.columns.first + columns > tile.rows.first + rows
        else:
            width = len(tile.columns)
            kept = ~np.isin(rows * width + columns, itself[0] * width + itself[1])
        rows, columns = rows[kept], columns[kept]
        if len(rows):
            at, others = rows + tile.rows.first, columns + tile.columns.first
            squares = tile.squares(rows, columns)
            self._add(*((at, others) if axis == 0 else (others, at)), squares)
        return True

    def _candidates(self, tile: Tile, itself: tuple[Places, Places], axis: int) -> tuple[Places, Places]:
        """Return the pairs of a tile that may be among the nearest."""
        ours = (tile.rows, tile.columns)[axis].places
        found = tile.candidates(np.expand_dims(self._limits(ours), 1 - axis))
        if len(found[0]) > tile.nearness.size // MANY and self._nearest < tile.nearness.shape[1 - axis]:
            some = tile.some_of_nearest(self._nearest, itself, axis)
            self._bounds[ours] = np.minimum(self._bounds[ours], some)
            found = tile.candidates(np.expand_dims(self._limits(ours), 1 - axis))
            if len(found[0]) > tile.nearness.size // MANY and (self._nearest, axis, len(itself[0])) == (1, 0, 0):
                # a collapsed generator makes one image again and again: the first of equals is as near as all of them
                found = tile.candidates(self._limits(ours)[:, None], among=tile.columns.first_of_equals())
        return found

    def _limits(self, part: slice) -> Array:
        """Return the squared distances up to which others are of interest to points."""
        farthest = self.squares[part, -1]
        return np.where(farthest > self._enough[part], np.minimum(farthest, self._bounds[part]), -1.0)

    def _add(self, at: Places, others: Places, squares: Array) -> None:
        """Take in the squared distances of the points `at` to others; of equal ones those of the first places stay."""
        order = np.lexsort((others, squares, at))
        at, others, squares = at[order], others[order], squares[order]
        starts = np.flatnonzero(np.append(True, at[1:] != at[:-1]))
        row = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(at)))
        rank = np.arange(len(at)) - starts[row]
        few = rank < self._nearest
        more, theirs = np.full((len(starts), self._nearest), np.inf), np.zeros((len(starts), self._nearest), np.int64)
        more[row[few], rank[few]], theirs[row[few], rank[few]] = squares[few], others[few]
        touched = at[starts]
        both = np.concatenate([self.squares[touched], more], axis=1)
        either = np.concatenate([self.places[touched], theirs], axis=1)
        best = np.lexsort((either, both), axis=1)[:, : self._nearest]
        self.squares[touched] = np.take_along_axis(both, best, axis=1)
        self.places[touched] = np.take_along_axis(either, best, axis=1)


def _itself(tile: Tile, own: Places | None) -> tuple[Places, Places]:
    """Return the rows and columns of a tile that are of the same point."""
    if own is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    columns = own[tile.rows.places] - tile.columns.first
    rows = np.flatnonzero((columns >= 0) & (columns < len(tile.columns)))
    return rows, columns[rows]


def closest(points: Rows, others: Rows, nearest: int, scale: float, own: Places | None = None) -> Closest:
    """Return the `nearest` of others (M, d) to each of points (N, d); squared distances are in that scale.

    `own` (N,) are the places of the points among the others, where they are some of them: they are not looked at.
    """
    found = Closest(len(points), nearest)
    for tile in tiles(points, others, Frame.amid(others, scale)):
        found.look(tile, own)
    return found


def closest_of_own(points: Rows, nearest: int, scale: float) -> Closest:
    """Return the `nearest` others to each of points (N, d); of each pair of points one distance is looked at."""
    found, own = Closest(len(points), nearest), np.arange(len(points))
    for tile in tiles(points, points, Frame.amid(points, scale), triangle=True):
        for axis in (0, 1):
            found.look(tile, own, axis, once=True)
    return found
