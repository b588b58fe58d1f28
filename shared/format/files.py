"""Files that are whole or absent: written by rename, read against their recorded size and hash."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from shared.errors import BadInput, FormatError, HalfrealError
from shared.objects.fetching import fetch


def sha256(payload: bytes) -> str:
    """Return the sha256 of `payload` in hexadecimal."""
    return hashlib.sha256(payload).hexdigest()


def write_whole(path: Path, payload: bytes) -> None:
    """Write `payload` so that `path` is either absent, its old self, or whole: temporary, fsync, rename."""
    with writing_whole(path) as stream:
        stream.write(payload)


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream whose content becomes `path` at the end, as `write_whole`; after an error nothing is left."""
    # in the same folder, since a rename is atomic within one file system only
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            # before the rename: file systems may store the new name before the content, and a power cut between the
            # two would leave an empty file under the final name
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:  # Ctrl-C too
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)  # the new name is the folder's content: fsync of the file does not store it


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_whole(path, json_bytes(value))


def json_bytes(value: object) -> bytes:
    """Return `value` as indented JSON, keys in their own order; NaN and infinities raise ValueError."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a disk or a quota that is full."""


def unwritable(place: Path, error: OSError) -> HalfrealError:
    """Return what to say where `place` cannot be written to: bad input; a retry may help a full disk alone."""
    message = f"{place}: cannot be written to ({error.strerror or 'no file can be made there'})"
    if error.errno in FULL:
        return HalfrealError(f"{message}; make room, then run the same command again")
    return BadInput(f"{message}; fix its permissions or choose another path")


NOT_KEPT = ".tar"
"""What is fetched and not kept: shards, of which a bounded cache has the decoded images (see `shared.data`)."""


def read_whole(path: Path, size_bytes: int, digest: str) -> bytes:
    """Return the bytes of `path` if they have this size and sha256, else raise FormatError.

    What is missing in the mirror of an object store is fetched, and kept there unless it is a shard (see NOT_KEPT).
    """
    keep = False
    try:
        payload = path.read_bytes()
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


def _keep(path: Path, payload: bytes) -> None:
    """Write a file that was fetched, whole; several processes may fetch it at once."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
    write_whole(draft, payload)
    draft.replace(path)


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
