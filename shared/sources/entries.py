"""What the files of a source say of each image, and the one place where that is understood."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shared.errors import BadInput
from shared.sources.items import NO_CLASS, Item, Picture, Source, named, open_bytes, plain, some, unusable
from shared.sources.labels import Classes, class_names, classes_of, split_of, without_fractions
from shared.sources.reading import Reading

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Entry:
    """An image as a source's files describe it, nothing of it interpreted yet.

    `label`, `split` and `group` are texts of one line as they are written, empty where the files say nothing. `origin`
    finds the image again; `read` and `decode` are those of its `Item`. `why` is the reason where it cannot be used.
    """

    label: str
    origin: dict[str, object]
    read: Callable[[], bytes]
    decode: Callable[[bytes], Picture] = open_bytes
    split: str = ""
    group: str = ""
    why: str = ""

    @property
    def path(self) -> str:
        """The image's path as the source names it: the file, and the key in it."""
        return "/".join(str(self.origin[name]) for name in ("file", "key") if name in self.origin)


def understood(
    place: Path,
    entries: Sequence[Entry],
    reading: Reading,
    *,
    classes: Sequence[str] | None = None,
    warnings: Sequence[str] = (),
    ignored: int = 0,
    splits_by: str = "the folders say",
) -> Source:
    """Return the source that these entries make, in their order. The rules are the same for every source.

    `classes` are the names of the classes in order, where the files declare them, or those of halfreal's own export;
    see `labels.classes_of` for the rest. Images without a label are left out, counted and named. Words for splits are
    those of `labels.SPLIT_WORDS`; a partition needs two different ones, and a word for each image. `splits_by` tells
    people where they come from. Groups are the column's or those that `reading.group_by` finds in an image's path.

    Raises BadInput for fewer classes than `reading.least_classes`, for images without a split or group among others
    that have one, and for unknown words for splits.
    """
    if reading.labelled and classes is None:
        entries, classes = _as_exported(place, entries)
    usable = [entry for entry in entries if not entry.why]
    found = Classes((), {})
    left_out: list[Entry] = []
    if reading.labelled:
        found = classes_of(place, {entry.label for entry in usable}, reading.unlabelled, classes)
        left_out = [entry for entry in usable if found.of[entry.label] == NO_CLASS]
        if left_out:
            # the sources that mark them have them on purpose: a contest's test set, or what is still to be labelled
            names = some([named(entry.origin) for entry in left_out])
            warnings = [*warnings, f"images without a label, not taken: {len(left_out):,} ({names})"]
        _check_number(place, found.names, entries, left_out, reading, warnings)
    gone = {id(entry) for entry in left_out}
    kept = [entry for entry in entries if id(entry) not in gone]
    partition, said = _partition(place, kept, splits_by, reading.splits)
    return Source(
        found.names,
        [_item(entry, found.of) for entry in kept],
        partition,
        warnings=[*warnings, *found.warnings],
        ignored=ignored + len(left_out),
        groups=_groups(place, kept, reading),
        notes=said,
    )


def _as_exported(place: Path, entries: Sequence[Entry]) -> tuple[Sequence[Entry], list[str] | None]:
    """Return the entries of halfreal's own export with the names of their classes, and these; others as they are."""
    names = class_names(place if place.is_dir() else place.parent)
    labels = {entry.label for entry in entries if not entry.why and entry.label}
    # a folder that somebody added, or another column that is read, has other labels
    if not labels or not labels <= names.keys():
        return entries, None
    return [replace(entry, label=names.get(entry.label, entry.label)) for entry in entries], list(names.values())


def _item(entry: Entry, labels: dict[str, int]) -> Item:
    """Return an entry as an item of its class, or as one that is known to be unusable."""
    if entry.why:
        return unusable(entry.why, entry.origin)
    return Item(labels.get(entry.label, NO_CLASS), entry.origin, entry.read, entry.decode)


def _check_number(
    place: Path,
    names: Sequence[str],
    entries: Sequence[Entry],
    left_out: Sequence[Entry],
    reading: Reading,
    warnings: Sequence[str],
) -> None:
    """Raise BadInput for too few classes, with what the source says of the rest, in three lines."""
    if len(names) >= reading.least_classes:
        return
    broken = [entry for entry in entries if entry.why]
    if entries and len(broken) == len(entries):
        first = broken[0]
        raise BadInput(
            f"{place}: none of {len(entries):,} images can be used; the first, {named(first.origin)}: {first.why}"
        )
    came = f"{len(names)} classes" + (f" ({some(names)})" if names else "")
    said = [f"{place}: {came}, want at least {reading.least_classes}"]
    if left_out:
        marks = sorted({entry.label.strip() or "empty" for entry in left_out})
        said.append(f"labels that mean no label: {some(marks)}; --unlabelled names them, if some of these are classes")
    raise BadInput("\n".join([*said, *warnings][:3]))


def _partition(
    place: Path, entries: Sequence[Entry], splits_by: str, wanted: bool
) -> tuple[list[str] | None, list[str]]:
    """Return the split of each entry, None where they are not in two at least, and a line that says so."""
    splits = [split_of(entry.split) if entry.split.strip() else "" for entry in entries]
    used = [(entry, split) for entry, split in zip(entries, splits, strict=True) if not entry.why]
    counts = Counter(split for _, split in used if split)
    for entry, split in used if any(entry.split.strip() for entry, _ in used) else []:
        if not split:
            came = f"an unknown split, {plain(entry.split[:40])}" if split is None else "no split, others have one"
            raise BadInput(
                f"{place}: {named(entry.origin)} has {came}\nwant train, val (valid, validation, dev) or test for each"
            )
    there = [name for name in SPLITS if counts[name]]
    if not there:
        return None, []
    if len(there) == 1:
        return None, [f"all images are of the split {there[0]}, as {splits_by}: they are split at random"]
    sizes = ", ".join(f"{name} {counts[name]:,}" for name in there)
    # what cannot be used is in none; it is put aside when it is read
    said = f"splits {sizes} as {splits_by}"
    return [split or there[0] for split in splits], [said if wanted else f"{said} do not count: --split random"]


def _groups(place: Path, entries: Sequence[Entry], reading: Reading) -> list[str] | None:
    """Return the group of each entry, None where there are no groups."""
    if reading.group_by is None:
        groups = [entry.group.strip() for entry in entries]
        missing = "no group, others have one; fill in its column"
    else:
        found = [re.search(reading.group_by, entry.path) for entry in entries]
        groups = [match[1] or "" if match else "" for match in found]
        missing = f"no group by --group-by {reading.group_by}; want a pattern that fits every path"
    if reading.group_by is None and not any(groups):
        return None
    without = [entry for entry, group in zip(entries, groups, strict=True) if not group and not entry.why]
    if without:
        raise BadInput(
            f"{place}: {len(without):,} of {len(entries):,} images have {missing}\nthe first: {plain(without[0].path)}"
        )
    short = without_fractions(set(groups))
    return [short[group] for group in groups]
