"""Everything that can be wrong with one shard, rather than the first thing that a reader would stumble on."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import FormatError
from shared.format.files import read_whole
from shared.format.index import INDEX_ROW, Row, with_rows
from shared.format.manifest import Dataset, ShardInfo
from shared.format.records import index_name
from shared.format.sample import KEY, MEMBER_TYPES, decode
from shared.format.shards import read_index

SHOWN = 3
"""Broken samples of a shard that are named; the rest are counted."""


@dataclass(frozen=True)
class Pictures:
    """What every picture of a dataset is: `size_px` wide and high, with this many channels."""

    size_px: int
    channels: int

    @classmethod
    def of(cls, dataset: Dataset) -> "Pictures":
        """Return what the pictures of `dataset` are."""
        return cls(dataset.size_px, dataset.channels)


@dataclass(frozen=True)
class ShardReport:
    """What was found in a shard: the numbers of its keys, uint64 (samples,), and what is wrong with which file."""

    keys: NDArray[np.uint64]
    problems: list[tuple[str, str]]


def check_shard(path: Path, info: ShardInfo, pictures: Pictures | None) -> ShardReport:
    """Check the shard `path` and its index against their record, and each sample, whose picture is decoded if asked.

    Without `pictures` none is decoded, nor what its json says. OSErrors leave this with their file's name.
    """
    rows: list[Row] = []
    keys: list[int] = []
    problems: list[tuple[str, str]] = []
    wanted = None
    index = index_name(path.name)
    try:
        wanted = read_index(path, info) if info.index is not None else None
    except FormatError as error:
        problems.append((index, str(error)))
    try:
        payload = read_whole(path, info.bytes, info.sha256)
        broken = []
        for row, (key, members) in with_rows(payload, str(path)):
            rows.append(row)
            keys.append(key_number(key))
            if what := _sample_problem(key, members, pictures):
                broken.append(f"sample {key!r} {what}")
        problems += [(path.name, what) for what in broken[:SHOWN]]
        if broken[SHOWN:]:
            problems.append((path.name, f"{len(broken) - SHOWN} more samples are broken"))
        if Counter(label for _, _, label, _ in rows) != +Counter(dict(enumerate(info.class_counts))):
            problems.append((path.name, "its samples are not those that its record counts"))
        if wanted is not None and not np.array_equal(wanted, np.array(rows, INDEX_ROW)):
            problems.append((index, "does not say where the samples of its shard are"))
    except FormatError as error:
        problems.append((path.name, str(error)))
    return ShardReport(np.array(keys, np.uint64), problems)


def key_number(key: str) -> int:
    """Return 64 bits of a hash of a key: equal keys have equal numbers, and different ones nearly never."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


def _sample_problem(key: str, members: dict[str, bytes], pictures: Pictures | None) -> str:
    """Return what is wrong with a sample; nothing if all is well."""
    missing = [kind for kind in MEMBER_TYPES if kind not in members]
    if missing:
        return f"has no .{' and no .'.join(missing)}"
    if not KEY.fullmatch(key):
        return "has a key that the format forbids"
    if pictures is None:
        return ""
    try:
        shape = decode(key, members, "").image.shape
    except FormatError as error:
        return str(error).partition(f"sample {key!r} ")[2]
    wanted = (pictures.size_px, pictures.size_px, pictures.channels)
    return "" if shape == wanted else f"has a picture of {shape}, want {wanted}"
