"""Exactly N train images: how many of each class every split gets. Counts alone, known before any image is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.data.sampling import apportion_within, ceil_share
from shared.errors import BadInput


@dataclass(frozen=True)
class TrainSize:
    """What train is to have: `total` images in the proportions of the classes, or else `per_class` of each class."""

    total: int = 0
    per_class: int = 0

    @property
    def flag(self) -> str:
        """The option that asked for it."""
        return f"--limit-train {self.total}" if self.total else f"--per-class-train {self.per_class}"


def exact_counts(
    size: TrainSize, counts: Sequence[int], fractions: Mapping[str, float], names: Sequence[str] = ()
) -> dict[str, list[int]]:
    """Return how many images of each class train gets, and each split of `fractions`, of `counts` different images.

    `counts` are the images that may be in train, by class; `fractions` has the splits that are drawn from the same
    images, each with its share of all of them. Train is filled first. The others get their share in the proportions of
    the classes, or divide what is left where that is less; each has at least one image of every class that has any: a
    combination of attributes may have none. Raises BadInput with the number that there is; `names` are those of the
    classes, for the message.
    """
    most = [max(count - len(fractions), 0) for count in counts]
    _check(size, counts, most, list(fractions), names)
    one_each = [min(count, 1) for count in counts]
    least = sum(one_each)
    train = [size.per_class * one for one in one_each]
    if size.total:
        train = apportion_within(counts, size.total, one_each, most)
    plan, left = {"train": train}, _minus(counts, train)
    wanted = {split: max(ceil_share(share, sum(counts)), least) for split, share in fractions.items()}
    if sum(wanted.values()) > sum(left):
        shares = [*wanted.values()]
        wanted = dict(zip(wanted, apportion_within(shares, sum(left), [least] * len(shares), shares), strict=True))
    for number, (split, count) in enumerate(wanted.items(), 1):
        # an image of every class stays for each split that follows
        room = [max(rest - (len(wanted) - number), 0) for rest in left]
        plan[split] = apportion_within(counts, count, one_each, room)
        left = _minus(left, plan[split])
    return plan


def _minus(counts: Sequence[int], taken: Sequence[int]) -> list[int]:
    return [count - gone for count, gone in zip(counts, taken, strict=True)]


def _check(
    size: TrainSize, counts: Sequence[int], most: Sequence[int], others: Sequence[str], names: Sequence[str]
) -> None:
    """Raise BadInput, with the number that there is, unless train can have its size and the others an image each."""
    there_are = [label for label, count in enumerate(counts) if count] or range(len(counts))
    smallest = min(there_are, key=lambda label: counts[label])
    need = "needs" if len(others) == 1 else "need"
    needs = f", of which {' and '.join(others)} {need} one of each class" if others else ""
    if size.per_class > most[smallest] or most[smallest] < 1:
        called = f" ({names[smallest]})" if names else ""
        there = f"the smallest class{called} has {counts[smallest]:,} different images that may be in train{needs}"
        wanted = most[smallest]
    elif size.total > sum(most):
        there, wanted = f"there are {sum(counts):,} different images that may be in train{needs}", sum(most)
    elif size.total and size.total < len(there_are):
        raise BadInput(
            f"{size.flag}: there are {len(there_are)} classes; want at least {len(there_are)}, an image of each"
        )
    else:
        return
    advice = f"want at most {wanted:,}" if wanted else "add images of that class"
    raise BadInput(f"{size.flag}: {there}; {advice}")
