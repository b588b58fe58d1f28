"""What is done to one image, by any of several processes: this module imports little, since each of them does."""

import re
import struct
from contextlib import nullcontext
from dataclasses import dataclass

from PIL import Image

from jobs.preprocess.config import PreprocessConfig
from jobs.preprocess.images import prepare
from jobs.preprocess.items import Item
from shared.files import sha256
from shared.format.sample import encode_members

UNREADABLE = (
    *(OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, MemoryError),
    *(struct.error, Image.DecompressionBombError),
)
"""What Pillow's readers raise on broken files, and on those that would fill the memory: above 179 million pixels."""


@dataclass(frozen=True)
class Unreadable:
    """Why an image cannot be read."""

    reason: str


def digest(item: Item) -> str | Unreadable:
    """Return the sha256 of what an item holds, or why it cannot be read."""
    try:
        return sha256(item.read())
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        return _unreadable(error)


def prepared(config: PreprocessConfig, task: tuple[Item, str]) -> dict[str, bytes] | Unreadable:
    """Return the members of an item's sample, given the sha256 of what it holds, or why it cannot be read."""
    item, content = task
    try:
        picture = item.decode(item.read())
        with picture if isinstance(picture, Image.Image) else nullcontext():
            pixels = prepare(
                picture, config.size_px, config.channels, config.crop, config.resize_filter, config.background
            )
    except UNREADABLE as error:
        return _unreadable(error)
    return encode_members(pixels, item.label, {"origin": {**item.origin, "sha256": content}})


def _unreadable(error: BaseException) -> Unreadable:
    """Return the reason without places in memory, which differ from run to run."""
    return Unreadable(re.sub(r" at 0x[0-9a-f]+", "", " ".join(f"{type(error).__name__}: {error}".split()))[:200])
