"""Checks of the options against the source before it is read, and the description of the images they will give."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.train_size import exact_counts
from shared.attributes import several
from shared.data.sampling import apportion, ceil_share
from shared.data.specs import ImageSpec, Specs
from shared.errors import BadConfig, BadInput
from shared.sources.table import SOURCES
from shared.store.work_shards import Shard


def declare(options: PreprocessOptions) -> ImageSpec:
    """Return the description of the images that a run with these options writes."""
    known = SOURCES[options.source]
    attributes = several(options.label_name) if known.attributes else ()
    classes = len(next(iter(known.counts.values()))) if known.counts else 2 ** len(attributes) if attributes else None
    return ImageSpec(
        size_px=options.size_px,
        channels=options.channels,
        source=options.source,
        mirrors=options.mirrors,
        classes=classes,
        attributes=attributes,
        unlabelled=options.labelled_fraction < 1,
        labelled_fraction=options.labelled_fraction,
    )


def validate(options: PreprocessOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadInput for options that the source does not have, or that leave too few images for the splits."""
    known = SOURCES[options.source]
    if options.label is not None and known.label is None and not known.columns:
        takers = ", ".join(name for name, source in SOURCES.items() if source.label or source.columns)
        raise BadConfig(
            f"--label {options.label}: the source {options.source} has one label; leave it out (for: {takers})"
        )
    if known.attributes:
        several(options.label_name)  # raises for more than can be
    for name in ("file_column", "split_column", "group_column", "group_by"):
        if getattr(options, name) and not known.columns:
            raise BadConfig(
                f"--{name.replace('_', '-')} {getattr(options, name)}: the source {options.source} is a published set; "
                f"leave it out (for: {', '.join(name for name, source in SOURCES.items() if source.columns)})"
            )
    if options.split == "official" and known.official is False:
        raise BadConfig(f"--split official: the source {options.source} has no official partition; take random or auto")
    if options.resplit == "all" and known.official and options.split != "random":
        raise BadConfig(
            f"--resplit all: the source {options.source} has an official test split, which is one for all replicates\n"
            "say --split random to split all of its images, or --resplit train to keep that test split"
        )
    if options.resplit == "train" and options.train_val_fraction == options.labelled_fraction == 1:
        raise BadConfig(
            "--resplit train: draws a subset of train and val for each replicate, and there is none: all are used\n"
            "say --train-val-fraction or --labelled-fraction below 1, or leave --resplit out"
        )
    if known.counts and options.train_size:
        parts = known.counts
        if known.official and options.split != "random":
            exact_counts(options.train_size, parts["train"], drawn_fractions(options, parts))
        else:
            counts = [sum(of_class) for of_class in zip(*parts.values(), strict=True)]
            exact_counts(options.train_size, counts, drawn_fractions(options, None))
    elif known.counts and not (known.official and options.per_class):  # whose draw runs across the parts
        check_splits(options, taken(known.counts, options.limit, options.per_class))


def drawn_fractions(options: PreprocessOptions, official: Collection[str] | None) -> dict[str, float]:
    """Return the splits that are drawn from the images that may be in train, with their fraction of these.

    `official` are the splits of an official partition, None where the split is random.
    """
    drawn = {"test": options.test_fraction, "val": options.val_fraction}
    return drawn if official is None else {"val": drawn["val"]} if "val" not in official else {}


def taken(counts: dict[str, tuple[int, ...]], limit: int, per_class: int) -> dict[str, list[int]]:
    """Return how many images of each class and part `splits.choose` takes; which of equal remainders, it may differ."""
    parts = {name: [min(count, per_class or count) for count in of_part] for name, of_part in counts.items()}
    strata = [parts[name][label] for label in range(len(next(iter(parts.values())))) for name in parts]
    if limit and limit < sum(strata):
        # the same rounding as the real draw, so that this check and the job agree
        strata = apportion(strata, limit)
    return {name: strata[place :: len(parts)] for place, name in enumerate(parts)}


def check_splits(options: PreprocessOptions, counts: dict[str, list[int]]) -> None:
    """Raise BadInput where `splits.split_indexes` could not draw from these counts of different images."""
    with naming_limits(options):
        if SOURCES[options.source].official and options.split != "random":
            total = sum(counts["train"])
            check_room(counts["train"], ceil_share(options.val_fraction, total), "val", total)
            return
        totals = [sum(parts) for parts in zip(*counts.values(), strict=True)]
        total = sum(totals)
        test, val = (ceil_share(fraction, total) for fraction in (options.test_fraction, options.val_fraction))
        check_room(totals, test, "test", total)
        check_room(apportion(totals, total - test), val, "val", total)


@contextmanager
def naming_limits(options: PreprocessOptions) -> Iterator[None]:
    """Add to a BadInput of too few images the limits that somebody gave."""
    try:
        yield
    except BadInput as error:
        given = [
            f"--{name.replace('_', '-')} {getattr(options, name)}"
            for name in ("limit", "per_class")
            if getattr(options, name)
        ]
        if not given:
            raise
        raise BadInput(f"{error}; or raise {' and '.join(given)}") from error


def check_room(counts: list[int], drawn: int, split: str, of: int) -> None:
    """Raise BadInput unless `drawn` images can be drawn stratified for a split, given the images of each class.

    scikit-learn's conditions: two images of each class that has any, and on both sides no fewer than there are classes.
    `of` is the number of images of which the split's fraction is.
    """
    there = [count for count in counts if count]
    total = sum(there)
    # scikit-learn would raise the same, only after every image has been read
    if there and min(there) >= 2 and len(there) <= drawn <= total - len(there):
        return
    raise BadInput(
        f"cannot draw {drawn} of {total} images for {split}, stratified by class: there are {len(there)} classes, "
        f"the smallest of {min(there, default=0)}\n{_what_works(there, drawn, split, of)}"
    )


def _what_works(there: list[int], drawn: int, split: str, of: int) -> str:
    """Return what to do where `drawn` images cannot be drawn: another fraction of `of`, where one works."""
    classes, total = len(there), sum(there)
    # val and train are drawn from what test leaves
    most = total - classes * (2 if split == "test" else 1)
    works = [share for share in range(1, 100) if classes <= ceil_share(share / 100, of) <= most]
    if not works or min(there, default=0) < 2:
        return "want at least 3 images of each class"
    if drawn < classes:
        return (
            f"want in {split} no fewer images than there are classes: --{split}-fraction {works[0] / 100:g} gives "
            f"{ceil_share(works[0] / 100, of)}"
        )
    return f"want no fewer images left than there are classes: --{split}-fraction {works[-1] / 100:g} at most"
