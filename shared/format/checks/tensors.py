"""Whether a safetensors file is whole: by its header, and by the hash of its numbers where it has one. No torch."""

import hashlib
import json
import os
from pathlib import Path
from typing import BinaryIO

from shared.errors import FormatError
from shared.format.outside import open_regular
from shared.format.tensor_header import HEADER, LENGTH_BYTES
from shared.limits import TENSOR_HEADER_BYTES

BLOCK_BYTES = 1 << 20

Places = dict[str, tuple[int, int]]
"""Where the bytes of each tensor begin and end, by its name, counted from the end of the header."""


def check_tensors(path: Path) -> None:
    """Raise FormatError unless the tensors of the file `path` fill it and are as they were written.

    That they are is known of files that say so themselves: checkpoints and snapshots.
    """
    with open_regular(path) as stream:
        size_bytes = os.fstat(stream.fileno()).st_size
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        start = LENGTH_BYTES + length
        if start > size_bytes:
            raise FormatError(f"{path}: cut off within its header")
        if length > TENSOR_HEADER_BYTES:
            raise FormatError(f"{path}: a header of {length:,} bytes, want at most {TENSOR_HEADER_BYTES:,}")
        try:
            places, digest = _read_header(stream.read(length))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FormatError(f"{path}: no safetensors file ({type(error).__name__}: {error})") from error
        end = 0
        for first, last in sorted(places.values()):
            if first != end or last < first:
                raise FormatError(f"{path}: its tensors do not follow each other")
            end = last
        if size_bytes != start + end:
            raise FormatError(f"{path}: {size_bytes} bytes, its header says {start + end}")
        if digest is not None and _digest(stream, start, places) != digest:
            raise FormatError(f"{path}: its numbers were altered since it was written")


def _read_header(payload: bytes) -> tuple[Places, str | None]:
    """Return where the tensors are, and the hash of their names and bytes where the file has one."""
    header = json.loads(payload)
    metadata = header.pop("__metadata__", None) or {}
    places = {name: (int(entry["data_offsets"][0]), int(entry["data_offsets"][1])) for name, entry in header.items()}
    return places, str(json.loads(metadata[HEADER])["sha256"]) if HEADER in metadata else None


def _digest(stream: BinaryIO, start: int, places: Places) -> str:
    """Return the sha256 of the tensors' names and bytes, as `shared.store.checkpoints` writes it."""
    total = hashlib.sha256()
    for name in sorted(places):
        total.update(name.encode())
        first, last = places[name]
        stream.seek(start + first)
        left = last - first
        while left and (block := stream.read(min(left, BLOCK_BYTES))):
            total.update(block)
            left -= len(block)
    return total.hexdigest()
