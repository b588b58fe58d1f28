"""Write and read shards: plain POSIX tars of samples whose bytes depend on the samples alone."""

import hashlib
import zlib
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.disk.durable import write_whole, writing_whole
from shared.errors import FormatError
from shared.format import tar
from shared.format.files import read_whole, sha256
from shared.format.index import INDEX_ROW, decode_index, encode_index, index_of, read_at, samples_of
from shared.format.manifest import ShardInfo, Split
from shared.format.records import IndexInfo, index_name
from shared.format.sample import Members, Sample, decode, decode_label, encode

DEFAULT_SHARD_IMAGES = 1000
"""Samples in a shard unless asked otherwise; the last shard of a split may hold fewer."""


def write_split(
    folder: Path, split: str, samples: Iterable[Sample], *, class_count: int, shard_images: int, indexed: bool = True
) -> Split:
    """Write `samples`, in the order given, as `<split>-00000.tar`, ... into `folder`; return their record.

    Each shard, and its index where it is `indexed`, is written to a temporary sibling, flushed to disk and renamed.
    Equal samples and `shard_images` give equal bytes.
    """
    remaining = ((sample.key, encode(sample)) for sample in samples)
    shards: list[ShardInfo] = []
    keys: set[str] = set()
    for first in remaining:
        path = folder / shard_name(split, len(shards))
        batch = _of_new_keys(chain([first], islice(remaining, shard_images - 1)), keys, path)
        shards.append(write_shard(path, batch, class_count, indexed=indexed))
    return join(shards, class_count)


def shard_ranges(total: int, shard_images: int) -> list[range]:
    """Return the places of the images of each shard, of `total` images, `shard_images` in each but the last."""
    return [range(start, min(start + shard_images, total)) for start in range(0, total, shard_images)]


def shard_name(split: str, number: int) -> str:
    """Return the file name of a split's shard `number`, counted from 0."""
    return f"{split}-{number:05d}.tar"


def _of_new_keys(samples: Iterable[Members], keys: set[str], path: Path) -> Iterator[Members]:
    """Yield `samples` and add their keys to `keys`; FormatError for one that is in there already."""
    for key, members in samples:
        if key in keys:
            raise FormatError(f"{path}: key {key!r} comes twice; want a key of its own for each sample")
        keys.add(key)
        yield key, members


def write_shard(path: Path, samples: Iterable[Members], class_count: int, *, indexed: bool = True) -> ShardInfo:
    """Write encoded samples, at least one, as they come, into one shard; return its record. Only one is held.

    The index is written next to it, unless the shard is for readers of other formats and is not to be `indexed`.
    """
    counts, rows = [0] * class_count, []
    digest, size_bytes = hashlib.sha256(), 0
    with writing_whole(path) as stream:
        for key, members in samples:
            label = decode_label(members["cls"])
            if label >= class_count:
                raise FormatError(f"{path}: sample {key!r} has label {label}, want 0..{class_count - 1}")
            counts[label] += 1
            content = b"".join(tar.member(f"{key}.{kind}".encode(), payload) for kind, payload in members.items())
            rows.append((size_bytes, len(content), label, zlib.crc32(content)))
            digest.update(content)  # as it is written, rather than read back afterwards
            size_bytes += stream.write(content)
        end = tar.closing(size_bytes)
        digest.update(end)
        size_bytes += stream.write(end)
        # before the shard has its name, so that one that has it has an index
        index = _write_index(path.with_name(index_name(path.name)), rows) if indexed else None
    return ShardInfo(
        name=path.name,
        count=len(rows),
        class_counts=counts,
        bytes=size_bytes,
        sha256=digest.hexdigest(),
        index=index,
    )


def _write_index(path: Path, rows: list[tuple[int, int, int, int]]) -> IndexInfo:
    payload = encode_index(np.array(rows, INDEX_ROW))
    write_whole(path, payload)
    return IndexInfo(bytes=len(payload), sha256=sha256(payload))


def join(shards: list[ShardInfo], class_count: int) -> Split:
    """Return the split that is made of `shards`, in reading order; its pages are written when it is committed."""
    counts = np.zeros(class_count, np.int64)
    for shard in shards:
        counts += shard.class_counts
    return Split(count=sum(shard.count for shard in shards), class_counts=counts.tolist(), shards=shards)


def read_shard(path: Path, info: ShardInfo) -> Iterator[Sample]:
    """Yield the samples of one shard after checking the whole file against its record in the manifest.

    Raises FormatError when the shard is missing, truncated, altered, or holds other members than the format's.
    """
    for key, members in read_members(path, info):
        yield decode(key, members, str(path))


def read_members(path: Path, info: ShardInfo) -> Iterator[Members]:
    """Yield (key, bytes by member type) for each sample of a shard, undecoded; checks as `read_shard`."""
    payload = read_whole(path, info.bytes, info.sha256)
    count = 0
    for members in samples_of(payload, str(path)):
        count += 1
        yield members
    if count != info.count:
        raise FormatError(f"{path}: {count} samples, the manifest says {info.count}")


def read_index(path: Path, info: ShardInfo) -> NDArray[np.void]:
    """Return INDEX_ROW (samples,) of the shard `path`; of one of version 1 after reading all of it.

    Raises FormatError where the index is missing, altered, or not that of a shard with this record.
    """
    if info.index is None:
        where, rows = path, index_of(read_whole(path, info.bytes, info.sha256), str(path))
    else:
        where = path.with_name(index_name(path.name))
        rows = decode_index(read_whole(where, info.index.bytes, info.index.sha256), str(where))
    if len(rows) != info.count:
        raise FormatError(f"{where}: {len(rows)} samples, the manifest says {info.count}")
    if rows["bytes"].sum(dtype=np.uint64) > info.bytes:
        raise FormatError(f"{where}: its samples go beyond the {info.bytes} bytes of the shard")
    # the largest first: a label of 4 billion must not make an array of as many counts
    if rows["label"].max() >= len(info.class_counts) or (
        np.bincount(rows["label"], minlength=len(info.class_counts)).tolist() != info.class_counts
    ):
        raise FormatError(f"{where}: its labels are not those that the manifest counts")
    return rows


def preview(folder: Path, split: Split, per_class: int, labels: Collection[int] | None = None) -> list[Sample]:
    """Return the first `per_class` samples of each class, in reading order; reads no other sample of an indexed shard.

    With `labels` those of these classes alone. No more indexes are read than must be, either.
    """
    asked = range(len(split.class_counts)) if labels is None else set(labels)
    wanted = [min(per_class, count) if label in asked else 0 for label, count in enumerate(split.class_counts)]
    samples = []
    for shard in split.shards:
        if not any(wanted):
            break
        if not any(map(min, wanted, shard.class_counts)):
            continue
        path = folder / shard.name
        for row in read_index(path, shard):
            label = int(row["label"])
            if wanted[label]:
                wanted[label] -= 1
                samples.append(decode(*read_at(path, row), str(path)))
    return samples
