"""Which column of a table is what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import BadInput
from shared.sources.items import plain, some
from shared.sources.reading import Reading

FILE_COLUMNS = (
    *("file", "file_name", "filename", "file_path", "filepath", "path"),
    *("image", "image_name", "image_path", "image_file", "img", "img_name", "img_path"),
)
"""Usual names of the column with an image's path, in any letter case."""

LABEL_COLUMNS = ("label", "labels", "class", "class_name", "classname", "category", "target", "choice", "y")
"""Usual names of the column with the class, in any letter case."""

SPLIT_COLUMNS = ("split",)


@dataclass(frozen=True)
class Columns:
    """The names of the columns that are used; empty where there is none."""

    file: str
    label: str
    split: str
    group: str


def columns_of(place: Path, names: Sequence[str], reading: Reading) -> Columns:
    """Return which of a table's columns are used, by one rule for each.

    The column that an option names, else the only one with a usual name. Raises BadInput, which lists the columns,
    where that is none or several, or is there twice; a table may have no split and no group.
    """
    if not names:
        raise BadInput(f"{place}: is empty; want a first line with the names of its columns, such as file,label")
    return Columns(
        file=_column(place, names, reading.file_column, FILE_COLUMNS, "--file-column"),
        label=_column(place, names, reading.label, LABEL_COLUMNS, "--label") if reading.labelled else "",
        split=_column(place, names, reading.split_column, SPLIT_COLUMNS, "--split-column", needed=False),
        group=_column(place, names, reading.group_column, (), "--group-column", needed=False),
    )


def _column(
    place: Path,
    names: Sequence[str],
    wanted: str | None,
    usual: Sequence[str],
    flag: str,
    needed: bool = True,
) -> str:
    """Return the name of a column; empty where none is needed."""
    if wanted == "" and not needed:
        return ""
    have = f"it has {some(names, 8)}"
    what = flag.removeprefix("--").removesuffix("-column")
    if wanted:
        if names.count(wanted) != 1:
            count = "no such column" if wanted not in names else "more than one such column"
            raise BadInput(f"{place}: {flag} {plain(wanted[:60])}: {count}; {have}")
        return wanted
    matching = [name for name in names if name.strip().lower() in usual]
    if len(matching) == 1:
        return matching[0]
    if not matching and not needed:
        return ""
    came = f"several columns may be the {what} ({some(matching)})" if matching else f"no column is the {what}"
    raise BadInput(f"{place}: {came}; {have}\nwant one of {', '.join(usual)}; or name yours: {flag} NAME")
