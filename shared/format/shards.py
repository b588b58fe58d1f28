"""Write and read shards: plain POSIX tars of samples whose bytes depend on the samples alone."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from shared.errors import FormatError
from shared.format import tar
from shared.format.files import read_whole, writing_whole
from shared.format.index import samples_of
from shared.format.manifest import ShardInfo, Split
from shared.format.sample import Members, Sample, decode, decode_label, encode

DEFAULT_SHARD_IMAGES = 1000
"""Samples in a shard unless asked otherwise; the last shard of a split may hold fewer."""


def write_split(folder: Path, split: str, samples: Iterable[Sample], *, class_count: int, shard_images: int) -> Split:
    """Write `samples`, in the order given, as `<split>-00000.tar`, ... into `folder`; return their record.

    Each shard is written to a temporary sibling, flushed to disk and renamed. Equal samples and
    `shard_images` give equal bytes.
    """
    remaining = ((sample.key, encode(sample)) for sample in samples)
    shards: list[ShardInfo] = []
    keys: set[str] = set()
    for first in remaining:
        path = folder / shard_name(split, len(shards))
        batch = _of_new_keys(chain([first], islice(remaining, shard_images - 1)), keys, path)
        shards.append(write_shard(path, batch, class_count))
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


def write_shard(path: Path, samples: Iterable[Members], class_count: int) -> ShardInfo:
    """Write encoded samples, at least one, as they come, into one shard; return its record. Only one is held."""
    counts = [0] * class_count
    digest, size_bytes = hashlib.sha256(), 0
    with writing_whole(path) as stream:

        def put(content: bytes) -> int:
            digest.update(content)  # as it is written, rather than read back afterwards
            return stream.write(content)

        for key, members in samples:
            label = decode_label(members["cls"])
            if label >= class_count:
                raise FormatError(f"{path}: sample {key!r} has label {label}, want 0..{class_count - 1}")
            counts[label] += 1
            for kind, payload in members.items():
                size_bytes += put(tar.member(f"{key}.{kind}".encode(), payload))
        size_bytes += put(tar.closing(size_bytes))
    return ShardInfo(
        name=path.name, count=sum(counts), class_counts=counts, bytes=size_bytes, sha256=digest.hexdigest()
    )


def join(shards: list[ShardInfo], class_count: int) -> Split:
    """Return the record of a split that is made of `shards`, in reading order."""
    class_counts = [sum(counts) for counts in zip(*(shard.class_counts for shard in shards), strict=True)]
    return Split(
        count=sum(shard.count for shard in shards), class_counts=class_counts or [0] * class_count, shards=shards
    )


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


def preview(folder: Path, split: Split, per_class: int) -> list[Sample]:
    """Return the first `per_class` samples of each class, in reading order; reads no more shards than it must."""
    wanted = [min(per_class, count) for count in split.class_counts]
    samples = []
    for shard in split.shards:
        for sample in read_shard(folder / shard.name, shard):
            if wanted[sample.label]:
                wanted[sample.label] -= 1
                samples.append(sample)
        if not any(wanted):
            break
    return samples
