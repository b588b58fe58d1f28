"""Tables that have a column for each class, with 1 in the column of the image's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.sources.items import some
from shared.sources.reading import Reading
from shared.sources.tables.columns import LABEL_COLUMNS
from shared.sources.tables.text import Table

ZERO, ONE = ("0", "0.0"), ("1", "1.0")
"""How tables write that an image is not of a class, and that it is."""

LABEL = LABEL_COLUMNS[0]


def with_label(path: Path, table: Table, reading: Reading) -> tuple[Table, list[str]]:
    """Return a table with a column of labels, and a line that says so if its columns were the classes.

    They are where no column is the label, and several have nothing but 0 and 1, just one 1 in each row. Raises BadInput
    for a row that is of no class, or of several: halfreal is for one class to an image.
    """
    usual = any(name.strip().lower() in LABEL_COLUMNS for name in table.columns)
    if not reading.labelled or reading.label is not None or usual:
        return table, []
    rows = list(table.rows)
    classes = [name for name in table.columns if rows and all(_text(row, name) in ZERO + ONE for _, row in rows)]
    if len(classes) < 2:
        return Table(table.columns, rows), []
    labelled = [(where, {**row, LABEL: _class(path, where, row, classes)}) for where, row in rows]
    said = f"{path.name}: the classes are its columns of 0 and 1, {some(classes)}"
    return Table([*table.columns, LABEL], labelled), [said]


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name, "")).strip()


def _class(path: Path, where: str, row: Mapping[str, Any], classes: list[str]) -> str:
    """Return the one class of a row."""
    of = [name for name in classes if _text(row, name) in ONE]
    if len(of) != 1:
        came = f"is of {len(of)} classes ({some(of)})" if of else "is of none of the classes"
        raise BadInput(
            f"{path}: {where} {came}; its columns {some(classes)} are classes, for want of a column label\n"
            "want just one 1 in each row: one class to an image; or name the column that is the label: --label NAME"
        )
    return of[0]
