"""The official partition of a source, as far as it is kept."""

from collections import Counter
from collections.abc import Mapping, Sequence

from jobs.preprocess.options import PreprocessOptions
from shared.attributes import presence_counts
from shared.cli.run import Run
from shared.data.sampling import extremes
from shared.errors import BadInput
from shared.format.manifest import Dataset
from shared.sources.items import Source, plain, some
from shared.store.records.datasets import RANDOM_SPLIT, Groups

Moves = Mapping[tuple[str, str], int]
"""How many images left one official split for another one, that of an equal image."""


def partition_of(run: Run, config: PreprocessOptions, source: Source) -> Sequence[str] | None:
    """Return the official split of each item, or None where the split is to be random.

    A partition has train and test; where it has only val next to train, that is the test split, and val is left to be
    drawn. Raises BadInput for one without train, and where an official one is wanted and there is none.
    """
    there = set(source.partition or ())
    if config.held_out is not None:
        return source.partition  # made with the held-out images: they alone are test
    if config.split == "random":
        if there:
            # for instance faces of one person, or frames of one video
            related = "" if source.groups else "; related images may be in two splits"
            run.reporter.info(f"warning: a random split of a set with an official one{related}")
        return None
    where = config.source_path or config.source
    if source.partition is None:
        if config.split == "official":
            raise BadInput(f"{where}: has no splits, but --split official wants them; say --split auto")
        return None
    if "train" not in there:
        raise BadInput(
            f"{where}: has the splits {', '.join(sorted(there))} and no train; add it, or say --split random"
        )
    if config.resplit == "all":
        raise BadInput(
            f"--resplit all: {where} has the splits {', '.join(sorted(there))}, which are one for all replicates\n"
            "say --split random to split all of its images, or --resplit train to keep its test split"
        )
    if "test" not in there:
        # the verdict needs images that choose nothing; those that the set keeps apart are the ones to trust
        run.reporter.info("no test split: the official val is the test split, and val is drawn from train")
        return ["test" if split == "val" else split for split in source.partition]
    return source.partition


def say_moved(run: Run, moved: Moves) -> None:
    """Warn of images that are not where the official splits have them, as an equal one is in another."""
    for split in ("test", "val"):
        if left := ", ".join(f"{count:,} of {old}" for (old, new), count in moved.items() if new == split):
            run.reporter.info(f"warning: images that equal a {split} image go to {split}: {left}")


def check_filled(config: PreprocessOptions, counts: Mapping[str, int], moved: Moves) -> None:
    """Raise BadInput for an official split without an image, given the `counts` of all of them."""
    empty = next((name for name, count in counts.items() if not count), None)
    if empty is None:
        return
    left = [f"{count:,} equal a {new} image and go to {new}" for (old, new), count in moved.items() if old == empty]
    why = f": {', '.join(left)}" if left else ""
    advice = "remove the copies" if left else "raise --limit" if config.limit else "add some"
    raise BadInput(
        f"{config.source_path or config.source}: no image of the split {empty} is left{why}\n"
        f"want images in each of {', '.join(counts)}; {advice}, or say --split random"
    )


def say_lacking(run: Run, config: PreprocessOptions, dataset: Dataset) -> None:
    """Warn of classes without an image in val or test, which a partition of the user's own may have."""
    train = dataset.splits["train"].class_counts
    for name in ("val", "test"):
        counts = dataset.splits[name].class_counts
        # a combination of attributes may have no image at all
        lacking = [
            label for label, learned, count in zip(dataset.classes, train, counts, strict=True) if learned and not count
        ]
        # of held-out images that is said where they are read
        if lacking and not (name == "test" and config.held_out):
            run.reporter.info(
                f"warning: classes without an image in {name}: {len(lacking):,} ({some(lacking)}); "
                "nothing is known of them there; add some, or say --split random"
            )


def say_unequal(run: Run, dataset: Dataset) -> None:
    """Warn of classes of very different size in train."""
    for names, counts in _answers(dataset):
        found = extremes(counts)
        if found is None:
            continue
        largest, smallest = (f"{counts[place]:,} of {plain(names[place])}" for place in found)
        run.reporter.info(
            f"warning: classes of very different size: {largest}, {smallest}; a classifier that never answers the "
            "small ones looks good by accuracy\nlook at balanced accuracy and at each class; --class-weights balanced, "
            "or --sampling balanced, gives small classes their weight"
        )


def _answers(dataset: Dataset) -> list[tuple[list[str], Sequence[int]]]:
    """Return what a classifier chooses among, and the train images of each: classes, or both sides of an attribute."""
    counts = dataset.splits["train"].class_counts
    if not dataset.attributes:
        return [(dataset.classes, counts)]
    sides = presence_counts(counts, len(dataset.attributes))
    return [([f"not {name}", name], found) for name, found in zip(dataset.attributes, sides, strict=True)]


def split_kind(config: PreprocessOptions, source: Source, partition: Sequence[str] | None) -> str:
    """Return how the splits were made, for the record."""
    if config.held_out is not None:
        val = "official val" if "val" in (partition or ()) else "val drawn from the rest"
        return f"held-out test, {val}"
    if partition is not None:
        return "official"
    return RANDOM_SPLIT if source.groups is None else f"{RANDOM_SPLIT}, in whole groups"


def say_groups(
    run: Run, config: PreprocessOptions, source: Source, places: Mapping[str, Sequence[int]]
) -> Groups | None:
    """Say how many groups there are, warn of those in several splits; `places` are the indexes of each split's images.

    Only an official partition, held-out images, or copies across one, tear groups apart.
    """
    if source.groups is None:
        return None
    splits: dict[str, set[str]] = {}
    images: Counter[str] = Counter()
    for split, indexes in places.items():
        for index in indexes:
            splits.setdefault(source.groups[index], set()).add(split)
            images[source.groups[index]] += 1
    torn = sorted(group for group, there in splits.items() if len(there) > 1)
    run.reporter.info(f"groups: {len(splits):,}, the largest of {max(images.values(), default=0):,} images")
    held = [group for group in torn if config.held_out and "test" in splits[group]]
    if held:
        run.reporter.info(
            f"warning: groups with held-out images and others: {len(held):,} ({some(held)}); "
            "scores may be too good; remove these groups from the held-out images, or from the source"
        )
    # without the held-out images, which no random split moves
    official = [group for group in torn if len(splits[group] - ({"test"} if config.held_out else set())) > 1]
    if official:
        run.reporter.info(
            f"warning: groups with images in more than one official split: {len(official):,} ({some(official)}); "
            "scores may be too good; say --split random to keep groups whole"
        )
    return Groups(count=len(splits), torn=len(torn))
