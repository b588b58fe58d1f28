"""What the files of a source say of each image, and the one place where that is understood."""

import pickle
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.sources.items import NO_CLASS, Item, Picture, Source, named, open_bytes, plain, some, unusable
from shared.sources.labels import Classes, class_names, classes_of, split_of, without_fractions
from shared.sources.reading import Reading

SPLITS = ("train", "val", "test")


T = TypeVar("T")

BLOCK = 8
"""Elements that are kept together: more of them take less memory, and longer to get one of."""

FAST = 1


class Made(Sequence[T]):
    """A sequence whose elements are made when they are asked for, each by `at`."""

    def at(self, place: int) -> T:
        """Return the element at a place from 0 on."""
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        """Return one element, or a list of those of a slice."""
        places = range(len(self))[index]
        return [self.at(place) for place in places] if isinstance(places, range) else self.at(places)


class Compact(Made[T]):
    """A sequence that only grows, of objects that can be pickled: some 50 bytes each where they are 500.

    Elements that are next to each other are packed together, as what they share is then kept once. An element is
    another object each time that it is taken, equal to what was put there; it takes some 40 us at a random place, 5 us
    after its neighbour.
    """

    def __init__(self, elements: Iterable[T] = ()) -> None:
        self._blocks: list[bytes] = []
        self._rest: list[T] = []
        self._opened: tuple[int, list[T]] = (-1, [])
        self.extend(elements)

    def append(self, element: T) -> None:
        """Add one element at the end."""
        self._rest.append(element)
        if len(self._rest) == BLOCK:
            self._blocks.append(zlib.compress(pickle.dumps(self._rest, pickle.HIGHEST_PROTOCOL), FAST))
            self._rest = []

    def extend(self, elements: Iterable[T]) -> None:
        """Add elements at the end."""
        for element in elements:
            self.append(element)

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._rest)

    def at(self, place: int) -> T:
        """Return the element at a place from 0 on."""
        number, within = divmod(place, BLOCK)
        return self._block(number)[within]

    def _block(self, number: int) -> list[T]:
        if number == len(self._blocks):
            return self._rest
        opened, elements = self._opened
        if opened != number:
            # what this process packed itself
            elements = pickle.loads(zlib.decompress(self._blocks[number]))
            self._opened = number, elements
        return elements


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

    def __reduce__(self) -> tuple[type["Entry"], tuple[object, ...]]:
        # pickled by its arguments: as a frozen dataclass with slots it takes three times as long to be had again
        return Entry, (self.label, self.origin, self.read, self.decode, self.split, self.group, self.why)

    @property
    def path(self) -> str:
        """The image's path as the source names it: the file, and the key in it."""
        return "/".join(str(self.origin[name]) for name in ("file", "key") if name in self.origin)


class Items(Made[Item]):
    """The entries at some places as items, each made when it is asked for; `labels` is int32 (N,), of all entries."""

    def __init__(self, entries: Sequence[Entry], places: NDArray[np.int64], labels: NDArray[np.int32]) -> None:
        self._entries, self._places, self._labels = entries, places, labels

    def __len__(self) -> int:
        return len(self._places)

    def at(self, place: int) -> Item:
        """Return the item at a place from 0 on."""
        index = int(self._places[place])
        entry = self._entries[index]
        if entry.why:
            return unusable(entry.why, entry.origin)
        return Item(int(self._labels[index]), entry.origin, entry.read, entry.decode)


@dataclass(frozen=True)
class Columns:
    """What all entries say, by column; `usable`, bool (N,), is where nothing is known to be wrong."""

    entries: Sequence[Entry]
    labels: list[str]
    splits: list[str]
    groups: list[str]
    usable: NDArray[np.bool_]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Columns":
        """Return the columns of entries; equal texts are one object."""
        same: dict[str, str] = {}
        labels, splits, groups = [], [], []
        usable = np.ones(len(entries), np.bool_)
        for place, entry in enumerate(entries):
            labels.append(same.setdefault(entry.label, entry.label))
            splits.append(same.setdefault(entry.split, entry.split))
            groups.append(same.setdefault(entry.group, entry.group))
            usable[place] = not entry.why
        return cls(entries, labels, splits, groups, usable)

    def names(self, places: Iterable[int]) -> list[str]:
        """Return what finds the entries at some places again, for people."""
        return [named(self.entries[place].origin) for place in places]


def understood(
    place: Path,
    entries: Iterable[Entry],
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
    Entries are kept packed: there may be millions.

    Raises BadInput for fewer classes than `reading.least_classes`, for images without a split or group among others
    that have one, and for unknown words for splits.
    """
    said = Columns.of(entries if isinstance(entries, Compact) else Compact(entries))
    if reading.labelled and classes is None:
        said, classes = _as_exported(place, said)
    labels = np.full(len(said.labels), NO_CLASS, np.int32)
    found = Classes((), {})
    left_out: NDArray[np.int64] = np.zeros(0, np.int64)
    if reading.labelled:
        there = {label for label, usable in zip(said.labels, said.usable, strict=True) if usable}
        found = classes_of(place, there, reading.unlabelled, classes)
        labels[:] = [found.of.get(label, NO_CLASS) for label in said.labels]
        left_out = np.flatnonzero(said.usable & (labels == NO_CLASS))
        if len(left_out):
            # the sources that mark them have them on purpose: a contest's test set, or what is still to be labelled
            names = some(said.names(left_out[:4].tolist()))  # one more than are shown
            warnings = [*warnings, f"images without a label, not taken: {len(left_out):,} ({names})"]
        _check_number(place, found.names, said, left_out, reading, warnings)
    kept = np.setdiff1d(np.arange(len(labels)), left_out)
    partition, notes = _partition(place, said, kept, splits_by, reading.splits)
    return Source(
        found.names,
        Items(said.entries, kept, labels),
        partition,
        warnings=[*warnings, *found.warnings],
        ignored=ignored + len(left_out),
        groups=_groups(place, said, kept, reading),
        notes=notes,
    )


def _as_exported(place: Path, said: Columns) -> tuple[Columns, list[str] | None]:
    """Return the columns of halfreal's own export with the names of their classes, and these; others as they are."""
    names = class_names(place if place.is_dir() else place.parent)
    labels = {label for label, usable in zip(said.labels, said.usable, strict=True) if usable and label}
    # a folder that somebody added, or another column that is read, has other labels
    if not labels or not labels <= names.keys():
        return said, None
    return replace(said, labels=[names.get(label, label) for label in said.labels]), list(names.values())


def _check_number(
    place: Path,
    names: Sequence[str],
    said: Columns,
    left_out: NDArray[np.int64],
    reading: Reading,
    warnings: Sequence[str],
) -> None:
    """Raise BadInput for too few classes, with what the source says of the rest, in three lines."""
    if len(names) >= reading.least_classes:
        return
    if len(said.entries) and not said.usable.any():
        first = said.entries[0]
        raise BadInput(
            f"{place}: none of {len(said.entries):,} images can be used; the first, {named(first.origin)}: {first.why}"
        )
    came = f"{len(names)} classes" + (f" ({some(names)})" if names else "")
    lines = [f"{place}: {came}, want at least {reading.least_classes}"]
    if len(left_out):
        marks = sorted({said.labels[index].strip() or "empty" for index in left_out.tolist()})
        lines.append(f"labels that mean no label: {some(marks)}; --unlabelled names them, if some of these are classes")
    raise BadInput("\n".join([*lines, *warnings][:3]))


def _partition(
    place: Path, said: Columns, kept: NDArray[np.int64], splits_by: str, wanted: bool
) -> tuple[list[str] | None, list[str]]:
    """Return the split of each kept entry, None where they are not in two at least, and a line that says so."""
    words = {word: split_of(word) if word.strip() else "" for word in set(said.splits)}
    used = kept[said.usable[kept]].tolist()
    if any(said.splits[index].strip() for index in used):
        without = next((index for index in used if not words[said.splits[index]]), None)
        if without is not None:
            word = said.splits[without]
            unknown = words[word] is None
            came = f"an unknown split, {plain(word[:40])}" if unknown else "no split, others have one"
            raise BadInput(
                f"{place}: {named(said.entries[without].origin)} has {came}\n"
                "want train, val (valid, validation, dev) or test for each"
            )
    counts = Counter(words[said.splits[index]] for index in used)
    there = [name for name in SPLITS if counts[name]]
    if not there:
        return None, []
    if len(there) == 1:
        return None, [f"all images are of the split {there[0]}, as {splits_by}: they are split at random"]
    sizes = ", ".join(f"{name} {counts[name]:,}" for name in there)
    # what cannot be used is in none; it is put aside when it is read
    line = f"splits {sizes} as {splits_by}"
    splits = [words[said.splits[index]] or there[0] for index in kept.tolist()]
    return splits, [line if wanted else f"{line} do not count: --split random"]


def _groups(place: Path, said: Columns, kept: NDArray[np.int64], reading: Reading) -> list[str] | None:
    """Return the group of each kept entry, None where there are no groups."""
    if reading.group_by is None:
        groups = [said.groups[index].strip() for index in kept.tolist()]
        missing = "no group, others have one; fill in its column"
    else:
        found = (re.search(reading.group_by, said.entries[index].path) for index in kept.tolist())
        groups = [match[1] or "" if match else "" for match in found]
        missing = f"no group by --group-by {reading.group_by}; want a pattern that fits every path"
    if reading.group_by is None and not any(groups):
        return None
    without = [index for index, group in zip(kept.tolist(), groups, strict=True) if not group and said.usable[index]]
    if without:
        first = plain(said.entries[without[0]].path)
        raise BadInput(f"{place}: {len(without):,} of {len(kept):,} images have {missing}\nthe first: {first}")
    short = without_fractions(set(groups))
    return [short[group] for group in groups]
