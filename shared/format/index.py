"""The index of a shard: where each sample lies in the tar, so that one is read and checked without the others.

The file begins with a header of 16 bytes: MAGIC, the version and the number of samples as little-endian uint32. A row
of 20 bytes for each sample follows, in the order of the shard: INDEX_ROW.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import FormatError
from shared.format import tar
from shared.format.outside import regular_descriptor
from shared.format.sample import MEMBER_TYPES, Members, decode_label
from shared.objects.fetching import fetch_range

MAGIC = b"halfidx\0"
VERSION = 1
HEADER = struct.Struct("<8sII")
INDEX_ROW = np.dtype([("offset", "<u8"), ("bytes", "<u4"), ("label", "<u4"), ("crc32", "<u4")])
"""A sample: the byte of the tar at which its members begin, how many bytes they take with headers and padding, its
label, and the CRC-32 (that of zlib) of these bytes."""

Row = tuple[int, int, int, int]
"""The same as numbers."""


def encode_index(rows: NDArray[np.void]) -> bytes:
    """Return the file of an index; `rows` is INDEX_ROW (samples,). Equal rows give equal bytes."""
    packed = np.asarray(rows, INDEX_ROW)
    return HEADER.pack(MAGIC, VERSION, len(packed)) + packed.tobytes()


def decode_index(payload: bytes, where: str) -> NDArray[np.void]:
    """Return INDEX_ROW (samples,) of an index's file; `where` names it in errors.

    Raises FormatError for another file, another version, a file that is cut off or goes on, and rows that do not follow
    each other from the first byte of the tar on in whole blocks.
    """
    if len(payload) < HEADER.size or payload[: len(MAGIC)] != MAGIC:
        raise FormatError(f"{where}: is not the index of a shard")
    _, version, count = HEADER.unpack_from(payload)
    if version != VERSION:
        raise FormatError(f"{where}: version {version} of an index, this build reads {VERSION}")
    wanted = HEADER.size + count * INDEX_ROW.itemsize
    if len(payload) != wanted:
        raise FormatError(f"{where}: {len(payload)} bytes, want {wanted} for {count} samples")
    rows = np.frombuffer(payload, INDEX_ROW, offset=HEADER.size)
    sizes = rows["bytes"].astype(np.uint64)
    if (sizes == 0).any() or (sizes % tar.BLOCK).any() or (rows["offset"] != np.cumsum(sizes) - sizes).any():
        raise FormatError(f"{where}: its samples do not follow each other in blocks of {tar.BLOCK} bytes")
    return rows


def index_of(payload: bytes, where: str) -> NDArray[np.void]:
    """Return INDEX_ROW (samples,) of the tar in `payload`, as a shard that has no index needs it; reads all of it.

    `where` names the tar in errors. Raises FormatError where it is no shard.
    """
    return np.array([row for row, _ in with_rows(payload, where)], INDEX_ROW)


def with_rows(payload: bytes, where: str) -> Iterator[tuple[Row, Members]]:
    """Yield each sample of the tar in `payload` with its row of the index, as INDEX_ROW has it; as `index_of`."""
    start = 0
    for key, members, end in _samples(payload, where):
        yield (start, end - start, _label(members, where), zlib.crc32(memoryview(payload)[start:end])), (key, members)
        start = end


def read_at(path: Path, row: np.void) -> Members:
    """Return the members of one sample of the shard `path`, read by its `row` of the index, undecoded.

    Raises FormatError where the shard is missing or ends before, where the bytes are not those that were written, and
    where they are not one sample.
    """
    return members_at(read_range(path, int(row["offset"]), int(row["bytes"])), row, str(path))


def read_range(path: Path, start: int, length: int) -> bytes:
    """Return `length` bytes of a shard from byte `start` on, fewer at its end; FormatError where it is missing.

    A shard that an object store has is read there, by one request.
    """
    try:
        descriptor = regular_descriptor(path)
    except FileNotFoundError as error:
        payload = fetch_range(path, start, length)
        if payload is None:
            raise FormatError(f"{path}: missing, but its manifest lists it") from error
        return payload
    try:
        return os.pread(descriptor, length, start)
    finally:
        os.close(descriptor)


def members_at(payload: bytes, row: np.void, where: str) -> Members:
    """Return the sample whose bytes in its shard are `payload`, checked against its `row`; as `read_at`."""
    place = f"{where}: the sample at byte {row['offset']}"
    if len(payload) != row["bytes"]:
        raise FormatError(f"{place} has {len(payload)} bytes, its index says {row['bytes']}")
    if zlib.crc32(payload) != row["crc32"]:
        raise FormatError(f"{place} was altered since it was written (its CRC-32 is not the index's)")
    found = list(_samples(payload, place))
    if len(found) != 1 or found[0][2] != len(payload):
        raise FormatError(f"{place}: {len(found)} samples are there, want one")
    key, members, _ = found[0]
    if _label(members, place) != row["label"]:
        raise FormatError(f"{place} has label {members['cls'][:20]!r}, its index says {row['label']}")
    return key, members


def samples_of(payload: bytes, where: str) -> Iterator[Members]:
    """Yield the samples of the tar in `payload`; FormatError for what is no tar, and other members than the format's.

    `where` names the tar in errors.
    """
    return ((key, members) for key, members, _ in _samples(payload, where))


def _samples(payload: bytes, where: str) -> Iterator[tuple[str, dict[str, bytes], int]]:
    """Yield (key, bytes by member type, where it ends) of each sample of a tar."""
    end = 0
    try:
        # as webdataset does: members of one sample follow each other, and the key ends at the first dot
        for key, group in groupby(tar.members(payload), key=lambda member: member[0].split(".", 1)[0]):
            members = {name.partition(".")[2]: _content(where, name, content) for name, content in group}
            end += sum(map(tar.size_of, members.values()))
            yield key, members, end
    except ValueError as error:
        raise FormatError(f"{where}: not a tar that can be read ({error})") from error


def _content(where: str, name: str, content: bytes | None) -> bytes:
    if content is None or name.partition(".")[2] not in MEMBER_TYPES:
        raise FormatError(f"{where}: member {name!r} is no plain file of type .{', .'.join(MEMBER_TYPES)}")
    return content


def _label(members: dict[str, bytes], where: str) -> int:
    try:
        return decode_label(members["cls"])
    except (KeyError, ValueError) as error:
        raise FormatError(f"{where}: no label can be read ({error})") from error
