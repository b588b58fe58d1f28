"""Durable changes: files that are whole or absent, folders, names. An OSError that leaves here names its path."""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from shared.disk.steps import step
from shared.errors import BadInput, HalfrealError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


BUFFER_BYTES = 2**18
"""What a file that is open collects before the system is asked to write it."""


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
        with open_to_write(part) as stream:
            yield stream
            # before the rename: file systems may store the new name before the content, and a power cut between the
            # two would leave an empty file under the final name
            stream.flush()
            sync(stream.fileno(), part)
        rename(part, path)
    except BaseException:  # Ctrl-C too
        remove_file(part)
        raise
    sync_folder(path.parent)  # the new name is the folder's content: fsync of the file does not store it


def write_file(path: Path, payload: bytes) -> None:
    """Write `payload` in place, without a wait for the disk: what is for people alone, or is made again, or synced."""
    with open_to_write(path) as stream:
        stream.write(payload)


def open_to_write(path: Path, *, append: bool = False) -> BinaryIO:
    """Open a file that is emptied first, unless `append`; what is written is on the disk after `sync` alone."""
    step("open", path)
    return io.BufferedWriter(_File(path, "ab" if append else "wb"), BUFFER_BYTES)


class _File(io.FileIO):
    """A file whose writes are steps."""

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._path = path

    def write(self, payload: "ReadableBuffer", /) -> int:
        """Write what the system takes at once; return how many bytes that is."""
        step("write", self._path)
        with _naming(self._path):
            return super().write(payload)


def open_in_place(path: Path) -> int:
    """Return a descriptor to read and write a file where it is, which is made empty if it is missing."""
    step("open", path)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def write_at(descriptor: int, payload: "ReadableBuffer", offset: int, path: Path) -> None:
    """Write all of `payload` into a file that `open_in_place` opened, at this byte."""
    step("write", path)
    view = memoryview(payload).cast("B")
    with _naming(path):
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written


def resize(descriptor: int, size_bytes: int, path: Path) -> None:
    """Give a file that `open_in_place` opened this length; what is new reads as zeros."""
    step("write", path)
    with _naming(path):
        os.ftruncate(descriptor, size_bytes)


def sync(descriptor: int, path: Path) -> None:
    """Flush what was written into a file to the disk."""
    step("fsync", path)
    with _naming(path):
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor, folder)
    finally:
        os.close(descriptor)


def rename(path: Path, to: Path) -> None:
    """Give `path` the name `to`, in one step; a file that has the name is replaced, and an empty folder."""
    step("rename", to)
    path.replace(to)


def link(path: Path, to: Path) -> None:
    """Give the file `path` a second name; FileExistsError where something has it."""
    step("link", to)
    os.link(path, to)


def symlink(path: Path, target: str) -> None:
    """Make the link `path` to a place, which need not be there; FileExistsError where something has the name."""
    step("link", path)
    path.symlink_to(target)


def make_folder(folder: Path, *, parents: bool = False) -> None:
    """Make a folder unless it is there; with `parents` those that it is in too."""
    if not folder.is_dir():
        step("mkdir", folder)
        folder.mkdir(parents=parents, exist_ok=True)


def remove_file(path: Path) -> None:
    """Remove a file; none is fine."""
    step("unlink", path)
    path.unlink(missing_ok=True)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder unless something is in it."""
    with suppress(OSError):
        step("unlink", folder)
        folder.rmdir()


def remove_tree(folder: Path, *, strict: bool = False) -> None:
    """Remove a folder and all that is in it; none is fine. What cannot be removed stays, or if `strict` raises.

    Links are removed, not followed: what they lead to is somebody else's, also where `folder` is one.
    """
    failed = _raise if strict else _ignore
    for name, below, files in () if folder.is_symlink() else os.walk(folder, topdown=False, onerror=failed):
        for path in (Path(name, each) for each in (*files, *below)):
            _remove(path, failed)
    _remove(folder, failed)


def _remove(path: Path, failed: Callable[[OSError], None]) -> None:
    """Remove a file, a link or an empty folder."""
    try:
        step("unlink", path)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        failed(error)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _ignore(_: OSError) -> None:
    pass


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Add the path to an OSError that has none, as those of calls on open files."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a disk or a quota that is full."""

PASSING = (errno.EIO, errno.ESTALE, errno.ENOLCK, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EREMOTEIO)
"""What it says of a network file system that may answer the next time."""


def unwritable(place: Path, error: OSError) -> HalfrealError:
    """Return what to say where `place` cannot be written to: bad input, unless a retry may help."""
    message = f"{place}: cannot be written to ({error.strerror or 'no file can be made there'})"
    if error.errno in FULL:
        return HalfrealError(f"{message}; make room, then run the same command again")
    if error.errno in PASSING:
        return HalfrealError(f"{message}; run the same command again")
    return BadInput(f"{message}; fix its permissions or choose another path")
