"""Files that a table names without their folder or suffix, as tables of contests and of labelling servers do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

from shared.errors import BadInput
from shared.sources.entries import Entry
from shared.sources.items import is_image, plain, read_file, some
from shared.sources.trees.tree import walk

SAMPLE = 100
"""Files that are looked for before a table's paths are taken to be no paths."""


@dataclass(frozen=True)
class Found:
    """The images of a table, and a line that says so where they were found by their names."""

    entries: list[Entry]
    notes: list[str]


def located(table: Path, entries: list[Entry]) -> Found:
    """Return a table's images, by their paths, or, where no file is there, by their names in any folder below it.

    Labelling servers write their own paths (/data/upload/1/cat.jpg), contests names without suffix (0a1b2c). Raises
    BadInput where no file can be found either way, or where several images have one of the names.
    """
    listed = [str(entry.origin["file"]) for entry in entries]
    if not listed or any((table.parent / file).exists() for file in listed[:SAMPLE]):
        return Found(entries, [])
    below = _by_name(table.parent)
    places = [below.get(PurePath(file).name, []) for file in listed]
    torn = [(file, found) for file, found in zip(listed, places, strict=True) if len(found) > 1]
    if torn:
        file, found = torn[0]
        raise BadInput(
            f"{table}: {len(torn):,} of its files fit several images below its folder: {plain(file[-60:])} fits "
            f"{some(found)}\nwant paths relative to the table, with folder and suffix"
        )
    if not any(places):
        raise BadInput(
            f"{table}: none of its {len(listed):,} files is there ({some(listed)}), nor an image of such a name below\n"
            "want paths relative to the table; or copy the images there, where they are found by name"
        )
    moved = [_at(table.parent, entry, found) for entry, found in zip(entries, places, strict=True)]
    return Found(moved, [f"{table.name}: files found by their names in the folders below it"])


def _by_name(folder: Path) -> dict[str, list[str]]:
    """Return the paths of the images below a folder by their names, with and without suffix."""
    found: dict[str, list[str]] = {}
    for parts in walk(folder).files:
        if is_image(parts[-1]):
            for name in (parts[-1], PurePath(parts[-1]).stem):
                found.setdefault(name, []).append("/".join(parts))
    return found


def _at(folder: Path, entry: Entry, found: Sequence[str]) -> Entry:
    """Return an image at the one path that was found, or as it is."""
    if not found:
        return entry
    return replace(entry, origin=entry.origin | {"file": found[0]}, read=partial(read_file, folder / found[0]))
