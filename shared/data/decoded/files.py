"""Decoded pixels in a file that all processes of a machine share: made once, in pieces, by any of them.

A folder for each set of pixels, named by what they depend on:

* `pixels`: uint8 (N, channels, size, size), one image after another, without a header; `labels`: uint32 (N,).
* `marks`, `piece-*.lock`: which pieces are done, and by whom one is being done; see `marks.py`.
* `whole.json`, written last: what the pixels depend on, the size of the file and the time at which it was last written,
  and the CRC-32 of the labels. Nobody reads pixels before.
* `use-*.lock`: one of each process that has it open, so that it is not cleaned away; see `in_use.py`.
* `used`: its time is that of the last use.

It is read by position, not mapped: the system's cache of the file is shared all the same, memory does not grow with
what was read, and a file that was cut off or cannot be read is an error rather than the end of the process. What is
noticed of an altered file is another size or time, and any change of the labels. Bits that a disk turns over are not.
"""

import json
import os
import weakref
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.decoded.in_use import LABELS, PIXELS, WHOLE, use
from shared.data.decoded.work import Work, image_bytes, name_of
from shared.data.pixels import Rows, as_array
from shared.errors import FormatError
from shared.store.locking.hold import Hold


class DecodedFile:
    """A whole file of decoded pixels that is open."""

    def __init__(self, folder: Path, work: Work, in_use: Hold | None) -> None:
        """`in_use` is the lock of its use, which ends with it."""
        self.folder, self.shape = folder, work.shape
        self._file = os.open(folder / PIXELS, os.O_RDONLY)
        weakref.finalize(self, _close, self._file, in_use)

    def read(self, rows: Rows) -> Tensor:
        """Return the images at `rows`; FormatError where the file was cut off while it was open."""
        size = image_bytes(self.shape)
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        buffer = images.reshape(-1).data
        numbers = as_array(rows)
        # what follows each other is read at once
        ends = [*(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
        first = 0
        for end in ends if len(numbers) else []:
            part = buffer[first * size : end * size]
            read = os.preadv(self._file, [part], int(numbers[first]) * size)
            while 0 < read < len(part):  # the system reads about 2 GB at once, and less after a signal
                part = part[read:]
                read = os.preadv(self._file, [part], int(numbers[end - 1] + 1) * size - len(part))
            if not read:
                raise FormatError(f"{self.folder / PIXELS}: cut off; delete {self.folder}, it is made again")
            first = end
        return torch.from_numpy(images)

    def labels(self) -> NDArray[np.int64]:
        """Return the labels of all images (N,)."""
        return np.fromfile(self.folder / LABELS, "<u4").astype(np.int64)


def open_whole(place: Path, work: Work) -> DecodedFile | None:
    """Return the pixels of `work` if they are whole in the folder `place`, which may be read-only; else None."""
    folder = place / name_of(work)
    try:
        in_use = use(folder, make=False)
    except OSError:
        return None
    try:
        if is_whole(folder, work):
            return DecodedFile(folder, work, in_use)
    except OSError:
        pass
    if in_use is not None:
        in_use.release()
    return None


def is_whole(folder: Path, work: Work) -> bool:
    """Whether the pixels in `folder` are those of `work`, and as they were when they became whole."""
    try:
        said = json.loads((folder / WHOLE).read_bytes())
    except (OSError, ValueError):
        return False
    return bool(said == description(folder, work))


def description(folder: Path, work: Work) -> dict[str, object]:
    """Return what `whole.json` says of the files as they are; nothing where one is missing."""
    try:
        found = (folder / PIXELS).stat()
        labels = (folder / LABELS).read_bytes() if work.labelled else b""
    except OSError:
        return {}
    return {
        "identity": work.identity,
        "bytes": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "labels_crc32": zlib.crc32(labels),
    }


def _close(descriptor: int, in_use: Hold | None) -> None:
    os.close(descriptor)
    if in_use is not None:
        in_use.release()
