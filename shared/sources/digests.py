"""The sha256 of what each image holds, for millions of them: 32 bytes an image."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 32


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


def ranks(texts: Iterable[str]) -> NDArray[Any]:
    """Return the sha256 of texts, one opaque value each (N,): sorted, they are in the order of their hexadecimals."""
    return np.asarray(Digests(np.frombuffer(b"".join(sha256(text.encode()).digest() for text in texts), np.uint8)))
