"""Images in the user's own folders: a folder for each class, or a table of files and labels."""

import csv
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from PIL import Image

from jobs.preprocess.items import Source, from_file, is_label, plain, some
from jobs.preprocess.options import PreprocessOptions
from shared.errors import BadInput

Parts = tuple[str, ...]
"""A path below the source's folder."""

HEADER = ("file", "label")
"""The columns that a table must have; others may stand between them."""


def folder(place: Path, config: PreprocessOptions) -> Source:
    """Return the images below `place`: a folder for each class, or `place` itself a CSV file of `file,label`.

    Files with a suffix that Pillow knows count, in subfolders too, hidden ones not. Classes are in alphabetical
    order. What else lies there is counted and named. Raises BadInput where fewer than two folders have images.
    """
    if place.suffix.lower() == ".csv":
        return _table(place)
    if not place.is_dir():
        raise BadInput(f"{place}: no such folder; put a folder of images for each class there, or give --source-path")
    listed = {path.name: path for path in place.iterdir() if not path.name.startswith(".")}
    names = sorted(name for name, path in listed.items() if path.is_dir())
    known = frozenset(Image.registered_extensions())
    files = {name: sorted(_files(listed[name], (name,))) for name in names}
    images = {name: [parts for parts in files[name] if _is_image(parts, known)] for name in names}
    classes = [name for name in names if images[name]]
    beside = [(name,) for name in sorted(listed.keys() - files.keys())]
    lost = [parts for parts in beside if _is_image(parts, known)]
    others = [parts for parts in chain(beside, *files.values()) if not _is_image(parts, known)]
    warnings = _warnings(lost, others, [(name,) for name in names if not images[name]])
    if len(classes) < 2:
        said = f"{place}: {len(classes)} folders with images, want one for each class and at least 2"
        raise BadInput("\n".join([said, *warnings]))
    for name in classes:
        if not is_label(name):
            raise BadInput(f"{place}: the folder {name!a} has a name that is no text of one line (UTF-8); rename it")
    items = [
        from_file(place.joinpath(*parts), label, {"source": "folder", "file": "/".join(parts)})
        for label, name in enumerate(classes)
        for parts in images[name]
    ]
    return Source(tuple(classes), items, warnings=warnings, ignored=len(lost) + len(others))


def _files(place: Path, parts: Parts) -> Iterator[Parts]:
    """Yield the path of each file in and below `place` that is not hidden, as parts that begin with `parts`.

    Links to folders are not followed; they are yielded with a slash at the end.
    """
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(place / entry.name, (*parts, entry.name))
            else:
                yield (*parts, entry.name + ("/" if entry.is_dir() else ""))


def _is_image(parts: Parts, known: frozenset[str]) -> bool:
    stem, _, suffix = parts[-1].rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in known


def _warnings(lost: Sequence[Parts], others: Sequence[Parts], empty: Sequence[Parts]) -> list[str]:
    """Return a line for each kind of thing that is there and not taken."""
    rows = (
        (lost, "images beside the class folders, not taken", "move each into the folder of its class"),
        (others, "files without the suffix of an image, not taken", "if they are images, rename them"),
        (empty, "folders without an image, which are no class", "put images there, or remove them"),
    )
    return [
        f"{what}: {len(found):,} ({some(['/'.join(parts) for parts in found])}); {do}"
        for found, what, do in rows
        if found
    ]


def _table(place: Path) -> Source:
    """Return the images that a CSV file lists: columns `file` and `label` (any text of one line).

    A file is relative to the CSV, or absolute; it may lie anywhere. Spaces around values count for nothing, and lines
    without any value are skipped.
    """
    try:
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
        row = dict(zip(columns, values, strict=False))
        file, label = (row.get(name, "") for name in HEADER)
        if not file or not label:
            raise BadInput(f"{where} has no file or no label; fill it in or remove the line")
        if not is_label(label):
            raise BadInput(
                f"{where}: label {label[:80]!a} has a line break; want text of one line; is a quote missing?"
            )
        yield file, label


def _records(place: Path, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the line where each record begins, and its values, if it has any."""
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
