"""Where real images come from: a row of `SOURCES` each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from shared.files import sha256


@dataclass(frozen=True)
class Item:
    """One image of a source: its label, where it came from (for the sample's json) and how to open it."""

    label: int
    origin: dict[str, Any]
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class Source:
    """The images of a source in an order that never changes, and the names of their classes."""

    classes: tuple[str, ...]
    items: Sequence[Item]


def digits() -> Source:
    """Return scikit-learn's 1,797 handwritten digits: 8x8 px, grey levels 0..16 stretched to 0..255.

    They are the test part of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998) and
    ship inside scikit-learn's wheel.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    items = [
        Item(
            label=int(label),
            origin={"source": "sklearn.datasets.load_digits", "index": index, "sha256": sha256(image.tobytes())},
            open=lambda image=image: Image.fromarray(image),  # type: ignore[misc]
        )
        for index, (image, label) in enumerate(zip(pixels, data.target, strict=True))
    ]
    return Source(tuple(str(name) for name in data.target_names), items)


SOURCES: dict[str, Callable[[], Source]] = {"digits": digits}
