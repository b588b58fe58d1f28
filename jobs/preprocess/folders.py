"""Images in the user's own folders: a folder for each class, or a table of files and labels."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from jobs.preprocess.config import PreprocessConfig
from jobs.preprocess.items import Source, from_file
from shared.errors import BadInput


def folder(place: Path, config: PreprocessConfig) -> Source:
    """Return the images below `place`: a folder for each class, or `place` itself a CSV file of `file,label`.

    Files with a suffix that Pillow knows count, in subfolders too, hidden ones not. Classes are in alphabetical
    order. Raises BadInput where there is no folder, no class or no image.
    """
    if place.suffix.lower() == ".csv":
        return _table(place)
    if not place.is_dir():
        raise BadInput(f"{place}: no such folder; put a folder of images for each class there, or give --source-path")
    names = sorted(path.name for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))
    known = frozenset(Image.registered_extensions())
    found = {name: sorted(_images(place / name, (name,), known)) for name in names}
    classes = [name for name in names if found[name]]
    if len(classes) < 2:
        raise BadInput(f"{place}: {len(classes)} folders with images, want one for each class and at least 2")
    items = [
        from_file(place.joinpath(*parts), label, {"source": "folder", "file": "/".join(parts)})
        for label, name in enumerate(classes)
        for parts in found[name]
    ]
    return Source(tuple(classes), items)


def _images(place: Path, parts: tuple[str, ...], known: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each image in and below `place`, as parts that begin with `parts`."""
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _images(place / entry.name, (*parts, entry.name), known)
            elif (entry.is_file() or entry.is_symlink()) and f".{entry.name.rpartition('.')[2].lower()}" in known:
                yield (*parts, entry.name)


def _table(place: Path) -> Source:
    """Return the images that a CSV file lists: columns `file` (relative to the CSV) and `label` (any text)."""
    try:
        with place.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{place}: cannot be read as CSV ({error}); want UTF-8 with columns file,label") from error
    if not {"file", "label"} <= set(columns):
        raise BadInput(f"{place}: has columns {','.join(columns)}; want a first line with file,label")
    for number, row in enumerate(rows, start=2):
        if not row["file"] or not row["label"]:
            raise BadInput(f"{place}: line {number} has no file or no label; fill it in or remove the line")
    classes = sorted({row["label"] for row in rows})
    if len(classes) < 2:
        raise BadInput(f"{place}: {len(classes)} different labels, want at least 2")
    labels = {name: label for label, name in enumerate(classes)}
    items = [
        from_file(place.parent / row["file"], labels[row["label"]], {"source": "folder", "file": row["file"]})
        for row in rows
    ]
    return Source(tuple(classes), items)
