"""Everything that can be wrong with one shard, rather than the first thing that a reader would stumble on."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import FormatError
from shared.format.files import read_whole
from shared.format.index import index_of, samples_of
from shared.format.manifest import Dataset, ShardInfo
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
    keys: NDArray[np.uint64] = np.zeros(0, np.uint64)
    problems: list[tuple[str, str]] = []
    wanted = None
    if info.index is not None:
        try:
            wanted = read_index(path, info)
        except FormatError as error:
            problems.append((path.with_suffix(".idx").name, str(error)))
    try:
        payload = read_whole(path, info.bytes, info.sha256)
        rows = index_of(payload, str(path))
        keys = np.array([key_number(key) for key, _ in samples_of(payload, str(path))], np.uint64)
        problems += [(path.name, what) for what in _samples_problems(payload, path, pictures)]
    except FormatError as error:
        return ShardReport(keys, [*problems, (path.name, str(error))])
    labels = rows["label"] if len(rows) else np.zeros(0, np.uint32)
    counts = np.bincount(labels[labels < len(info.class_counts)], minlength=len(info.class_counts))
    if len(rows) != info.count or counts.tolist() != info.class_counts:
        problems.append((path.name, f"{len(rows)} samples, or their classes, are not those that its record counts"))
    if wanted is not None and not np.array_equal(wanted, rows):
        problems.append((path.with_suffix(".idx").name, "does not say where the samples of its shard are"))
    return ShardReport(keys, problems)


def key_number(key: str) -> int:
    """Return 64 bits of a hash of a key: equal keys have equal numbers, and different ones nearly never."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


def _samples_problems(payload: bytes, path: Path, pictures: Pictures | None) -> Iterator[str]:
    broken = 0
    for key, members in samples_of(payload, str(path)):
        what = _sample_problem(key, members, pictures)
        broken += bool(what)
        if what and broken <= SHOWN:
            yield f"sample {key!r} {what}"
    if broken > SHOWN:
        yield f"{broken - SHOWN} more samples are broken"


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
