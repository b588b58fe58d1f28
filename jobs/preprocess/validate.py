"""What can be refused by what is known of the source alone, and what the options say of the images they will give."""

from jobs.preprocess.known import KNOWN, check_room
from jobs.preprocess.options import PreprocessOptions
from shared.data.sampling import apportion, ceil_share
from shared.data.specs import ImageSpec, Specs
from shared.errors import BadConfig
from shared.store.work_shards import Shard


def declare(options: PreprocessOptions) -> ImageSpec:
    """Return the description of the images that a run with these options writes."""
    known = KNOWN[options.source]
    classes = len(next(iter(known.counts.values()))) if known.counts else None
    return ImageSpec(
        size_px=options.size_px,
        channels=options.channels,
        source=options.source,
        mirrors=options.mirrors,
        classes=classes,
    )


def validate(options: PreprocessOptions, shard: Shard, specs: Specs) -> None:
    """Raise BadInput for options that the source does not have, or that leave too few images for the splits."""
    known = KNOWN[options.source]
    if options.label is not None and known.label is None:
        takers = ", ".join(name for name, row in KNOWN.items() if row.label)
        raise BadConfig(
            f"--label {options.label}: the source {options.source} has one label; leave it out (for: {takers})"
        )
    if options.split == "official" and not known.official:
        raise BadConfig(f"--split official: the source {options.source} has no official partition; take random or auto")
    if known.counts and not (known.official and options.per_class):  # whose draw runs across the parts
        check_splits(options, taken(known.counts, options.limit, options.per_class))


def taken(counts: dict[str, tuple[int, ...]], limit: int, per_class: int) -> dict[str, list[int]]:
    """Return how many images of each class and part `splits.choose` takes; which of equal remainders, it may differ."""
    parts = {name: [min(count, per_class or count) for count in of_part] for name, of_part in counts.items()}
    strata = [parts[name][label] for label in range(len(next(iter(parts.values())))) for name in parts]
    if limit and limit < sum(strata):
        strata = apportion(strata, limit)
    return {name: strata[place :: len(parts)] for place, name in enumerate(parts)}


def check_splits(options: PreprocessOptions, counts: dict[str, list[int]]) -> None:
    """Raise BadInput where `splits.split_indexes` could not draw from so many different images."""
    if KNOWN[options.source].official and options.split != "random":
        check_room(counts["train"], ceil_share(options.val_fraction, sum(counts["train"])))
        return
    every = [sum(each) for each in zip(*counts.values(), strict=True)]
    test, val = (ceil_share(fraction, sum(every)) for fraction in (options.test_fraction, options.val_fraction))
    check_room(every, test)
    check_room(apportion(every, sum(every) - test), val)
