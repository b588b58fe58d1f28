"""One labelled image as three members of a tar shard, and back."""

import io
import json
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.errors import FormatError
from shared.format.outside import parse_json
from shared.format.png import decode_png, encode_png

MEMBER_TYPES = ("cls", "json", "png")
"""The only member types a reader decodes, in their order in a shard."""

Members = tuple[str, dict[str, bytes]]
"""A sample as a shard holds it: its key, and bytes by member type."""

LABEL_DIGITS = 10
"""Digits of a label at most: an index has 32 bits for it."""

CHANNEL_MODES = {1: "L", 3: "RGB"}
"""Pillow mode for each number of channels."""

KEY = re.compile(r"[A-Za-z0-9_-]{1,95}")  # with its suffix it fits a ustar name of 100 bytes


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A labelled image: `image` is uint8 (height, width, channels) with 1 (grey) or 3 (RGB) channels."""

    key: str
    image: NDArray[np.uint8]
    label: int
    meta: dict[str, object]


def encode(sample: Sample) -> dict[str, bytes]:
    """Return the members of `sample` by type: lossless PNG, label as ASCII digits, `meta` as sorted JSON.

    Equal samples give equal bytes. Raises FormatError for a key, label or image that the format cannot hold.
    """
    if not KEY.fullmatch(sample.key):
        raise FormatError(f"key {sample.key!r}: want 1 to 95 letters, digits, '_' and '-' (a dot would end the key)")
    try:
        return encode_members(sample.image, sample.label, sample.meta)
    except FormatError as error:
        raise FormatError(f"sample {sample.key}: {error}") from error


def encode_members(image: NDArray[np.uint8], label: int, meta: dict[str, object]) -> dict[str, bytes]:
    """Return the members of a sample that has no key yet; as `encode`."""
    if label < 0:
        raise FormatError(f"label {label} is negative, want a class index from 0")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in CHANNEL_MODES:
        raise FormatError(f"image is {image.dtype} {image.shape}, want uint8 (height, width, 1 or 3)")
    return {
        "cls": str(label).encode("ascii"),
        "json": json.dumps(meta, sort_keys=True, separators=(",", ":"), allow_nan=False).encode(),
        "png": encode_png(image),
    }


def decode(key: str, members: dict[str, bytes], where: str) -> Sample:
    """Return the sample that `members` (bytes by member type) hold; `where` names the shard in errors.

    Raises FormatError when a member is missing or cannot be decoded. Nothing is ever unpickled.
    """
    missing = [kind for kind in MEMBER_TYPES if kind not in members]
    if missing:
        raise FormatError(f"{where}: sample {key!r} has no .{' and no .'.join(missing)}")
    try:
        label = decode_label(members["cls"])
        meta = parse_json(members["json"])
        if not isinstance(meta, dict):
            raise ValueError(f"json holds {meta!r:.40}, want an object")
        image = decode_image(members["png"])
    except (ValueError, OSError) as error:
        raise FormatError(f"{where}: sample {key!r} cannot be decoded ({error})") from error
    return Sample(key=key, image=image, label=label, meta=meta)


def decode_label(member: bytes) -> int:
    """Return the class index of a `.cls` member: ASCII digits and nothing else, else ValueError."""
    if not member.isdigit() or len(member) > LABEL_DIGITS:
        raise ValueError(f"label {member[:20]!r} is not a class index")
    return int(member)


def decode_image(member: bytes) -> NDArray[np.uint8]:
    """Return uint8 (height, width, channels) from a `.png` member in mode L or RGB, else ValueError or OSError."""
    fast = decode_png(member)
    if fast is not None:
        return fast
    try:
        # PNG alone: a file of another kind must not reach Pillow's other decoders
        with Image.open(io.BytesIO(member), formats=["PNG"]) as image:
            if image.mode not in CHANNEL_MODES.values():
                raise ValueError(f"image mode {image.mode}, want L or RGB")
            pixels = np.asarray(image, dtype=np.uint8)
    except (SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises for broken chunks and bombs
        raise ValueError(str(error)) from error
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
