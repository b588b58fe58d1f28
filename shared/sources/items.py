"""What a source is made of: classes, and images that are opened one at a time."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from shared.data.jpeg import decode_jpeg
from shared.format.outside import read_regular
from shared.limits import FILE_BYTES, NAME_LETTERS

NO_CLASS = -1
"""The label of an item that cannot be used and so has none."""

LONGEST = 60
"""Letters of a name that a message shows."""

Pixels = NDArray[np.uint8]
"""uint8, grey (height, width) or RGB (height, width, 3)."""

Picture = Image.Image | Pixels
"""A Pillow image of any mode, or decoded pixels."""


class Unusable(ValueError):
    """What an item holds cannot be used; the message is the reason, for people."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source: its label, where it came from (for the sample's json), its bytes and how to open them.

    Items go to other processes: `read` and `decode` are functions of a module, `partial` of one, or a `FileReader`.
    There may be millions: each is kept small.
    """

    label: int
    origin: dict[str, object]
    read: Callable[[], bytes]
    decode: Callable[[bytes], Picture]


@dataclass(frozen=True)
class Source:
    """The images of a source in an order that never changes, and the names of their classes.

    `partition` is the official split of each item ("train", "val" or "test") where the source has one. A partition
    without "val" leaves it to be drawn from train. `warnings` are lines about what is there and not taken, `ignored`
    is how many files that are; `notes` are lines about how the files were understood. `groups` are names: images of one
    group are related (of one patient, person or video) and belong in one split. `in_order` says that reading the items
    in any other order takes much longer, as much is read for each of them. Where labels are combinations of several
    `attributes`, these are their names.
    """

    classes: tuple[str, ...]
    items: Sequence[Item]
    partition: Sequence[str] | None = None
    warnings: Sequence[str] = ()
    ignored: int = 0
    groups: Sequence[str] | None = None
    notes: Sequence[str] = ()
    in_order: bool = False
    attributes: tuple[str, ...] = ()


def from_array(pixels: Pixels, label: int, origin: dict[str, object]) -> Item:
    """Return an item of pixels in memory: uint8 (height, width) or (height, width, 3)."""
    # bytes, so that pixels are hashed like files, and equal ones are recognised as copies
    return Item(label, origin, partial(bytes, pixels.tobytes()), partial(_shaped, pixels.shape))


def _shaped(shape: tuple[int, ...], payload: bytes) -> Pixels:
    """Return bytes as pixels of a shape."""
    return np.frombuffer(payload, np.uint8).reshape(shape)


def from_file(path: Path, label: int, origin: dict[str, object]) -> Item:
    """Return an item of an image file."""
    return Item(label, origin, partial(read_file, path), open_bytes)


def read_file(path: Path) -> bytes:
    """Return what is in a file; OSError for what is none, and for one that is larger than FILE_BYTES."""
    return read_regular(path, FILE_BYTES)


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads a file below a folder, given the parts of its path; smaller than a `partial` with a `Path` of its own."""

    folder: Path
    parts: tuple[str, ...]

    def __call__(self) -> bytes:
        """Return what is in the file; OSError as `read_file`."""
        return read_file(self.folder.joinpath(*self.parts))


def unusable(reason: str, origin: dict[str, object]) -> Item:
    """Return an item of which is known already that it cannot be used, and why: it is put aside when it is read."""
    return Item(NO_CLASS, origin, partial(_refuse, reason), open_bytes)


def _refuse(reason: str) -> bytes:
    raise Unusable(reason)


def is_label(name: str, most_letters: int = NAME_LETTERS) -> bool:
    """Return whether a class can have this name: text of one line, not longer than that, that UTF-8 can hold."""
    if len(name) > most_letters:
        return False
    if name.isprintable():  # neither line breaks nor surrogates are, and nearly all names are
        return bool(name)
    # lone surrogates come from file names that are not UTF-8, and no JSON can hold them
    return len(name.splitlines()) == 1 and not any("\ud800" <= letter <= "\udfff" for letter in name)


def named(origin: dict[str, object]) -> str:
    """Return what finds an image again, for people: its file, and in that its key or index."""
    parts = [str(origin["file"])] if "file" in origin else []
    return ", ".join(
        plain(word) for word in parts + [f"{k} {origin[k]}" for k in ("split", "key", "index") if k in origin]
    )


def some(names: Sequence[str], count: int = 3) -> str:
    """Return the first `count` of `names`, with dots where there are more; names that are long are cut."""
    shown = [
        plain(name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}...{name[-LONGEST // 2 :]}")
        for name in names[:count]
    ]
    return ", ".join([*shown, *(["..."] if len(names) > count else [])])


def plain(name: str) -> str:
    """Return a name as it is, or escaped where it would not print in one line."""
    return name if name.isprintable() else ascii(name)


def open_bytes(payload: bytes) -> Picture:
    """Open an image file's bytes: plain JPEGs directly, others by Pillow; OSError if none of its readers knows them."""
    if not payload:
        raise Unusable("empty file")
    # plain JPEGs skip Pillow's lazy reader; what the decoder does not know falls back to it
    pixels = decode_jpeg(payload)
    return Image.open(io.BytesIO(payload), formats=sorted(readable_formats())) if pixels is None else pixels


FORMATS = (
    *("AVIF", "BMP", "DDS", "DIB", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI", "SGI", "TGA"),
    *("TIFF", "WEBP", "XBM"),
)
"""The formats that foreign bytes may be of. Pillow has many more, and plugins add to them: decoders that few people
look at, and EPS, for which it runs Ghostscript, an interpreter."""


@cache
def readable_formats() -> frozenset[str]:
    """Return those of FORMATS that the Pillow of this machine decodes."""
    Image.init()
    built = {"WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000"}
    missing = {name for name, part in built.items() if not features.check(part)}
    return frozenset(FORMATS).intersection(Image.OPEN) - missing


@cache
def image_suffixes() -> frozenset[str]:
    """Return the suffixes, in lower case and with their dot, of images that can be decoded here."""
    # Pillow registers suffixes of what it only writes (.pdf) or only names (.mpg, .h5), too; MPO is a kind of JPEG
    readable = {*readable_formats(), "MPO"}
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in readable)


def is_image(name: str) -> bool:
    """Return whether a file of this name is an image, by its suffix in any letter case."""
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in image_suffixes()
