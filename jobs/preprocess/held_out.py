"""Held-out images: a test split that lies elsewhere, of which no generator of imported images saw anything."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

from jobs.preprocess.options import PreprocessOptions
from shared.cli.run import Run
from shared.errors import BadInput
from shared.sources.detect import find, kind_of
from shared.sources.entries import Compact
from shared.sources.items import NO_CLASS, Item, Source, some
from shared.sources.table import SOURCES

SPLIT = "held-out"
"""What the origin of a held-out image has as its split: both sets may have a file of the same name."""


def with_held_out(run: Run, config: PreprocessOptions, source: Source) -> Source:
    """Return the source with the held-out images as its test split; itself where nothing was held out."""
    if config.held_out is None:
        return source
    place = find(config.held_out, "", run.sources)
    kind = kind_of(place)
    label = config.label if config.source == kind else SOURCES[kind].label
    reading = replace(config.reading, label=label or SOURCES[kind].label, least_classes=1)
    return joined(source, SOURCES[kind].read.get()(place, reading), place, by_itself=config.split == "random")


def joined(real: Source, held: Source, place: Path, by_itself: bool = False) -> Source:
    """Return one source of real images, all in train or val, and of the images held out at `place`, which are test.

    Held-out labels are matched by the name of their class. `by_itself` says that the official splits of the real
    images do not count. Raises BadInput where these have a test split, and for classes that the real images lack.
    """
    partition = None if by_itself else real.partition
    if "test" in (partition or ()):
        raise BadInput(
            f"--held-out {place}: the source has a test split of its own, and there can be one\n"
            "give its train images alone, leave --held-out out, or say --split random to train on all of the source"
        )
    unknown = [name for name in held.classes if name not in real.classes]
    if unknown:
        raise BadInput(
            f"--held-out {place}: classes that the real images lack: {some(unknown)}; these have {some(real.classes)}\n"
            "want the same names for the same classes in both"
        )
    lacking = [name for name in real.classes if name not in held.classes]
    said = f"classes without a held-out image: {len(lacking):,} ({some(lacking)}); nothing is known of them"
    return Source(
        real.classes,
        Compact(chain(real.items, (_renamed(item, held, real) for item in held.items))),
        [*(partition or ["train"] * len(real.items)), *["test"] * len(held.items)],
        warnings=[*real.warnings, *(f"held out: {line}" for line in held.warnings), *([said] if lacking else [])],
        ignored=real.ignored + held.ignored,
        groups=_groups(real, held),
        # what is said of splits of the held-out images is of no account: all of them are test
        notes=real.notes,
        in_order=real.in_order or held.in_order,
        attributes=real.attributes,
    )


def _renamed(item: Item, held: Source, real: Source) -> Item:
    """Return a held-out item with the label that its class has among the real ones."""
    label = item.label if item.label == NO_CLASS else real.classes.index(held.classes[item.label])
    return replace(item, label=label, origin=item.origin | {"split": SPLIT})


def _groups(real: Source, held: Source) -> list[str] | None:
    """Return the groups of both, each image one of its own where the held-out ones have none."""
    if real.groups is None:
        return None
    return [*real.groups, *(held.groups or [f"{SPLIT} {number}" for number in range(len(held.items))])]
