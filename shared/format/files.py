"""Files that are read against their recorded size and hash, and JSON that is whole or absent."""

import errno
import hashlib
import json
import os
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from shared.disk.durable import rename, write_whole
from shared.errors import FormatError
from shared.format.outside import open_regular
from shared.objects.fetching import fetch


def sha256(payload: bytes) -> str:
    """Return the sha256 of `payload` in hexadecimal."""
    return hashlib.sha256(payload).hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_whole(path, json_bytes(value))


def json_bytes(value: object) -> bytes:
    """Return `value` as indented JSON, keys in their own order; NaN and infinities raise ValueError."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


NOT_KEPT = ".tar"
"""What is fetched and not kept: shards, of which a bounded cache has the decoded images (see `shared.data`)."""


def read_whole(path: Path, size_bytes: int, digest: str) -> bytes:
    """Return the bytes of `path` if they have this size and sha256, else raise FormatError.

    What is missing in the mirror of an object store is fetched, and kept there unless it is a shard (see NOT_KEPT).
    A file of another size is not read, nor what is no file.
    """
    keep = False
    try:
        with open_listed(path, size_bytes) as stream:
            payload = stream.read(size_bytes + 1)
    except FileNotFoundError as error:
        fetched = fetch(path)
        if fetched is None:
            raise FormatError(f"{path}: missing, but its manifest lists it") from error
        payload, keep = fetched, path.suffix != NOT_KEPT
    if len(payload) != size_bytes:
        raise FormatError(f"{path}: {len(payload)} bytes, its manifest says {size_bytes}")
    if sha256(payload) != digest:
        raise FormatError(f"{path}: altered since it was written (its sha256 is not the manifest's)")
    if keep:
        _keep(path, payload)
    return payload


def open_listed(path: Path, size_bytes: int) -> BinaryIO:
    """Return a stream of a file that a manifest lists with this size; FormatError for another size, or for no file."""
    try:
        stream = open_regular(path)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a pipe or a device, of which a read may never end
            raise FormatError(f"{path}: {error.strerror}, its manifest lists a file") from error
        raise
    there_bytes = os.fstat(stream.fileno()).st_size
    if there_bytes != size_bytes:
        stream.close()
        raise FormatError(f"{path}: {there_bytes} bytes, its manifest says {size_bytes}")
    return stream


def _keep(path: Path, payload: bytes) -> None:
    """Write a file that was fetched, whole; several processes may fetch it at once."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
    write_whole(draft, payload)
    rename(draft, path)
