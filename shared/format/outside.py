"""Files, tars and JSON that others made: never a device, nothing endless, nothing nested too deep to be read."""

import errno
import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from shared.limits import TAR_HEADER_BYTES


def open_regular(path: Path) -> BinaryIO:
    """Return a stream of a regular file; OSError, which names it, for a folder, device, pipe or socket."""
    return os.fdopen(regular_descriptor(path), "rb")


def regular_descriptor(path: Path) -> int:
    """Return the descriptor of a regular file, open to be read; OSError as `open_regular`.

    Opening a pipe that nobody writes to, or reading a terminal, would never end.
    """
    # without O_NONBLOCK the opening itself would wait for who writes to a pipe; asked of what is open, since a path may
    # be another file by then
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENXIO, "no file but a folder or a device", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Return what is in a regular file; OSError, which names it, as `open_regular`, and for more than `most_bytes`."""
    with open_regular(path) as stream:
        payload = stream.read(most_bytes + 1)
    if len(payload) > most_bytes:
        raise OSError(errno.EFBIG, f"larger than {most_bytes:,} bytes, the most that is read", str(path))
    return payload


def parse_json(text: bytes | str) -> Any:
    """Return what a JSON text holds; ValueError for what is none, nested too deep, or in no encoding of JSON."""
    try:
        return json.loads(text)
    except RecursionError as error:  # a few kilobytes of brackets
        raise ValueError("nested too deep") from error


class _Headers:
    """The stream of a tar of which headers alone are read through `tarfile`, and small members."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.seek, self.tell, self._read = stream.seek, stream.tell, stream.read

    def read(self, size: int) -> bytes:
        """Return `size` bytes; ReadError for more than a header has: tarfile would have a name of gigabytes."""
        if size > TAR_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size:,} bytes, want at most {TAR_HEADER_BYTES:,}")
        return self._read(size)


@contextmanager
def open_tar(path: Path, opened: Callable[[Path], IO[bytes]] = open_regular) -> Iterator[tarfile.TarFile]:
    """Yield a tar whose headers can be read, and members of TAR_HEADER_BYTES at most.

    `opened` gives its bytes, uncompressed. TarError for what is no tar, OSError as `open_regular`.
    """
    with opened(path) as stream:
        headers: Any = _Headers(stream)
        try:
            with tarfile.open(fileobj=headers, mode="r:") as archive:
                yield archive
        except (ValueError, RecursionError, OverflowError) as error:  # from headers with numbers that none can be
            raise tarfile.ReadError(str(error)) from error
        except OSError as error:
            if error.errno == errno.EINVAL:  # from a size that leads to where no file goes
                raise tarfile.ReadError("a member of a size that no file has") from error
            raise


def whole_members(archive: tarfile.TarFile, size: int) -> Iterator[tarfile.TarInfo]:
    """Yield what is in a tar of `size` bytes, in order; ReadError where a member is not whole."""
    for member in archive:
        # tarfile seeks over contents, and so does not notice that the last ones are missing
        if archive.offset > size:
            name = member.name if member.name.isprintable() else ascii(member.name)
            raise tarfile.ReadError(f"cut short in {name}")
        yield member


def has_end(archive: tarfile.TarFile) -> bool:
    """Return whether a tar has zeros after its last member, or nothing; some writers leave the end mark out.

    Raises ReadError where other bytes follow: tarfile takes a header that is broken or cut for the end, and does not
    see what was joined to a tar after its end.
    """
    stream: Any = archive.fileobj
    stream.seek(archive.offset)
    block = stream.read(tarfile.BLOCKSIZE)
    if block.strip(b"\0"):
        what = "broken header" if len(block) == tarfile.BLOCKSIZE else "cut short in the header"
        raise tarfile.ReadError(f"{what} at byte {archive.offset:,}")
    place = archive.offset + len(block)
    while rest := stream.read(TAR_HEADER_BYTES):
        if other := rest.lstrip(b"\0"):
            place += len(rest) - len(other)
            raise tarfile.ReadError(f"goes on after its end, at byte {place:,}: broken, or several tars joined")
        place += len(rest)
    return bool(block)
