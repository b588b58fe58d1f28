"""CelebA as its authors publish it, as torchvision leaves it, and as Kaggle ships it."""

import hashlib
from pathlib import Path
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from shared.attributes import combinations, labels_of, several
from shared.errors import BadInput
from shared.format.outside import read_regular
from shared.limits import TABLE_BYTES
from shared.sources.items import Source, from_file, plain
from shared.sources.published.sets import download, settled
from shared.sources.reading import Reading

CELEBA_MD5 = {
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
}
"""Copied from torchvision, which would be imported in every process for these three lines alone."""

ATTRIBUTES, PARTITION, IMAGES = "list_attr_celeba", "list_eval_partition", "img_align_celeba"
"""The tables and the folder of images, under the authors' names without a suffix."""

SPLITS = {"0": "train", "1": "val", "2": "test"}


def celeba(place: Path, reading: Reading) -> Source:
    """Return CelebA's aligned faces, 178x218 px, labelled by one of 40 attributes, default Young, or by several.

    `place` holds `img_align_celeba`, `list_attr_celeba.txt` and `list_eval_partition.txt`, itself or in `celeba`; if
    not, torchvision downloads them to `celeba` there (it needs gdown). Kaggle's set is read, too: tables as .csv, and
    images in `img_align_celeba/img_align_celeba`. The partition is the official one, in which no
    person is in two splits: 162,770 / 19,867 / 19,962. Class 1 has the attribute, class 0 has not; of several
    attributes the classes are their combinations.
    """
    folder = _complete_celeba(place)
    if reading.verify_md5:
        _check_md5(folder)
    wanted = several(reading.label) or ((reading.label or "").strip(" ,"),)
    # image by image from the tables, not through torchvision's class, which checks no image and stops in mid-epoch
    tables = [_table(folder, name) for name in (ATTRIBUTES, PARTITION)]
    names, header, values = _attributes(tables[0])
    for attribute in wanted:
        if attribute not in header:
            raise BadInput(f"--label {attribute}: CelebA has no such attribute; it has {', '.join(header)}")
    labels = labels_of(values[:, [header.index(attribute) for attribute in wanted]] > 0).tolist()
    partition = _partition(tables[1], names)
    inner = folder / IMAGES / IMAGES
    images = inner if inner.is_dir() else folder / IMAGES
    # one listing, in place of a question to the file system for each of 202,599 files
    there = {path.name for path in images.iterdir()} if images.is_dir() else set()
    missing = [name for name in names if name not in there]
    if missing:
        raise BadInput(
            f"{images}: {len(missing):,} of {len(names):,} images are missing ({missing[0]}, ...); "
            f"unpack all of img_align_celeba.zip (md5 {CELEBA_MD5['img_align_celeba.zip']}) into {folder}"
        )
    items = [
        from_file(images / name, label, {"source": "celeba", "file": name, "attribute": ",".join(wanted)})
        for name, label in zip(names, labels, strict=True)
    ]
    unchecked = [table.name for table in tables if table.suffix == ".csv"]
    said = f"tables that Kaggle made, for which no md5 is published: {', '.join(unchecked)}"
    return Source(
        _classes(wanted),
        items,
        partition,
        warnings=[said] if unchecked and reading.verify_md5 else [],
        attributes=wanted if len(wanted) > 1 else (),
    )


def _classes(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the classes, in the order of labels."""
    if len(wanted) > 1:
        return tuple(combinations(wanted))
    # the attribute's absence needs a name of its own in tables and folders
    return {"Young": "Old", "Male": "Female"}.get(wanted[0], f"not {wanted[0]}"), wanted[0]


def _complete_celeba(place: Path) -> Path:
    """Return the folder of CelebA's images and tables, downloaded where no images are there.

    It is `place`, or `celeba` in it if that has more of the files. BadInput names what is missing.
    """
    inner = place / "celeba"
    there = settled(place, lambda: {path for folder in (inner, place) for path in _files(folder) if path.exists()})
    folder = max((inner, place), key=lambda folder: len(there.intersection(_files(folder))))
    missing = [path.name for path in (_table(folder, ATTRIBUTES), _table(folder, PARTITION)) if path not in there]
    archive = folder / f"{IMAGES}.zip"
    if folder / IMAGES in there:
        if missing:
            raise BadInput(f"{folder}: no {' and no '.join(missing)}; copy what is missing there")
    elif archive in there and is_zipfile(archive):
        raise BadInput(f"{archive}: is not unpacked; unpack it into {folder}")
    else:
        cut = " (the zip there is cut short)" if archive in there else ""
        wanted = [*missing, f"{archive.name}, unpacked{cut}"]
        download("CelebA", place, inner, f"{'; '.join(wanted)} to {folder}")
        return inner
    return folder


def _files(folder: Path) -> list[Path]:
    """Return where CelebA's files are in a folder."""
    return [_table(folder, ATTRIBUTES), _table(folder, PARTITION), folder / IMAGES, folder / f"{IMAGES}.zip"]


def _table(folder: Path, name: str) -> Path:
    """Return the path of a table: the authors' .txt, or Kaggle's .csv where only that is there."""
    csv = folder / f"{name}.csv"
    authors = csv.with_suffix(".txt")
    return csv if csv.exists() and not authors.exists() else authors


def _rows(path: Path) -> list[list[str]]:
    """Return the words of each line of a table, empty ones left out."""
    # utf-8-sig: Excel saves a table with a byte order mark
    lines = read_regular(path, TABLE_BYTES).decode("utf-8-sig").splitlines()
    separator = "," if path.suffix == ".csv" else None
    return [[word.strip() for word in line.split(separator)] for line in lines if line.strip()]


def _attributes(path: Path) -> tuple[list[str], list[str], NDArray[np.int8]]:
    """Return file names, attribute names and values (-1 or 1) of CelebA's attribute table."""
    try:
        rows = _rows(path)
        count = None
        if path.suffix == ".csv":
            header, rows = _without_header(rows)
        else:
            first = " ".join(rows[0]) if rows else ""
            if not first.isdecimal():
                raise ValueError(f"line 1 was {plain(first[:40]) or 'empty'}, want the number of images")
            count, header, rows = int(first), rows[1] if len(rows) > 1 else [], rows[2:]
        _check_lengths(rows, 1 + len(header), first_line=2 if count is None else 3)
        values = np.array([row[1:] for row in rows], dtype=np.int8).reshape(len(rows), len(header))
        if count not in (None, len(rows)):
            raise ValueError(f"{len(rows)} rows, its first line says {count}")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path}: not CelebA's attribute table ({error}); a quota page instead of the file? fetch it again"
        ) from error
    return [row[0] for row in rows], header, values


def _without_header(rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns after image_id, and the rows below; ValueError where the first is another."""
    if not rows or rows[0][0] != "image_id":
        raise ValueError(f"line 1 was {plain(','.join(rows[0])[:40]) if rows else 'empty'}, want image_id,...")
    return rows[0][1:], rows[1:]


def _check_lengths(rows: list[list[str]], want: int, first_line: int) -> None:
    """Raise ValueError for the first row that has not `want` words."""
    for number, row in enumerate(rows, first_line):
        if len(row) != want:
            raise ValueError(f"line {number} has {len(row)} words, want {want}")


def _partition(path: Path, names: list[str]) -> list[str]:
    """Return the official split of each of these file names."""
    csv = path.suffix == ".csv"
    try:
        rows = _rows(path)
        if csv:
            _, rows = _without_header(rows)
        _check_lengths(rows, 2, first_line=2 if csv else 1)
        splits = {name: SPLITS[number] for name, number in rows}
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(f"{path}: not CelebA's partition ({error}); fetch it again") from error
    missing = [name for name in names if name not in splits]
    if missing:
        raise BadInput(
            f"{path}: {len(missing):,} of {len(names):,} images are missing ({missing[0]}, ...); fetch it again"
        )
    # Kaggle's tables do not say how many rows they have
    if csv and len(splits) > len(names):
        raise BadInput(f"{path}: {len(splits):,} images, the attributes are of {len(names):,}; fetch both again")
    return [splits[name] for name in names]


def _check_md5(folder: Path) -> None:
    for path in (_table(folder, ATTRIBUTES), _table(folder, PARTITION)):
        name = path.name
        if name not in CELEBA_MD5:
            continue
        # md5 is what torchvision publishes; it guards against a wrong download, not against an attacker
        payload = read_regular(path, TABLE_BYTES) if path.is_file() else None
        digest = "missing" if payload is None else hashlib.md5(payload, usedforsecurity=False).hexdigest()
        if digest != CELEBA_MD5[name]:
            raise BadInput(
                f"{path}: md5 {digest}, want {CELEBA_MD5[name]}; a quota page instead of the file, or another version?"
                "\n"
                f"fetch {name} of CelebA again and copy it to {folder} (or say --no-verify-md5 if it is meant so)"
            )
