"""Parquet with images in it, as Hugging Face's `datasets` writes it, or with their paths."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.format.outside import open_regular, parse_json
from shared.limits import NAME_LETTERS, PATH_LETTERS
from shared.sources.entries import Entry
from shared.sources.items import Unusable, plain, read_file
from shared.sources.labels import whole
from shared.sources.reading import Reading
from shared.sources.tables.columns import LABEL_COLUMNS, Columns, columns_of
from shared.sources.tables.listed import Listed, check_split, read_below, value_of, with_slashes

IMAGE = "Image"
CLASS_LABEL = "ClassLabel"


@dataclass(frozen=True)
class Contents:
    """A Parquet file that is open, and what `datasets` says of its columns in the file's own metadata."""

    path: Path
    file: Any
    features: dict[str, Any]

    def of_type(self, name: str) -> list[str]:
        """Return the columns of a type of `datasets`."""
        return [
            column for column, said in self.features.items() if isinstance(said, dict) and said.get("_type") == name
        ]

    def values(self, column: str, only: str = "") -> list[Any]:
        """Return the values of a column, with one field of each if `only` names it; BadInput for a broken file."""
        with as_parquet(self.path):
            wanted = f"{column}.{only}" if only else column
            return list(self.file.read(columns=[wanted]).column(column).to_pylist())

    def texts(self, column: str, most_letters: int = NAME_LETTERS) -> list[str]:
        """Return the values of a column as texts."""
        return [
            value_of(self.path, f"row {row}", column, value, most_letters)
            for row, value in enumerate(self.values(column))
        ]

    def names(self, column: str) -> list[str] | None:
        """Return the class names that are declared for a column."""
        names = self.features[column].get("names") if column in self.of_type(CLASS_LABEL) else None
        return [str(name) for name in names] if isinstance(names, list) else None


def read_parquet(path: Path, below: str, reading: Reading) -> Listed:
    """Return the images of a Parquet file; no image is read. `below` is its folder, relative to the source.

    The image is a column of bytes, or of `{bytes, path}` as `datasets` writes it, or of paths relative to the file. A
    label of `datasets`' type ClassLabel is the class of its name, in the order of the names. Raises BadInput for a file
    that is no Parquet, and as `columns_of`.
    """
    contents = _open(path)
    columns = _columns(contents, reading)
    inside, paths = _images(contents, columns.file)
    labels = _labels(contents, columns.label)
    splits, groups = (contents.texts(name) if name else [] for name in (columns.split, columns.group))
    for row, word in enumerate(splits):
        check_split(path, f"row {row}", columns.split, word)
    name = path.name if below == "." else f"{below}/{path.name}"
    counts = [contents.file.metadata.row_group(group).num_rows for group in range(contents.file.num_row_groups)]
    places = [(group, row) for group, count in enumerate(counts) for row in range(count)]
    entries = [
        Entry(
            labels[index] if labels else "",
            {"source": "csv", "file": name} | ({"key": paths[index]} if paths[index] else {}) | {"index": index},
            partial(_read_inside, path, columns.file, *place)
            if inside
            else partial(read_below, path.parent, paths[index]),
            split=splits[index] if splits else "",
            group=groups[index] if groups else "",
        )
        for index, place in enumerate(places)
    ]
    # a row group is read for each image in it
    return Listed(entries, contents.names(columns.label), bool(splits), in_order=inside)


def _open(path: Path) -> Contents:
    from pyarrow.parquet import ParquetFile

    with as_parquet(path):
        open_regular(path).close()  # pyarrow would wait at a pipe
        file = ParquetFile(path)
        said: Any = parse_json((file.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
    for name in ("info", "features"):  # what another tool put there is none of `datasets`
        said = said.get(name, {}) if isinstance(said, dict) else {}
    return Contents(path, file, said if isinstance(said, dict) else {})


@contextmanager
def as_parquet(path: Path) -> Iterator[None]:
    """Have what pyarrow raises for a broken file be BadInput."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        reason = " ".join(str(error).split())[:100]
        raise BadInput(f"{path}: cannot be read as Parquet ({reason}); fetch it again") from error


def _columns(contents: Contents, reading: Reading) -> Columns:
    """Return which columns are used; the only image and the only ClassLabel need no usual name."""
    schema = contents.file.schema_arrow
    names = list(schema.names)
    images = [name for name in names if name in contents.of_type(IMAGE) or _holds_bytes(schema.field(name).type)]
    declared = contents.of_type(CLASS_LABEL)
    if reading.file_column is None and len(images) == 1:
        reading = replace(reading, file_column=images[0])
    if reading.label is None and len(declared) == 1 and not any(name.lower() in LABEL_COLUMNS for name in names):
        reading = replace(reading, label=declared[0])
    return columns_of(contents.path, names, reading)


def _holds_bytes(type_: Any) -> bool:
    from pyarrow import types

    return bool(
        types.is_binary(type_)
        or types.is_large_binary(type_)
        or (types.is_struct(type_) and any(_holds_bytes(field.type) for field in type_))
    )


def _images(contents: Contents, column: str) -> tuple[bool, list[str]]:
    """Return whether the images are in the file, and the path of each, empty where there is none."""
    type_ = contents.file.schema_arrow.field(column).type
    if not _holds_bytes(type_):
        texts = contents.texts(column, PATH_LETTERS)
        return False, [with_slashes(contents.path.parent, text) for text in texts]
    if not hasattr(type_, "names") or "path" not in type_.names:
        return True, [""] * contents.file.metadata.num_rows
    # the paths alone: the bytes next to them are the size of the whole set
    return True, [str((value or {}).get("path") or "") for value in contents.values(column, "path")]


def _labels(contents: Contents, column: str) -> list[str]:
    """Return the labels as texts; those of a ClassLabel by their names. BadInput for a number without a name."""
    if not column:
        return []
    texts, names = contents.texts(column), contents.names(column)
    if names is None:
        return texts
    known = {str(number): name for number, name in enumerate(names)} | {"": "", "-1": "-1"}
    for row, text in enumerate(texts):
        if whole(text) not in known:
            raise BadInput(f"{contents.path}: row {row}: column {plain(column)} is {text}; want 0 to {len(names) - 1}")
    return [known[whole(text)] for text in texts]


def _read_inside(path: Path, column: str, group: int, row: int) -> bytes:
    """Return the bytes of an image, or of the file that it names where it has none."""
    try:
        with as_parquet(path):
            value = _column_of_group(path, column, group)[row].as_py()
    except BadInput as error:
        raise Unusable(str(error).removeprefix(f"{path}: ")) from error
    payload = value.get("bytes") if isinstance(value, dict) else value
    if payload is None and isinstance(value, dict) and value.get("path"):
        return read_file(path.parent / value["path"])
    if payload is None:
        raise Unusable("no image in this row")
    return bytes(payload)


@lru_cache(maxsize=1)
def _column_of_group(path: Path, column: str, group: int) -> Any:
    """Return a column of a row group, the last one kept: rows are read one after another."""
    from pyarrow.parquet import ParquetFile

    return ParquetFile(path).read_row_group(group, columns=[column]).column(column)
