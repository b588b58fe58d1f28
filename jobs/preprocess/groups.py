"""Splits of whole groups: related images, such as those of one patient, are all in one split."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput

Indexes = NDArray[np.int64]
Group = tuple[Indexes, Indexes]
"""The classes in a group, and how many images of each."""


class Grouping(NamedTuple):
    """The group of each image, and the names of the classes, for messages."""

    of: Sequence[str]
    classes: Sequence[str]


def joined(first: Sequence[object], second: Sequence[object]) -> Indexes:
    """Return a number for each image: equal for those that share a value of either kind, directly or over others."""
    parents = list(range(len(first)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for values in (first, second):
        leaders: dict[object, int] = {}
        for index, value in enumerate(values):
            one, other = sorted((root(leaders.setdefault(value, index)), root(index)))
            parents[other] = one
    return np.array([root(index) for index in range(len(first))], dtype=np.int64)


class Splits:
    """Splits that are being filled: how many images of each class they have and should have.

    `shares` are their fractions of `labels`, the classes of all images.
    """

    def __init__(self, shares: Sequence[float], labels: Indexes) -> None:
        counts = np.bincount(labels)
        self.wanted = np.maximum(np.outer(shares, counts), 1e-9)
        self.held = np.zeros_like(self.wanted)

    def cost(self, split: int, group: Group) -> float:
        """Return by how much the chi-squared distance to what is wanted grows where a group goes to a split."""
        classes, added = group
        wanted = self.wanted[split, classes]
        return float((added * (added + 2 * (self.held[split, classes] - wanted)) / wanted).sum())

    def give(self, split: int, group: Group) -> None:
        """Put a group into a split."""
        classes, added = group
        self.held[split, classes] += added


def split_groups(
    labels: Indexes, groups: Indexes, fractions: Mapping[str, float], seed: int, names: Sequence[str]
) -> list[str]:
    """Return the split of each image: one for each group, "train" or a key of `fractions`, near these and stratified.

    Greedy: each class in turn, the one in the fewest groups first, gets a group into each split. Then the groups, the
    largest first, go where they bring the numbers of each class nearest to the wanted ones by the chi-squared distance;
    equal ones are in an order drawn from `seed`. Raises BadInput for a class in fewer groups than there are splits, or
    where others have used them up; `names` are those of the classes.
    """
    order = [*fractions, "train"]
    splits = Splits([*fractions.values(), 1 - sum(fractions.values())], labels)
    members, place = np.unique(groups, return_inverse=True)
    held, of_class = _contents(labels, place, np.random.default_rng(seed).permutation(len(members)))
    given: dict[int, int] = {}

    def give(group: int, choices: Sequence[int]) -> None:
        given[group] = min(choices, key=lambda split: splits.cost(split, held[group]))
        splits.give(given[group], held[group])

    for label in sorted(of_class, key=lambda label: len(of_class[label])):
        for split in range(len(order)):
            free = [group for group in of_class[label] if group not in given]
            if splits.held[split, label]:
                continue
            if not free:
                _refuse(len(of_class[label]), names[label], order)
            give(min(free, key=lambda group: splits.cost(split, held[group])), [split])
    # stable: groups of one size stay in the drawn order
    for group in sorted(held, key=lambda group: -held[group][1].sum()):
        if group not in given:
            give(group, range(len(order)))
    return [order[given[group]] for group in place.tolist()]


def _contents(labels: Indexes, place: Indexes, order: Indexes) -> tuple[dict[int, Group], dict[int, list[int]]]:
    """Return the images of each class in each group, and the groups of each class, groups in this order."""
    pairs, counts = np.unique(np.stack([place, labels]), axis=1, return_counts=True)
    starts = np.searchsorted(pairs[0], np.arange(len(order) + 1))
    held = {group: (pairs[1, a:b], counts[a:b]) for group, (a, b) in enumerate(pairwise(starts.tolist()))}
    in_order = {group: held[group] for group in order.tolist()}
    of_class: dict[int, list[int]] = {}
    for group, (classes, _) in in_order.items():
        for label in classes.tolist():
            of_class.setdefault(label, []).append(group)
    return in_order, of_class


def _refuse(count: int, name: str, splits: Sequence[str]) -> None:
    raise BadInput(
        f"groups: the class {name} is in {count:,} groups, too few for one in each of {', '.join(splits)}\n"
        "want at least three groups of each class; add images, or split them without --group-column and --group-by"
    )
