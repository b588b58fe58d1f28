"""What a source is made of: classes, and images that are opened one at a time."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.preprocess.jpeg import decode_jpeg

Pixels = NDArray[np.uint8]
"""uint8, grey (height, width) or RGB (height, width, 3)."""

Picture = Image.Image | Pixels
"""An image of any kind, or pixels to which nothing needs to be done."""


@dataclass(frozen=True)
class Item:
    """One image of a source: its label, where it came from (for the sample's json), its bytes and how to open them.

    Items go to other processes: `read` and `decode` are functions of a module, or `partial` of one.
    """

    label: int
    origin: dict[str, Any]
    read: Callable[[], bytes]
    decode: Callable[[bytes], Picture]


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


def from_array(pixels: Pixels, label: int, origin: dict[str, Any]) -> Item:
    """Return an item of pixels in memory: uint8 (height, width) or (height, width, 3)."""
    return Item(label, origin, partial(bytes, pixels.tobytes()), partial(_shaped, pixels.shape))


def _shaped(shape: tuple[int, ...], payload: bytes) -> Pixels:
    """Return bytes as pixels of a shape."""
    return np.frombuffer(payload, np.uint8).reshape(shape)


def from_file(path: Path, label: int, origin: dict[str, Any]) -> Item:
    """Return an item of an image file."""
    return Item(label, origin, path.read_bytes, open_bytes)


def open_bytes(payload: bytes) -> Picture:
    """Open an image file's bytes: plain JPEGs directly, others with any of Pillow's readers; OSError if none knows."""
    pixels = decode_jpeg(payload)
    return Image.open(io.BytesIO(payload)) if pixels is None else pixels
