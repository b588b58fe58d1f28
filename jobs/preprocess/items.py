"""What a source is made of: classes, and images that are opened one at a time."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Item:
    """One image of a source: its label, where it came from (for the sample's json), its bytes and how to open them."""

    label: int
    origin: dict[str, Any]
    read: Callable[[], bytes]
    decode: Callable[[bytes], Image.Image]


@dataclass(frozen=True)
class Source:
    """The images of a source in an order that never changes, and the names of their classes.

    `mirrors` says whether an image is of the same class in a mirror. `partition` is the official split of each item
    ("train", "val" or "test") where the source has one. A partition without "val" leaves it to be drawn from train.
    """

    classes: tuple[str, ...]
    items: Sequence[Item]
    partition: Sequence[str] | None = None
    mirrors: bool = True


def from_array(pixels: NDArray[np.uint8], label: int, origin: dict[str, Any]) -> Item:
    """Return an item of pixels in memory: uint8 (height, width) or (height, width, 3)."""
    return Item(label, origin, pixels.tobytes, lambda payload: Image.fromarray(pixels))


def from_file(path: Path, label: int, origin: dict[str, Any]) -> Item:
    """Return an item of an image file."""
    return Item(label, origin, path.read_bytes, open_bytes)


def open_bytes(payload: bytes) -> Image.Image:
    """Open an image file's bytes with any of Pillow's readers; OSError if none knows them."""
    return Image.open(io.BytesIO(payload))
