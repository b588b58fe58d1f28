"""The source `csv`: images that a table lists, in any of the ways in which tables are written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from shared.errors import BadInput
from shared.limits import PATH_LETTERS
from shared.sources.detect import is_hidden
from shared.sources.entries import Entry, understood
from shared.sources.items import Source, is_image, plain, some
from shared.sources.labels import split_of
from shared.sources.reading import Reading
from shared.sources.tables.columns import LABEL_COLUMNS, Columns, columns_of
from shared.sources.tables.listed import (
    Listed,
    TableFile,
    check_split,
    read_below,
    split_by_folder,
    value_of,
    with_slashes,
)
from shared.sources.tables.lookup import located
from shared.sources.tables.one_hot import with_label
from shared.sources.tables.parts import check_parts
from shared.sources.tables.text import READERS, read_text
from shared.sources.trees.others import advice_on

PARQUET = ".parquet"

SUFFIXES = (*READERS, PARQUET)
"""The suffixes of the files that are tables."""

ROBOFLOW = "_classes.csv"
"""The table of Roboflow's export, with a column for each class."""

METADATA = ("metadata.csv", "metadata.jsonl", ROBOFLOW)
"""The tables of Hugging Face's `imagefolder`, and Roboflow's, next to the images or in the folder of each split."""


def table(place: Path, reading: Reading) -> Source:
    """Return the images that tables list: `place` is one, or a folder with one for each split, or parts of them.

    See `columns_of` for the columns. A file is relative to the table, or absolute; it may lie anywhere; a backslash
    separates folders where no file has that name. Where no file is there, `located` looks for their names. Raises
    BadInput for a line that is wrong, with its number.
    """
    if place.is_dir():
        found = [path.relative_to(place).parts for name in (*METADATA, f"*{PARQUET}") for path in place.rglob(name)]
        files = hugging_face(place, sorted(parts for parts in found if not any(map(is_hidden, parts))), reading)
        files = files or _named_for_splits(place)
    else:
        files = [TableFile(place)] if place.suffix.lower() in SUFFIXES else []
    if not files:
        advice = advice_on([place.name]) if place.is_file() else ""
        want = f"want a file {', '.join(SUFFIXES)}, or a folder with train.csv and test.csv"
        raise BadInput(f"{place}: no table; {want}" + (f"\n{advice}" if advice else ""))
    return read_tables(place, files, reading)


def hugging_face(folder: Path, files: Sequence[tuple[str, ...]], reading: Reading) -> list[TableFile]:
    """Return the tables of a folder as Hugging Face has them, given the paths of the files in it.

    Metadata of an `imagefolder`, in the folder or in those of its splits, if a column has the label; or, where no file
    is an image, Parquet: `data/train-00000-of-00002.parquet`, `default/train/0000.parquet`.
    """
    metadata = [
        parts
        for parts in files
        if parts[-1] in METADATA and (len(parts) == 1 or (len(parts) == 2 and split_of(parts[0])))
    ]
    found = [TableFile(folder.joinpath(*parts), parts[0] if split_of(parts[0]) else "") for parts in metadata]
    found = [file for file in found if _has_labels(file.path, reading)]
    _check_alone(found)
    if found or any(is_image(parts[-1]) for parts in files):
        return found
    check_parts(folder, [parts for parts in files if parts[-1].lower().endswith(PARQUET)])
    return [
        TableFile(
            folder.joinpath(*parts),
            _split_in(parts[-1]) or (parts[-2] if len(parts) > 1 and split_of(parts[-2]) else ""),
        )
        for parts in files
        if parts[-1].lower().endswith(PARQUET)
    ]


def _check_alone(found: Sequence[TableFile]) -> None:
    """Raise BadInput where two metadata lie in one folder: each image would be there twice."""
    for file in found:
        others = [name for name in (*METADATA, f"metadata{PARQUET}") if name != file.path.name]
        if there := [name for name in others if (file.path.parent / name).is_file()]:
            raise BadInput(
                f"{file.path.parent}: both {file.path.name} and {there[0]} list its images; want one: "
                "remove the other, or move it elsewhere"
            )


def _has_labels(path: Path, reading: Reading) -> bool:
    """Return whether a table says which class an image is of: else that is its folder's to say."""
    if path.name == ROBOFLOW:
        return True
    columns = [name.lower() for name in read_text(path).columns]
    wanted = LABEL_COLUMNS if reading.label is None else [reading.label.lower()]
    return "file_name" in columns and (not reading.labelled or any(name in columns for name in wanted))


def metadata_columns(folder: Path, files: Sequence[tuple[str, ...]]) -> str:
    """Return what columns the metadata of a folder have, for people; empty where there are none."""
    for parts in files:
        if parts[-1] in METADATA and len(parts) < 3:
            return f"{'/'.join(parts)} has no such column; it has {some(read_text(folder.joinpath(*parts)).columns, 8)}"
    return ""


def _named_for_splits(folder: Path) -> list[TableFile]:
    """Return the tables in text that are named for a split, such as train.csv."""
    texts = sorted(path for path in folder.iterdir() if path.suffix.lower() in READERS and _split_in(path.name))
    return [TableFile(path, _split_in(path.name)) for path in texts]


def _split_in(name: str) -> str:
    """Return the split that a file's name begins with, empty if none."""
    word = re.split(r"[-_.]", name, maxsplit=1)[0]
    return word if split_of(word) else ""


def read_tables(place: Path, files: Sequence[TableFile], reading: Reading) -> Source:
    """Return the images of several tables as one source."""
    entries: list[Entry] = []
    declared: list[str] | None = None
    by_column = in_order = False
    notes: list[str] = []
    for file in files:
        # the image's path below the source, as in a set of folders: files of two splits may have one name
        below = file.path.parent.relative_to(place).as_posix() if place.is_dir() else "."
        if file.path.suffix.lower() == PARQUET:
            from shared.sources.tables.parquet import read_parquet

            found = read_parquet(file.path, below, reading)
        else:
            found = _read_listed(file.path, below, reading)
        if entries and found.classes != declared:
            raise BadInput(f"{file.path}: declares other classes than {files[0].path.name}; want tables of one set")
        declared, by_column = found.classes, by_column or found.by_column
        notes, in_order = [*notes, *found.notes], in_order or found.in_order
        given = file.split and not found.by_column
        entries += [replace(entry, split=file.split) for entry in found.entries] if given else found.entries
    named = any(file.split for file in files) and not by_column
    source = understood(
        place,
        entries,
        reading,
        classes=declared,
        splits_by="the names of files and folders say"
        if named
        else "the column says"
        if by_column
        else "the folders say",
    )
    return replace(source, notes=[*notes, *source.notes], in_order=in_order)


def _read_listed(path: Path, below: str, reading: Reading) -> Listed:
    """Return the images that a table in text lists; `below` is its folder, relative to the source."""
    table, notes = with_label(path, read_text(path), reading)
    columns = columns_of(path, table.columns, reading)
    found = located(path, [_entry(path, where, row, columns) for where, row in table.rows])
    entries = found.entries if below == "." else [_moved(entry, below) for entry in found.entries]
    entries = entries if columns.split else split_by_folder(entries)
    return Listed(entries, by_column=bool(columns.split), notes=[*notes, *found.notes])


def _moved(entry: Entry, below: str) -> Entry:
    """Return an entry whose path begins with the folder of its table, unless it is absolute."""
    return replace(entry, origin=entry.origin | {"file": (PurePath(below) / str(entry.origin["file"])).as_posix()})


def _entry(path: Path, where: str, row: Mapping[str, Any], columns: Columns) -> Entry:
    """Return the image that a row lists; BadInput names the line that is wrong."""
    folder = path.parent
    label, split, group = (
        value_of(path, where, name, row.get(name)) if name else ""
        for name in (columns.label, columns.split, columns.group)
    )
    file = value_of(path, where, columns.file, row.get(columns.file), PATH_LETTERS)
    if not file:
        raise BadInput(f"{path}: {where} has no file (column {plain(columns.file)}); fill it in or remove the line")
    if columns.split:
        check_split(path, where, columns.split, split)
    file = with_slashes(folder, file)
    return Entry(
        label,
        {"source": "csv", "file": file},
        partial(read_below, folder, file),
        split=split,
        group=group,
    )
