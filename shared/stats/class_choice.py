"""Which classes are shown where there are more than fit on a figure or a page: the ones that matter."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_CLASSES = 20
"""Up to how many classes are all shown, and how many of more."""

Merit = Sequence[float | None]
"""A number for each class, of which the highest are chosen first; None, or NaN, where there is none to judge by."""


@dataclass(frozen=True)
class ClassChoice:
    """The classes that are shown, as places in the order of labels, and how they were chosen.

    `picked` has how many were chosen for each reason, in words; it is empty where all `count` classes are shown.
    """

    places: list[int]
    count: int
    picked: Mapping[str, int]

    @property
    def whole(self) -> bool:
        """Whether every class is shown."""
        return len(self.places) == self.count

    @property
    def words(self) -> str:
        """What a caption says: "20 of 1,000 classes: the 7 largest, the 7 worst, the 6 most changed"; "" of all."""
        if self.whole:
            return ""
        reasons = ", ".join(f"the {_number(count)}{reason}" for reason, count in self.picked.items())
        return f"{len(self.places)} of {self.count:,} classes: {reasons}"

    def caption(self, title: str) -> str:
        """Return the title of a figure, on a line below it how the classes were chosen."""
        return title if self.whole else f"{title}\n{self.words}"

    def names(self, classes: Sequence[str]) -> list[str]:
        """Return the names of the chosen classes, of all `classes` in the order of labels."""
        return [classes[place] for place in self.places]


def choose_classes(count: int, merits: Mapping[str, Merit]) -> ClassChoice:
    """Return which of `count` classes are shown: all up to MOST_CLASSES, of more the highest of each of `merits`.

    The MOST_CLASSES places are divided among the merits, the first ones getting what does not divide: of three 7, 7
    and 6, such as "largest", "worst" and "most changed". The merits choose in their order, each from the classes that
    none before it took, the highest first and of equal ones the smaller label; a class that a merit has no number for
    is not chosen by it. What a merit leaves, for want of numbers, goes to the first one that has more, and what all
    leave to the first classes. Places are in the order of labels, so that a class has the same neighbours in every
    figure.

    The keys of `merits` are words that follow "the 7". ValueError where one has not `count` numbers.
    """
    lengths = {reason: len(merit) for reason, merit in merits.items()}
    if any(length != count for length in lengths.values()):
        raise ValueError(f"{lengths} numbers to choose by, want one for each of {count} classes")
    if count <= MOST_CLASSES:
        return ClassChoice(list(range(count)), count, {})
    quotas = [MOST_CLASSES // len(merits) + (place < MOST_CLASSES % len(merits)) for place in range(len(merits))]
    orders = {reason: _order(merit) for reason, merit in merits.items()} | {"first": list(range(count))}
    chosen: list[int] = []
    picked = dict.fromkeys(orders, 0)
    for reason, quota in [*zip(merits, quotas, strict=True), *((reason, MOST_CLASSES) for reason in orders)]:
        free = [place for place in orders[reason] if place not in chosen]
        mine = free[: min(quota, MOST_CLASSES - len(chosen))]
        picked[reason] += len(mine)
        chosen += mine
    return ClassChoice(sorted(chosen), count, {reason: number for reason, number in picked.items() if number})


def by_size(counts: Sequence[int]) -> ClassChoice:
    """Return the classes that are shown where only the number of images of each is known: largest and smallest."""
    return choose_classes(len(counts), {"largest": counts, "smallest": [-count for count in counts]})


def listed(names: Sequence[str]) -> str:
    """Return names for a message: all up to MOST_CLASSES, of more half as many, and how many others there are."""
    if len(names) <= MOST_CLASSES:
        return ", ".join(names)
    shown = MOST_CLASSES // 2
    return f"{', '.join(names[:shown])} and {len(names) - shown:,} others"


def _order(merit: Merit) -> list[int]:
    """Return the places that have a number, the highest first, of equal ones the first."""
    known = [(value, place) for place, value in enumerate(merit) if value is not None and not math.isnan(value)]
    return [place for _, place in sorted(known, key=lambda pair: (-pair[0], pair[1]))]


def _number(count: int) -> str:
    """Return what precedes a reason: nothing of one, "the largest"."""
    return "" if count == 1 else f"{count} "
