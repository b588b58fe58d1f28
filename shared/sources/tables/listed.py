"""What tables of any kind have in common: the values of their rows, checked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from shared.errors import BadInput
from shared.limits import NAME_LETTERS
from shared.sources.entries import Entry
from shared.sources.items import is_label, plain, read_file
from shared.sources.labels import split_of


@dataclass(frozen=True)
class TableFile:
    """A table, and the split that its name or its folder says; empty where they say none."""

    path: Path
    split: str = ""


@dataclass(frozen=True)
class Listed:
    """The images of a table, the classes that it declares, whether a column says the split, and lines about them.

    `in_order` is that of `Source`.
    """

    entries: Sequence[Entry]
    classes: list[str] | None = None
    by_column: bool = False
    notes: Sequence[str] = ()
    in_order: bool = False


def value_of(path: Path, where: str, column: str, value: Any, most_letters: int = NAME_LETTERS) -> str:
    """Return a value as text of one line, empty for null and NaN; BadInput for anything else, or with more letters."""
    match value:
        case None:
            return ""
        case float() if value != value:
            return ""
        case bool() | list() | dict() | bytes():
            text = ""
        case _:
            text = str(value).strip()
            if not text:
                return ""
    if not is_label(text, most_letters):
        came = plain(repr(value)[:80])
        raise BadInput(
            f"{path}: {where}: column {plain(column)} is {came}; want text of one line, of at most {most_letters:,} "
            "letters, or a whole number\n"
            "is a quote missing, or is it another column?"
        )
    return text


def check_split(path: Path, where: str, column: str, word: str) -> None:
    """Raise BadInput for a value that is no split."""
    if not split_of(word):
        came = f"is {plain(word[:60])}" if word else "is empty"
        raise BadInput(
            f"{path}: {where}: column {plain(column)} {came}; want train, val (valid, validation, dev) or test\n"
            'correct it, or name another column: --split-column NAME ("": none)'
        )


def with_slashes(folder: Path, file: str) -> str:
    """Return a path below `folder` with slashes between folders, unless a file there has just that name."""
    # Windows writes backslashes, which elsewhere may be part of a name
    return file.replace("\\", "/") if "\\" in file and not (folder / file).exists() else file


def read_below(folder: Path, file: str) -> bytes:
    """Return what is in a file that a table in `folder` names."""
    # joined here: a path for each of a million rows takes longer than all else that is done with them
    return read_file(folder / file)


def split_by_folder(entries: Sequence[Entry]) -> list[Entry]:
    """Return images with the split that each path begins with, if all do."""
    split = []
    for entry in entries:
        word = PurePath(entry.path).parts[0]
        if not split_of(word):
            return list(entries)
        split.append(replace(entry, split=word))
    return split
