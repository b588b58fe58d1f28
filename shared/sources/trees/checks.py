"""Folders that look like classes and are none: those of splits without classes, parts of a download, stray ones."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from shared.errors import BadInput
from shared.sources.items import some
from shared.sources.labels import class_name, split_of
from shared.sources.reading import Reading

Placed = tuple[tuple[str, ...], str, str]
"""An image's path, class and word for its split."""


def check_classes(place: Path, images: Sequence[Placed], others: Collection[tuple[str, ...]], reading: Reading) -> None:
    """Raise BadInput where the folders of `images` are no classes; `others` are the paths of files that are none.

    Folders whose names mean that there is no label have images without a class.
    """
    marks = {mark.lower() for mark in reading.unlabelled}
    images = [placed for placed in images if placed[1].lower() not in marks]
    names = sorted({label for _, label, _ in images})
    _check_parts(place, names, {parts[-1] for parts in others})
    if images and all(split for _, _, split in images):
        if reading.splits:
            _check_train(place, images)
    elif len(words := {_word_for_split(name) for name in names}) > 1 and "" not in words:
        raise BadInput(
            f"{place}: the folders {some(names)} are named for splits, and have no class folders\n"
            "want a folder for each class in each of them; or list the images in a table with their classes"
        )


def _word_for_split(name: str) -> str:
    """Return the split of the word that a name begins with, empty if it is none: train2017 is train."""
    word = re.match(r"[^\W\d_]*", name)
    return split_of(word[0]) or "" if word else ""


def _check_parts(place: Path, names: Sequence[str], files: Collection[str]) -> None:
    """Raise BadInput for folders that img2dataset made: each has a table or statistics of its name next to it."""
    if names and all(f"{name}.parquet" in files or f"{name}_stats.json" in files for name in names):
        raise BadInput(
            f"{place}: the folders {some(names)} are parts of a download by img2dataset, no classes\n"
            "let it write --output_format webdataset with --save_additional_columns, and name the field: --label FIELD"
        )


def _check_train(place: Path, images: Sequence[Placed]) -> None:
    """Raise BadInput for class folders that train does not have: nothing could be learned about such a class."""
    train = {class_name(label) for _, label, word in images if split_of(word) == "train"}
    strange = sorted({f"{word}/{label}" for _, label, word in images if class_name(label) not in train})
    if strange and train:
        raise BadInput(
            f"{place}: train has no folder like {some(strange)}\n"
            "want the same class folders in each split; sort the images, give train alone, or say --split random"
        )


def doubts(images: Sequence[Placed], depth: int) -> list[str]:
    """Return a warning where the folders in every class folder are the same: those may be the classes.

    `depth` is how many folders are above the class folders.
    """
    inside: dict[str, set[str]] = {}
    for parts, label, _ in images:
        inside.setdefault(label, set()).update(parts[depth + 1 : depth + 2] if len(parts) > depth + 2 else [""])
    first = next(iter(inside.values()), set())
    if len(inside) < 2 or len(first) < 2 or "" in first or any(names != first for names in inside.values()):
        return []
    classes, folders = some(list(inside)), some(sorted(first))
    return [
        f"the classes {classes} have the same folders in each ({folders}); if those are the classes, say "
        "--label-from '([^/]+)/[^/]+$'"
    ]
