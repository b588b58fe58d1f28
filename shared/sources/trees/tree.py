"""The files below a folder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.errors import BadInput
from shared.limits import FOLDERS_DEEP
from shared.sources.detect import is_hidden
from shared.sources.labels import split_of

Parts = tuple[str, ...]
"""A path below the source's folder; one of a folder that is a link, and so is not searched, ends in a slash."""


@dataclass(frozen=True)
class Tree:
    """The files below a place, sorted, and the folders there down to the second level; hidden ones are in neither."""

    files: list[Parts]
    folders: list[Parts]


def walk(place: Path) -> Tree:
    """Return what lies in `place`; BadInput for more than FOLDERS_DEEP folders within each other."""
    folders: list[Parts] = []
    # sorted, since the order of a folder's entries differs between file systems, and samples are numbered by it
    return Tree(sorted(_files(place, (), folders)), sorted(folders))


def _files(place: Path, parts: Parts, folders: list[Parts]) -> Iterator[Parts]:
    """Yield the path of each file in and below `place` that is not hidden, as parts that begin with `parts`.

    Links to folders are followed where a class may be, and yielded with a slash at the end where none can.
    """
    if len(parts) > FOLDERS_DEEP:
        raise BadInput(f"{place}: lies {len(parts)} folders deep in the source, want at most {FOLDERS_DEEP}; unpack it")
    links = not parts or (len(parts) == 1 and split_of(parts[0]) is not None)
    with os.scandir(place) as entries:
        for entry in entries:
            if is_hidden(entry.name):
                continue
            # a link to a folder above would never end
            if is_folder(entry, follow_links=links):
                if len(parts) < 2:
                    folders.append((*parts, entry.name))
                yield from _files(place / entry.name, (*parts, entry.name), folders)
            else:
                yield (*parts, entry.name + ("/" if is_folder(entry) else ""))


def is_folder(entry: os.DirEntry[str], follow_links: bool = True) -> bool:
    """Return whether an entry is a folder; a link to itself, or to a name that is too long, is none."""
    try:
        return entry.is_dir(follow_symlinks=follow_links)
    except OSError:
        return False
