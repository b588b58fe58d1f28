"""The rows of a table in text: CSV, TSV and JSON lines."""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.format.outside import parse_json, read_regular
from shared.limits import TABLE_BYTES
from shared.sources.items import plain

SEPARATORS = (",", ";", "\t")
"""What is between the values of a CSV: the one that its first line has most often, a comma if none."""


@dataclass(frozen=True)
class Table:
    """The names of a table's columns, and its rows: where each is, for people, and its values by column.

    Values are texts without spaces around them, or what JSON holds.
    """

    columns: list[str]
    rows: Iterable[tuple[str, Mapping[str, Any]]]


def read_text(path: Path) -> Table:
    """Return a table in text, read by its suffix: UTF-8, or UTF-16 with a byte order mark, as Excel writes both.

    Raises BadInput for a file that is no text, and, as the rows are read, for a line that is wrong.
    """
    try:
        payload = read_regular(path, TABLE_BYTES)
        encoding = "utf-16" if payload.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        text = payload.decode(encoding)
    except UnicodeDecodeError as error:
        line = payload.count(b"\n", 0, error.start) + 1 if encoding == "utf-8-sig" else 1
        raise BadInput(f"{path}: line {line} is not in UTF-8; save it as UTF-8 (in Excel: CSV UTF-8)") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    return READERS[path.suffix.lower()](path, text)


def _csv(path: Path, text: str) -> Table:
    """Return the table in a CSV or TSV; spaces around values count for nothing, lines without any value are skipped."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = "\t" if path.suffix.lower() == ".tsv" else max(SEPARATORS, key=first.count)
    records = _records(path, text, separator)
    _, columns = next(records, (0, []))
    return Table(columns, _by_column(path, columns, records, separator))


def _by_column(
    path: Path, columns: list[str], records: Iterator[tuple[int, list[str]]], separator: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for line, values in records:
        if any(values[len(columns) :]):
            raise BadInput(
                f"{path}: line {line} has {len(values)} values ({plain(separator.join(values)[:80])}), "
                f"want {len(columns)}: {plain(separator.join(columns)[:80])}\n"
                f"put text with {separator!r} between quotes"
            )
        yield f"line {line}", dict(zip(columns, values, strict=False))


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the line where each record begins, and its values, if it has any."""
    # strict: a quote left open would else swallow the lines after it; keepends: csv handles breaks inside quotes itself
    reader = csv.reader(text.splitlines(keepends=True), strict=True, delimiter=separator)
    line = 1
    try:
        for values in reader:
            stripped = [value.strip() for value in values]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(f"{path}: line {line} is no CSV ({error}); is a quote missing?") from error


def _json_lines(path: Path, text: str) -> Table:
    """Return the table of JSON lines: an object in each; its columns are the keys of all of them, in order."""
    rows = list(_objects(path, text))
    return Table(list(dict.fromkeys(chain.from_iterable(row for _, row in rows))), rows)


def _objects(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise BadInput(f"{path}: line {number} is no JSON ({error}); want an object in each line") from error
        if not isinstance(row, dict):
            raise BadInput(f"{path}: line {number} is {plain(line[:60])}; want an object in each line")
        yield f"line {number}", row


READERS: dict[str, Callable[[Path, str], Table]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
"""The reader of a table in text, by the suffix of its file."""
