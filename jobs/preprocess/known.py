"""What is known of a source before anything of it is read, and what of the options can be refused by that alone."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.data.sampling import apportion, ceil_share
from shared.errors import BadConfig, BadInput

if TYPE_CHECKING:
    from jobs.preprocess.options import PreprocessOptions


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whether a source has an official partition, and whether its images are of the same class in a mirror.

    `label` is the name of its class label where it has several, of which `--label` takes one.
    `counts` are the images of each class, by part of the partition, in the order train, val, test; all of them are
    "train" where there is no partition. It is empty where only the files tell.
    """

    official: bool = False
    label: str | None = None
    mirrors: bool = True
    counts: dict[str, tuple[int, ...]] = field(default_factory=dict)


KNOWN: dict[str, Known] = {
    "digits": Known(mirrors=False, counts={"train": (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)}),
    "mnist": Known(official=True, mirrors=False),
    "cifar10": Known(official=True, counts={"train": (5000,) * 10, "test": (1000,) * 10}),
    "celeba": Known(official=True, label="Young"),
    "folder": Known(),
    "webdataset": Known(label="label"),
}
"""By the name of the source."""


def check_known(config: "PreprocessOptions") -> None:
    """Raise BadInput for options that the source does not have, or that leave too few images for the splits."""
    known = KNOWN[config.source]
    if config.label is not None and known.label is None:
        takers = ", ".join(name for name, row in KNOWN.items() if row.label)
        raise BadConfig(
            f"--label {config.label}: the source {config.source} has one label; leave it out (for: {takers})"
        )
    if config.split == "official" and not known.official:
        raise BadConfig(f"--split official: the source {config.source} has no official partition; take random or auto")
    if known.counts and not (known.official and config.per_class):  # whose draw runs across the parts
        check_splits(config, taken(known.counts, config.limit, config.per_class))


def taken(counts: dict[str, tuple[int, ...]], limit: int, per_class: int) -> dict[str, list[int]]:
    """Return how many images of each class and part `splits.choose` takes; which of equal remainders, it may differ."""
    parts = {name: [min(count, per_class or count) for count in of_part] for name, of_part in counts.items()}
    strata = [parts[name][label] for label in range(len(next(iter(parts.values())))) for name in parts]
    if limit and limit < sum(strata):
        strata = apportion(strata, limit)
    return {name: strata[place :: len(parts)] for place, name in enumerate(parts)}


def check_splits(config: "PreprocessOptions", counts: dict[str, list[int]]) -> None:
    """Raise BadInput where `splits.split_indexes` could not draw from so many different images."""
    if KNOWN[config.source].official and config.split != "random":
        check_room(counts["train"], ceil_share(config.val_fraction, sum(counts["train"])))
        return
    every = [sum(each) for each in zip(*counts.values(), strict=True)]
    test, val = (ceil_share(fraction, sum(every)) for fraction in (config.test_fraction, config.val_fraction))
    check_room(every, test)
    check_room(apportion(every, sum(every) - test), val)


def check_room(counts: list[int], drawn: int) -> None:
    """Raise BadInput unless `drawn` images can be drawn stratified, given the images of each class.

    scikit-learn's conditions: two images of each class that has any, and on both sides no fewer than there are classes.
    """
    there = [count for count in counts if count]
    total = sum(there)
    if there and min(there) >= 2 and len(there) <= drawn <= total - len(there):
        return
    raise BadInput(
        f"cannot draw {drawn} of {total} images, stratified by class: there are {len(there)} classes, "
        f"the smallest of {min(there, default=0)}\n"
        "want at least 3 images of each class, and in each split no fewer than there are classes; "
        "raise --limit, --per-class or the split's fraction"
    )
