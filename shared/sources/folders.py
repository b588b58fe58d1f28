"""Images in the user's own folders: a folder for each class, or a table of files and labels."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from shared.errors import BadInput
from shared.sources.items import Source, from_file, is_label, plain, some
from shared.sources.reading import Reading

Parts = tuple[str, ...]
"""A path below the source's folder."""

HEADER = ("file", "label")
"""The columns that a table must have, in any order and among others."""


@dataclass(frozen=True)
class Listing:
    """The content of a source's folder: images by class, in alphabetical order, and files that are not taken."""

    images: dict[str, list[Parts]]
    empty: list[Parts]
    loose: list[Parts]
    others: list[Parts]

    def warnings(self) -> list[str]:
        """Return a line for each kind of file or folder that is not taken."""
        rows = (
            (self.loose, "images outside the class folders, not taken", "move each into the folder of its class"),
            (self.others, "files without the suffix of an image, not taken", "if they are images, rename them"),
            (self.empty, "folders without an image, which are no class", "put images there, or remove them"),
        )
        return [
            f"{what}: {len(paths):,} ({some(['/'.join(parts) for parts in paths])}); {do}"
            for paths, what, do in rows
            if paths
        ]


def folder(place: Path, reading: Reading) -> Source:
    """Return the images below `place`: a folder for each class, or `place` itself a CSV file of `file,label`.

    Files with a suffix that Pillow knows count, in subfolders too, hidden ones not. Classes are in alphabetical
    order. What else lies there is counted and named. Raises BadInput where fewer than two folders have images.
    """
    if place.suffix.lower() == ".csv":
        return _table(place)
    if not place.is_dir():
        raise BadInput(f"{place}: no such folder; put a folder of images for each class there, or give --source-path")
    listing = list_folder(place)
    classes = tuple(listing.images)
    _check_names(place, classes, listing)
    items = [
        from_file(place.joinpath(*parts), label, {"source": "folder", "file": "/".join(parts)})
        for label, name in enumerate(classes)
        for parts in listing.images[name]
    ]
    return Source(classes, items, warnings=listing.warnings(), ignored=len(listing.loose) + len(listing.others))


def list_folder(place: Path) -> Listing:
    """Return what lies in `place`, hidden files left out."""
    # sorted, since the order of a folder's entries differs between file systems, and samples are numbered by it
    entries = sorted(path for path in place.iterdir() if not path.name.startswith("."))
    suffixes = frozenset(Image.registered_extensions())
    loose, others = _sift([(path.name,) for path in entries if not path.is_dir()], suffixes)
    images: dict[str, list[Parts]] = {}
    empty: list[Parts] = []
    for path in filter(Path.is_dir, entries):
        inside, others_inside = _sift(sorted(_files(path, (path.name,))), suffixes)
        others += others_inside
        if inside:
            images[path.name] = inside
        else:
            empty.append((path.name,))
    return Listing(images, empty, loose, others)


def _sift(paths: Sequence[Parts], suffixes: frozenset[str]) -> tuple[list[Parts], list[Parts]]:
    """Return the paths of images, and those of anything else."""
    images = [parts for parts in paths if _is_image(parts, suffixes)]
    return images, [parts for parts in paths if not _is_image(parts, suffixes)]


def _check_names(place: Path, classes: Sequence[str], listing: Listing) -> None:
    """Raise BadInput for fewer than two classes, and for a folder whose name cannot be a label."""
    if len(classes) < 2:
        said = f"{place}: {len(classes)} folders with images, want one for each class and at least 2"
        raise BadInput("\n".join([said, *listing.warnings()]))
    for name in classes:
        if not is_label(name):
            raise BadInput(f"{place}: the folder {name!a} has a name that is no text of one line (UTF-8); rename it")


def _files(place: Path, parts: Parts) -> Iterator[Parts]:
    """Yield the path of each file in and below `place` that is not hidden, as parts that begin with `parts`.

    Links to folders are not followed; they are yielded with a slash at the end.
    """
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            # a link to a folder above would never end
            if entry.is_dir(follow_symlinks=False):
                yield from _files(place / entry.name, (*parts, entry.name))
            else:
                yield (*parts, entry.name + ("/" if entry.is_dir() else ""))


def _is_image(parts: Parts, suffixes: frozenset[str]) -> bool:
    stem, _, suffix = parts[-1].rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in suffixes


def _table(place: Path) -> Source:
    """Return the images that a CSV file lists: columns `file` and `label` (any text of one line).

    A file is relative to the CSV, or absolute; it may lie anywhere. Spaces around values count for nothing, and lines
    without any value are skipped.
    """
    try:
        # utf-8-sig: Excel writes a byte order mark; newline="": csv handles line breaks inside quotes itself
        with place.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(_rows(place, stream))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{place}: cannot be read as CSV ({error}); want UTF-8 with columns file,label") from error
    classes = sorted({label for _, label in rows})
    if len(classes) < 2:
        raise BadInput(f"{place}: {len(classes)} different labels, want at least 2")
    labels = {name: label for label, name in enumerate(classes)}
    return Source(
        tuple(classes),
        [from_file(place.parent / file, labels[name], {"source": "folder", "file": file}) for file, name in rows],
    )


def _rows(place: Path, lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield file and label of each line of a table; BadInput names the line that is wrong."""
    records = _records(place, lines)
    _, columns = next(records, (0, []))
    # a column named twice leaves open which of the two is meant
    if any(columns.count(name) != 1 for name in HEADER):
        came = f"begins with {plain(','.join(columns)[:80])}" if columns else "is empty"
        raise BadInput(f"{place}: {came}; want a first line with file,label, each once, between commas")
    for line, values in records:
        where = f"{place}: line {line}"
        if len(values) > len(columns):
            raise BadInput(
                f"{where} has {len(values)} values ({plain(','.join(values)[:80])}), "
                f"want {len(columns)}: {','.join(columns)}; put text with commas between quotes"
            )
        by_column = dict(zip(columns, values, strict=False))
        file, label = (by_column.get(name, "") for name in HEADER)
        if not file or not label:
            raise BadInput(f"{where} has no file or no label; fill it in or remove the line")
        if not is_label(label):
            raise BadInput(
                f"{where}: label {label[:80]!a} has a line break; want text of one line; is a quote missing?"
            )
        yield file, label


def _records(place: Path, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the line where each record begins, and its values, if it has any."""
    # strict: a quote left open would else swallow the lines after it
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        for values in reader:
            stripped = [value.strip() for value in values]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(f"{place}: line {line} is no CSV ({error}); is a quote missing?") from error
