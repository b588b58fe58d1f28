"""How many images each point has, as far as that is known before any image is read."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.train_size import exact_counts
from jobs.preprocess.validate import drawn_fractions, taken
from jobs.study.points import Point
from shared.data.sampling import apportion, ceil_share
from shared.errors import BadInput
from shared.sources.detect import find
from shared.sources.items import NO_CLASS, some
from shared.sources.table import SOURCES

LEAST = 2
"""Train images of a class at a point: with fewer there is nothing that a generator could learn of it."""


def check_counts(config: PreprocessOptions, points: Sequence[Point], sources: Path) -> None:
    """Raise BadInput where a point has too few train images of a class; nothing is said of a set not yet downloaded."""
    counts = train_counts(config, sources)
    if not counts:
        return
    for point in points:
        few = {name: count for name, count in counts.items() if left(config, point, count) < LEAST}
        if few:
            smallest = min(few.values())
            named = some([f"{name}: {left(config, point, count)} of {count}" for name, count in few.items()])
            others = (Point(point.kind, percent) for percent in range(1, 101))
            works = next((f"{other.percent:g}" for other in others if left(config, other, smallest) >= LEAST), None)
            advice = f"ask for {works} or more" if works else f"add images: {LEAST} train images of each class at least"
            raise BadInput(
                f"{point.row.flag} {point.percent:g}: too few train images of {len(few)} of {len(counts)} classes "
                f"({named})\nwant at least {LEAST} of each class at every point; {advice}"
            )


def left(config: PreprocessOptions, point: Point, count: int) -> int:
    """Return how many of `count` train images a point has with labels, after all draws of `preprocess` in order."""
    shares = {"train_val_fraction": config.train_val_fraction, "labelled_fraction": config.labelled_fraction}
    shares[point.row.option] = point.share
    for share in (round(1 - config.audit_fraction, 6), *shares.values()):
        count = ceil_share(share, count)
    return count


def train_counts(config: PreprocessOptions, sources: Path) -> dict[str, int]:
    """Return about how many train images there are of each class, by name; empty where that cannot be known yet.

    Equal images count once for the size of a split, which only reading them tells: there may be a few less.
    """
    known = SOURCES[config.source]
    if known.counts:
        parts = taken(known.counts, config.limit, config.per_class)
        official = known.official and config.split != "random"
        counts = parts["train"] if official else [sum(of_class) for of_class in zip(*parts.values(), strict=True)]
        names = [str(label) for label in range(len(counts))]
        return dict(zip(names, _train(config, counts, tuple(parts) if official else None), strict=True))
    place = find(config.source_path, config.source, sources, may_be_new=bool(known.official))
    if known.official and not place.exists():
        return {}
    source = known.read.get()(place, config.reading)
    partition = source.partition if config.split != "random" else None
    found = Counter(
        item.label
        for number, item in enumerate(source.items)
        if item.label != NO_CLASS and (partition is None or partition[number] == "train")
    )
    counts = [found[label] for label in range(len(source.classes))]
    counts = taken({"train": tuple(counts)}, config.limit, config.per_class)["train"]
    return dict(zip(source.classes, _train(config, counts, partition), strict=True))


def _train(config: PreprocessOptions, counts: list[int], official: Sequence[str] | None) -> list[int]:
    """Return how many of the images that may be in train, by class, are; `official` is the partition, if there is."""
    drawn = drawn_fractions(config, None if official is None else set(official))
    if config.held_out is not None:
        drawn.pop("test", None)
    if config.train_size:
        return exact_counts(config.train_size, counts, drawn)["train"]
    total = sum(counts)
    return apportion(counts, max(total - sum(ceil_share(share, total) for share in drawn.values()), 0))
