"""The sha256 of what each image holds, for millions of them: 32 bytes an image."""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 32

BLOCK = 4096
"""Digests that are texts at a time."""


class Digests(Sequence[str]):
    """The sha256 of N images, uint8 (N, 32); an element is one of them in hexadecimal.

    As an array they are N opaque values in the order of their hexadecimal texts.
    """

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        self.rows = np.ascontiguousarray(rows, dtype=np.uint8).reshape(-1, DIGEST_BYTES)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """Return one digest as text, or those of a slice, mask or array of indexes."""
        if isinstance(index, int | np.integer):
            return self.rows[index].tobytes().hex()
        return Digests(self.rows[index])

    def hash(self) -> str:
        """Return the sha256 of all of them, in their order."""
        return sha256(self.rows.tobytes()).hexdigest()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.rows.view(f"V{DIGEST_BYTES}")[:, 0]


def listing(rows: Iterable[tuple[int, dict[str, object]]]) -> str:
    """Return a hash of the label and the origin of images, in order: parts that saw other files share no piece."""
    found = sha256()
    for row in rows:
        found.update(json.dumps(row, sort_keys=True).encode() + b"\n")
    return found.hexdigest()


def sorted_hash(digests: Digests) -> str:
    """Return the sha256 of digests, sorted, as lines of hexadecimal digits: it names a set of files."""
    found, rows = sha256(), np.sort(np.asarray(digests))
    for start in range(0, len(rows), BLOCK):
        lines = "\n".join(row.tobytes().hex() for row in rows[start : start + BLOCK])
        found.update(f"{lines if start == 0 else chr(10) + lines}".encode())
    return found.hexdigest()


class Known:
    """Some digests, against which those of many other images are held a block at a time."""

    def __init__(self, digests: Digests) -> None:
        self.values, self.counts = np.unique(np.asarray(digests), return_counts=True)

    def equal(self, others: Iterable[str]) -> int:
        """Return how many of these digests are among the `others`, in hexadecimal."""
        seen, rest = np.zeros(len(self.values), np.bool_), iter(others)
        while block := list(islice(rest, BLOCK)):
            held = np.asarray(Digests(np.frombuffer(bytes.fromhex("".join(block)), np.uint8)))
            place = np.searchsorted(self.values, held)
            inside = place < len(self.values)
            place, held = place[inside], held[inside]
            seen[place[self.values[place] == held]] = True
        return int(self.counts[seen].sum())


def ranks(texts: Iterable[str]) -> NDArray[Any]:
    """Return the sha256 of texts, one opaque value each (N,): sorted, they are in the order of their hexadecimals."""
    return np.asarray(Digests(np.frombuffer(b"".join(sha256(text.encode()).digest() for text in texts), np.uint8)))
