"""Decoded pixels are made: in pieces, by all processes that need them."""

import errno
import os
import time
import zlib
from pathlib import Path

import numpy as np

from shared.data.decoded.files import DecodedFile, description, is_whole
from shared.data.decoded.in_use import LABELS, PIXELS, WHOLE, remove, use
from shared.data.decoded.marks import Marks, Unusable, of_place, this_boot
from shared.data.decoded.work import Work, checked, image_bytes, name_of
from shared.data.pixels import BLOCK_BYTES
from shared.disk.durable import open_in_place, remove_file, resize, sync, write_at
from shared.format.files import write_json
from shared.runtime.observe.observation import count

POLL_S = 0.02
"""How long a process waits before it looks again at what others do."""

PATIENCE_S = 10.0
"""After how long without a new mark one of several ranks does what was left to the others."""


def make(place: Path, work: Work, rank: int = 0, world: int = 1) -> DecodedFile:
    """Return the pixels of `work` from a file in `place`, after making what other processes have not made of it.

    `rank` of `world` are the processes that begin together: each makes its own share of the pieces, and those of
    others only where these do not come. Raises Unusable where no file can be made.
    """
    folder = place / name_of(work)
    with of_place():
        in_use = use(folder, make=True)
    try:
        if not is_whole(folder, work):
            _fill(folder, work, rank, world)
        with of_place():
            return DecodedFile(folder, work, in_use)
    except BaseException as error:
        if isinstance(error, Unusable) and error.full:
            remove(folder, in_use)
        if in_use is not None:
            in_use.release()
        raise


def _fill(folder: Path, work: Work, rank: int, world: int) -> None:
    """Make all pieces that are not there, wait for those that others make, and mark the whole."""
    with _Filling(folder, work) as filling:
        pieces = len(work.starts) - 1
        for piece in range(rank, pieces, world):
            filling.do(piece)
        seen, since = pieces + 1, time.monotonic()
        while True:
            undone = filling.marks.undone()
            if len(undone) < seen:
                seen, since = len(undone), time.monotonic()
            if not len(undone):
                if filling.finish():
                    return
                continue
            if not filling.is_there():
                raise Unusable(OSError(errno.ESTALE, "deleted while it was made"))
            if world == 1 or time.monotonic() - since > PATIENCE_S:
                done = [filling.do(piece) for piece in undone.tolist()]
                if any(done):
                    continue
            time.sleep(POLL_S)


class _Filling:
    """The files of pixels that are being made, open."""

    def __init__(self, folder: Path, work: Work) -> None:
        self.folder, self.work = folder, work
        self._size = image_bytes(work.shape)

    def __enter__(self) -> "_Filling":
        with of_place():
            self.marks = Marks(self.folder, len(self.work.starts) - 1)
            self._pixels, self._labels = (open_in_place(self.folder / name) for name in (PIXELS, LABELS))
            with self.marks.last_taken():
                self._begin()
        return self

    def __exit__(self, *error: object) -> None:
        self.marks.close()
        for descriptor in (self._pixels, self._labels):
            os.close(descriptor)

    def _begin(self) -> None:
        """Give the files their size; of files that were altered after they were whole nothing is kept."""
        wanted = self.work.shape[0] * self._size
        if (self.folder / WHOLE).exists() and not is_whole(self.folder, self.work):
            for piece in range(self.marks.count):
                self.marks.clear(piece)
            remove_file(self.folder / WHOLE)
        if os.fstat(self._pixels).st_size != wanted:
            resize(self._pixels, wanted, self.folder / PIXELS)

    def is_there(self) -> bool:
        """Whether the files still have their names."""
        path = self.folder / PIXELS
        return path.exists() and os.path.samestat(os.fstat(self._pixels), path.stat())

    def do(self, piece: int) -> bool:
        """Make a piece unless it is done or another process is at it; return whether it was made here."""
        with self.marks.taken(piece) as mine:
            if not mine or self.marks.is_done(piece):
                return False
            crc32 = 0
            for first, (images, labels) in checked(self.work, piece):
                payload = np.ascontiguousarray(images.numpy()).reshape(-1).data
                with of_place():
                    write_at(self._pixels, payload, first * self._size, self.folder / PIXELS)
                    if labels is not None:
                        write_at(self._labels, labels.astype("<u4").data, first * 4, self.folder / LABELS)
                crc32 = zlib.crc32(payload, crc32)
            with of_place():
                self.marks.set(piece, crc32)
            count("cache_misses_total", int(np.diff(self.work.starts[piece : piece + 2])[0]))
            return True

    def finish(self) -> bool:
        """Mark the whole; False where a piece is not what its mark says, which is then taken away."""
        with of_place(), self.marks.last_taken():
            if is_whole(self.folder, self.work):
                return True
            marks, boot = self.marks.all(), this_boot()
            # a write of another start of the machine, or of another machine, may have been lost
            broken = [
                piece
                for piece in np.flatnonzero(marks["boot"] != boot)
                if self._crc32(int(piece)) != marks["crc32"][piece]
            ]
            for piece in broken:
                self.marks.clear(int(piece))
            if broken:
                return False
            sync(self._pixels, self.folder / PIXELS)
            sync(self._labels, self.folder / LABELS)
            write_json(self.folder / WHOLE, description(self.folder, self.work))
            return True

    def _crc32(self, piece: int) -> int:
        """Return the CRC-32 of the bytes of a piece that are in the file."""
        at, end = (self.work.starts[piece : piece + 2] * self._size).tolist()
        crc32 = 0
        while at < end:
            payload = os.pread(self._pixels, min(BLOCK_BYTES, end - at), at)
            if not payload:
                return -1
            crc32, at = zlib.crc32(payload, crc32), at + len(payload)
        return crc32
