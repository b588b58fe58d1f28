"""Features of more images than memory should hold: in a file without a name, which is gone when it is closed."""

import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class StoredRows:
    """Float32 rows on disk that act like a tensor (N, d), in a context: what is read is in memory, and nothing else.

    They are not mapped: pages of a map would count as this process's memory until somebody else needs it.
    """

    dtype = torch.float32

    def __init__(self, folder: Path) -> None:
        """Begin without rows, in a file below `folder`; OSError where none can be made there."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed with the rows
        self._width, self._count = 0, 0

    def append(self, rows: NDArray[np.float32]) -> None:
        """Add rows (n, d)."""
        if self._count and rows.shape[1] != self._width:
            raise ValueError(f"rows of {rows.shape[1]} numbers, want {self._width}")
        self._file.seek(4 * self._count * self._width)
        self._file.write(np.ascontiguousarray(rows, np.float32).data)
        self._width, self._count = rows.shape[1], self._count + len(rows)

    def __enter__(self) -> "StoredRows":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows there are, and how wide they are."""
        return self._count, self._width

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, chosen: Any) -> Tensor:
        """Return the rows of a slice, or those whose places, from 0, are in an int64 tensor."""
        if isinstance(chosen, slice):
            places = range(self._count)[chosen]
            if places.step == 1:
                return self._read(places.start, len(places))
        else:
            places = chosen.tolist()
        found = torch.empty(len(places), self._width)
        for row, place in zip(found, places, strict=True):
            row[:] = self._read(place, 1)[0]
        return found

    def split(self, rows: int) -> Iterator[Tensor]:
        """Yield all rows, `rows` at a time, the last ones fewer."""
        for start in range(0, self._count, rows):
            yield self._read(start, min(rows, self._count - start))

    def _read(self, start: int, count: int) -> Tensor:
        if not 0 <= start <= start + count <= self._count:
            raise IndexError(f"rows {start} to {start + count - 1}, there are {self._count}")
        found = torch.empty(count, self._width)
        self._file.seek(4 * start * self._width)
        if self._file.readinto(found.numpy().data) != 4 * prod(found.shape):
            raise OSError("a temporary file of features was cut short")
        return found
