"""One set of images written in each of the ways in which sources have them, and read again."""

import csv
import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from PIL import Image
from pyarrow import parquet

from shared.sources.items import Source
from shared.sources.reading import Reading
from shared.sources.table import SOURCES


@dataclass(frozen=True)
class Row:
    """An image as a set describes it; empty where it says nothing."""

    label: str
    split: str = ""
    group: str = ""


def png(number: int) -> bytes:
    """Return the file of a picture that is unique to this number."""
    out = BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def fields(row: Row, rows: Sequence[Row]) -> dict[str, str]:
    """Return what a table says of an image, in columns that say something of any image."""
    found = {"label": row.label}
    found |= {"split": row.split} if any(other.split for other in rows) else {}
    return found | ({"group": row.group} if any(other.group for other in rows) else {})


def write_folders(place: Path, rows: Sequence[Row]) -> Path:
    """Write SPLIT/LABEL/GROUP-NUMBER.png; without the split where there is none."""
    for number, row in enumerate(rows):
        path = place / row.split / row.label / f"{row.group or 'x'}-{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    return place


def write_images(place: Path, rows: Sequence[Row]) -> list[str]:
    """Write the images of a table and return their paths relative to it."""
    (place / "images").mkdir(parents=True)
    names = [f"images/{row.group or 'x'}-{number:03d}.png" for number, row in enumerate(rows)]
    for number, name in enumerate(names):
        (place / name).write_bytes(png(number))
    return names


def write_csv(place: Path, rows: Sequence[Row]) -> Path:
    """Write a CSV."""
    lines = [{"file": name} | fields(row, rows) for name, row in zip(write_images(place, rows), rows, strict=True)]
    with (place / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return place / "t.csv"


def write_json_lines(place: Path, rows: Sequence[Row]) -> Path:
    """Write JSON lines, labels that are numbers as numbers."""
    lines = [{"file": name} | fields(row, rows) for name, row in zip(write_images(place, rows), rows, strict=True)]
    numbers = [line | {"label": int(line["label"])} if line["label"].isdecimal() else line for line in lines]
    # what is escaped and what is not must be read alike
    (place / "t.jsonl").write_text("\n".join(json.dumps(line) for line in numbers), encoding="utf-8")
    return place / "t.jsonl"


def write_parquet(place: Path, rows: Sequence[Row]) -> Path:
    """Write Parquet with the images in it, several row groups."""
    place.mkdir(parents=True)
    images = [{"bytes": png(number), "path": f"{row.group or 'x'}-{number:03d}.png"} for number, row in enumerate(rows)]
    table = pyarrow.Table.from_pylist(
        [{"image": image} | fields(row, rows) for image, row in zip(images, rows, strict=True)]
    )
    parquet.write_table(table, place / "t.parquet", row_group_size=7)
    return place / "t.parquet"


def write_shards(place: Path, rows: Sequence[Row]) -> Path:
    """Write a tar for each split, named for it, with the label and group in the json of each sample."""
    place.mkdir(parents=True)
    for split in dict.fromkeys(row.split for row in rows):
        with tarfile.open(place / f"{split or 'set'}-000.tar", "w") as tar:
            for number, row in enumerate(rows):
                if row.split != split:
                    continue
                said = {"label": row.label, "group": row.group}
                for kind, payload in (("png", png(number)), ("json", json.dumps(said).encode())):
                    header = tarfile.TarInfo(f"{row.group or 'x'}-{number:03d}.{kind}")
                    header.size = len(payload)
                    tar.addfile(header, BytesIO(payload))
    return place


WRITERS: dict[str, Callable[[Path, Sequence[Row]], Path]] = {
    "folder": write_folders,
    "csv": write_csv,
    "jsonl": write_json_lines,
    "parquet": write_parquet,
    "webdataset": write_shards,
}
"""How a set is written, by the kind of its layout."""

TABLES = ("csv", "jsonl", "parquet")
"""The kinds that can say anything of an image; a folder's name must be one that a folder can have."""


def written(kind: str, place: Path, rows: Sequence[Row], **reading: Any) -> Source:
    """Write a set in a layout and read it."""
    return read(WRITERS[kind](place / "set", rows), kind if kind in SOURCES else "csv", Reading(**reading))


def read(place: Path, source: str, reading: Reading) -> Source:
    """Read a set as one of the rows of SOURCES."""
    return SOURCES[source].read.get()(place, reading)


def labels_of(source: Source) -> dict[int, str]:
    """Return the class of each image by its number in the set, read from its pixels' file."""
    numbers = {png(number): number for number in range(100)}
    return {numbers[item.read()]: source.classes[item.label] for item in source.items}
