"""The rules for class names and split words: one set, the same for every source."""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.format.files import write_json
from shared.sources.items import NO_CLASS, plain, some
from shared.sources.reading import UNLABELLED

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "validation", "valid", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""The names of splits in any letter case, as Hugging Face's `datasets` knows them, and the split that each means."""

WHOLE = re.compile(r"([+-]?\d+)(\.0+)?")
"""A whole number; pandas writes 1 as 1.0 in a column where a value is missing."""

DECIMAL = re.compile(r"[+-]?\d+\.\d*[1-9]\d*")
"""A number that is not whole; where there is one, 1.0 is no whole number either, but a version or a size."""


def split_of(word: str) -> str | None:
    """Return "train", "val" or "test" for a name of a split, None for any other word."""
    return SPLIT_WORDS.get(word.strip().lower())


def class_name(label: str) -> str:
    """Return a label in the one form that class names have: without spaces around it, composed (Unicode NFC)."""
    # macOS writes file names decomposed, everything else writes them composed: the same name, two strings
    return unicodedata.normalize("NFC", label.strip())


@dataclass(frozen=True)
class Classes:
    """The classes of a source in order, and for each label as it is written its class, NO_CLASS for a mark of none."""

    names: tuple[str, ...]
    of: dict[str, int]
    warnings: list[str] = field(default_factory=list)


def classes_of(
    place: Path, labels: Collection[str], marks: Sequence[str] = UNLABELLED, declared: Sequence[str] | None = None
) -> Classes:
    """Return the classes that these labels mean, by rules that are the same for every source.

    Spaces around a label and its Unicode form make no difference; see `without_fractions` for "1.0". An empty
    label and `marks`, in any letter case, mean that there is no label. Classes are in the order in which they are
    `declared`, else in numeric order if all are whole numbers, else in alphabetical order. Raises BadInput for names
    that differ only in letter case or are numbers of one value (007, 7), for numbers below -1, and for labels that are
    not among the `declared` ones.
    """
    unlabelled = {"", *(class_name(mark).lower() for mark in marks)}
    taken = {label: class_name(label) for label in labels if not {*_spellings(label)} & unlabelled}
    as_they_are = {class_name(name) for name in declared or ()}
    short = without_fractions({*taken.values()} - as_they_are)
    taken = {label: short.get(name, name) for label, name in taken.items()}
    _check_alike(place, taken.values())
    order, warnings = (
        (_in_order(place, set(taken.values())), [])
        if declared is None
        else _as_declared(place, taken.values(), declared)
    )
    if merged := _spelled_twice(taken):
        said = f"class names in two Unicode forms, taken as one class: {len(merged):,} ({some(merged)})"
        warnings.append(f"{said}; rename one if they are two")
    index = {name: number for number, name in enumerate(order)}
    return Classes(order, {label: index[taken[label]] if label in taken else NO_CLASS for label in labels}, warnings)


def _spellings(label: str) -> tuple[str, str]:
    """Return a label in lower case, as it is and as the whole number that it writes."""
    name = class_name(label).lower()
    return name, whole(name)


def whole(name: str) -> str:
    """Return a whole number like 1.0 without its .0, anything else as it is."""
    number = WHOLE.fullmatch(name)
    return number[1] if number else name


def whole_value(value: Any) -> Any:
    """Return a whole number that JSON holds as 1.0 as the integer, any other value as it is."""
    return int(value) if type(value) is float and value.is_integer() else value


def without_fractions(texts: Collection[str]) -> dict[str, str]:
    """Return each text as it counts, for labels and groups: 3.0 is 3, unless others are decimals (1.0, 1.5)."""
    decimals = any(DECIMAL.fullmatch(text) for text in texts)
    return {text: text if decimals else whole(text) for text in texts}


def _check_alike(place: Path, names: Iterable[str]) -> None:
    """Raise BadInput for names that differ only in letter case, and for numbers of one value."""
    first: dict[str | int, str] = {}
    for name in sorted(set(names)):
        number = WHOLE.fullmatch(name)
        other = first.setdefault(int(number[1]) if number else name.lower(), name)
        if other != name and number:
            raise BadInput(
                f"{place}: the class names {other} and {name} are the same number\n"
                "want one name for each class: spell them alike if they are one, rename one if they are two"
            )
        # one folder on the disks of Windows and macOS, two on Linux: only the user knows what is meant
        if other != name:
            raise BadInput(
                f"{place}: the class names {plain(other)} and {plain(name)} differ only in letter case\n"
                "want one name for each class: spell them alike if they are one, rename one if they are two"
            )


def _in_order(place: Path, names: Collection[str]) -> tuple[str, ...]:
    """Return names in numeric order where all are whole numbers, else in alphabetical order."""
    if not all(WHOLE.fullmatch(name) for name in names):
        return tuple(sorted(names))
    order = tuple(sorted(names, key=lambda name: int(whole(name))))
    if order and int(whole(order[0])) < -1:
        raise BadInput(f"{place}: label {order[0]} is a negative number; want whole numbers from 0 on, or names")
    return order


def _as_declared(place: Path, names: Iterable[str], declared: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the declared names that are used, in their order, and a line about those that are not."""
    order, used = [class_name(name) for name in declared], set(names)
    if unknown := sorted(used.difference(order)):
        raise BadInput(
            f"{place}: {len(unknown):,} labels ({some(unknown)}) are none of the {len(order):,} declared classes\n"
            f"want one of {some(order)}; correct the labels, or the list of classes"
        )
    unused = [name for name in order if name not in used]
    line = f"declared classes without an image, left out: {len(unused):,} ({some(unused)})"
    return tuple(name for name in order if name in used), [line] if unused else []


def _spelled_twice(taken: dict[str, str]) -> list[str]:
    """Return the names that labels spell in more than one Unicode form."""
    forms: dict[str, set[str]] = {}
    for label in taken:
        forms.setdefault(class_name(label), set()).add(label.strip())
    return sorted(name for name, spelled in forms.items() if len(spelled) > 1)


CLASS_NAMES = "classes.json"
"""The file of an export with its class names: layouts of other tools have numbers, or no room for names."""

EXPORT_FORMAT = "halfreal classes"
"""What makes it one of ours: other tools have a file of this name as well."""

NAMES_BYTES = 10_000_000
"""The largest such file that is read."""


def write_class_names(folder: Path, classes: Sequence[str], labels: Sequence[str]) -> None:
    """Write the names of the classes in their order, and the label that the export in `folder` has for each."""
    write_json(folder / CLASS_NAMES, {"format": EXPORT_FORMAT, "classes": list(classes), "labels": list(labels)})


def class_names(folder: Path) -> dict[str, str]:
    """Return the class name for each label of an export in `folder`, in the order of classes; empty without one."""
    path = folder / CLASS_NAMES
    try:
        if not path.is_file() or path.stat().st_size > NAMES_BYTES:
            return {}
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(held, dict) or held.get("format") != EXPORT_FORMAT:
        return {}
    names, labels = held.get("classes"), held.get("labels")
    if not (isinstance(names, list) and isinstance(labels, list) and len(names) == len(labels)):
        return {}
    return dict(zip(labels, names, strict=True)) if all(isinstance(text, str) for text in names + labels) else {}
