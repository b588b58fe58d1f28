"""Which pieces of a file are done, and which one is being done by whom: a mark and a lock for each piece."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.data.decoded.in_use import MARKS
from shared.disk.durable import FULL, open_in_place, resize, write_at
from shared.store.locking.taking import holding, take

MARK = np.dtype([("crc32", "<u4"), ("boot", "<u4")])
"""The CRC-32 of a piece's bytes, and the start of the machine in which they were written (`boot`); 0 is no mark."""


class Unusable(Exception):
    """A place in which a file cannot be made or read; `full` where it lacks room."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.full = error.errno in FULL


@contextmanager
def of_place() -> Iterator[None]:
    """Raise what the system says of a file in the cache as Unusable: an input that cannot be read is another error."""
    try:
        yield
    except OSError as error:
        raise Unusable(error) from error


class Marks:
    """The marks of `count` pieces, in a file, and the lock of each piece while it is made."""

    def __init__(self, folder: Path, count: int) -> None:
        self.count = count
        self._path = folder / MARKS
        self._marks = open_in_place(self._path)
        resize(self._marks, count * MARK.itemsize, self._path)
        self._folder = folder

    def close(self) -> None:
        """Close the file."""
        os.close(self._marks)

    def undone(self) -> NDArray[np.int64]:
        """Return the pieces without a mark."""
        return np.flatnonzero(self.all()["boot"] == 0)

    def all(self) -> NDArray[np.void]:
        """Return the marks of all pieces, MARK (count,)."""
        return np.frombuffer(os.pread(self._marks, self.count * MARK.itemsize, 0), MARK)

    def is_done(self, piece: int) -> bool:
        """Whether a piece has a mark."""
        mark = np.frombuffer(os.pread(self._marks, MARK.itemsize, piece * MARK.itemsize), MARK)
        return bool(mark["boot"].any())

    def set(self, piece: int, crc32: int) -> None:
        """Mark a piece as done, after its bytes were written."""
        mark = np.array([(crc32, this_boot())], MARK)
        write_at(self._marks, mark.tobytes(), piece * MARK.itemsize, self._path)

    def clear(self, piece: int) -> None:
        """Take a mark away."""
        write_at(self._marks, bytes(MARK.itemsize), piece * MARK.itemsize, self._path)

    @contextmanager
    def taken(self, piece: int) -> Iterator[bool]:
        """Hold the lock of a piece; yields False where another process holds it."""
        with of_place():
            hold = take(self._folder / f"piece-{piece:05d}.lock")
        try:
            yield hold is not None
        finally:
            if hold is not None:
                hold.release()

    @contextmanager
    def last_taken(self) -> Iterator[None]:
        """Wait for, and hold, the lock of what is done once for all pieces."""
        with holding(self._folder / "pieces.lock"):
            yield


def this_boot() -> int:
    """Return a number of this start of this machine, above 0.

    What was written since is there even where the writer was killed. After a power cut it may not be, though its mark
    is, and another machine's may be on the way.
    """
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:  # no Linux: nothing that is unfinished is trusted from one process to the next
        text = str(os.getpid()).encode()
    return zlib.crc32(text) or 1
