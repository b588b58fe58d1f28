"""The work on one image, in any of several processes; imports little, since each of them imports it."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from shared.format.files import sha256
from shared.format.sample import encode_members
from shared.sources.items import Item, Pixels, Unusable, named
from shared.sources.prepare import prepare
from shared.sources.reading import Target

UNREADABLE = (
    *(OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, MemoryError),
    *(ArithmeticError, AttributeError, AssertionError, RuntimeError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""What Pillow's readers raise on broken files, and on those that would fill the memory: see `opening`."""


@dataclass(frozen=True)
class Unreadable:
    """Why an image cannot be read."""

    reason: str


def digest(item: Item) -> str | Unreadable:
    """Return the sha256 of what an item holds, or why it cannot be read."""
    try:
        # hashed as stored, not decoded: copies are found before the costly work, and the hash names a file
        return sha256(item.read())
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        return _unreadable(error)


@dataclass(frozen=True)
class Changed(Unreadable):
    """An image that is not what it was when it was first read: nothing that was planned by its digest holds."""


def prepared(target: Target, task: tuple[Item, str]) -> dict[str, bytes] | Unreadable:
    """Return the members of an item's sample, given the sha256 of what it holds, or why it cannot be read.

    One that holds something else by now is Changed.
    """
    item, content = task
    found = pixels_of(target, item)
    if isinstance(found, Unreadable):
        return found
    if found[0] != content:
        return Changed("changed since it was first read")
    _, pixels = found
    # the hash of the original goes with the sample, so that an image can be traced to its file
    return encode_members(pixels, item.label, {"origin": {**item.origin, "sha256": content}})


def pixels_of(target: Target, item: Item) -> tuple[str, Pixels] | Unreadable:
    """Return the sha256 of what an item holds and the pixels of its sample, or why it cannot be read."""
    # read once for both
    with opening(target.max_pixels):
        try:
            payload = item.read()
            picture = item.decode(payload)
            # Pillow keeps a file open until its last frame is read
            with picture if isinstance(picture, Image.Image) else nullcontext():
                return sha256(payload), prepare(picture, target)
        except UNREADABLE as error:
            return _unreadable(error)


def name_of(task: Item | tuple[Item, str]) -> str:
    """Return what finds the image of a task again, for people."""
    return named((task if isinstance(task, Item) else task[0]).origin)


def check(target: Target, item: Item) -> Unreadable | None:
    """Return why an item cannot be prepared; None where it can."""
    pixels = pixels_of(target, item)
    return pixels if isinstance(pixels, Unreadable) else None


@contextmanager
def opening(most_pixels: int) -> Iterator[None]:
    """Have every reader refuse images of more than `most_pixels`, by what their headers say, before it decodes any.

    Pillow's warnings of odd metadata, which name no file, are left out.
    """
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, most_pixels
    try:
        # within catch_warnings: the filters of a process that imports halfreal stay as they are
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            # Pillow warns above its limit, also of pictures within files (ICO, ICNS), and fails above twice that
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _unreadable(error: BaseException) -> Unreadable:
    """Return the reason in words for people, without places on the disk or in memory, which differ from run to run."""
    text = " ".join(re.sub(r" at 0x[0-9a-f]+", "", str(error)).split())
    match error:
        case Unusable():
            reason = text
        case UnidentifiedImageError():
            reason = "not an image that Pillow reads"
        case MemoryError():
            reason = "too large for the memory that there is"
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            count = re.search(r"\d+", text)
            reason = f"{int(count[0]) if count else 0:,} pixels, more than --max-pixels {Image.MAX_IMAGE_PIXELS:,}"
        case OSError(strerror=str(said)):
            reason = said
        case OSError() | SyntaxError() | ValueError():
            reason = f"cannot be read: {text}"
        case _:
            reason = f"cannot be read: {type(error).__name__}: {text}"
    return Unreadable(reason[:200])
