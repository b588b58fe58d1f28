"""Shares of a whole as exact counts, and which items they are. What only counts does without numpy."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def floor_share(share: float, total: int) -> int:
    """Return floor(share * total), exact for shares written with up to six decimals."""
    # in whole numbers: 0.7 * 10 is 7.000000000000001 or 6.999999999999999 in floats
    return round(share * 1_000_000) * total // 1_000_000


def largest_share(count: int, total: int) -> float:
    """Return the largest share, with six decimals, whose floor_share of `total`, at least 1, is at most `count`."""
    return ((count + 1) * 1_000_000 - 1) // total / 1_000_000


def ceil_share(share: float, total: int) -> int:
    """Return ceil(share * total), exact for the share as it is written: 0.1 of 30 is 3, though 0.1 * 30 > 3."""
    return ceil(Fraction(str(share)) * total)


def apportion(sizes: list[int], total: int) -> list[int]:
    """Cut `total` in the proportions of `sizes` by largest remainders; ties go to the first."""
    whole = sum(sizes)
    counts = [size * total // whole for size in sizes]
    # stable, so that ties go to the first
    by_remainder = sorted(range(len(sizes)), key=lambda index: -(sizes[index] * total % whole))
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def apportion_within(sizes: Sequence[int], total: int, low: Sequence[int], high: Sequence[int]) -> list[int]:
    """Cut `total` in the proportions of `sizes`, each part from its `low` to its `high`; these must leave room for it.

    What bounds keep from a part, or force on it, the others share by the room that they have.
    """
    parts = [
        min(max(part, least), most) for part, least, most in zip(apportion(list(sizes), total), low, high, strict=True)
    ]
    missing = total - sum(parts)
    if not missing:
        return parts
    bounds = high if missing > 0 else low
    room = [abs(bound - part) for part, bound in zip(parts, bounds, strict=True)]
    # never more than the room: `missing` is at most the sum of it
    moved = apportion(room, abs(missing))
    return [part + (move if missing > 0 else -move) for part, move in zip(parts, moved, strict=True)]


def spread(counts: list[int]) -> "NDArray[np.int64]":
    """Return each index as often as `counts` says, evenly mixed, so that every prefix has about the proportions."""
    import numpy as np

    labels = np.repeat(np.arange(len(counts)), counts)
    # the k-th of every class lies at (k + 1/2) / count of the way: sorting mixes the classes evenly
    places = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    return labels[np.argsort(places, kind="stable")].astype(np.int64)


def stratified(labels: "NDArray[np.int64]", count: int, seed: int) -> "NDArray[np.int64]":
    """Return `count` sorted indexes, drawn without replacement from `seed`, each class in its proportion."""
    import numpy as np

    names, sizes = np.unique(labels, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = [
        rng.choice(np.flatnonzero(labels == name), take, replace=False)
        for name, take in zip(names, apportion(sizes.tolist(), count), strict=True)
    ]
    return np.sort(np.concatenate(drawn))


UNEQUAL = 10
"""How many times as many images the largest class has as the smallest, from which on accuracy says little of it."""


def extremes(counts: Sequence[int]) -> tuple[int, int] | None:
    """Return the places of the largest class and of the smallest that has images, if these are `UNEQUAL`; else None."""
    present = sorted((place for place, count in enumerate(counts) if count), key=counts.__getitem__)
    if not present or counts[present[-1]] < UNEQUAL * counts[present[0]]:
        return None
    return present[-1], present[0]
