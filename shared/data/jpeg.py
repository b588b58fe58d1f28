"""Plain JPEGs to pixels without Pillow, bit-equal to what Pillow gives."""

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

PLAIN = (0xC0, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0, 0xE2, 0xED, 0xFE)
"""Segments that say nothing but how pixels are coded; APP1 may turn the picture, APP14 may mean other colours."""


def decode_jpeg(payload: bytes) -> NDArray[np.uint8] | None:
    """Return uint8 (height, width, 3), or (height, width) of grey, of a plain JPEG; None for everything else.

    Both this and Pillow are libjpeg-turbo, so that the pixels are the same; only Pillow copies all of them once more.
    """
    if not _is_plain(payload):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(payload)
        if colours not in ("YCbCr", "Gray") or int(height) * int(width) > (Image.MAX_IMAGE_PIXELS or 0):
            return None
        if colours == "Gray":
            return np.asarray(simplejpeg.decode_jpeg(payload, "GRAY"))[:, :, 0]
        return np.asarray(simplejpeg.decode_jpeg(payload, "RGB"))
    except ValueError:  # broken, or of a kind that it does not know: Pillow decides
        return None


def _is_plain(payload: bytes) -> bool:
    """Whether there are only plain segments before the pixels."""
    if payload[:2] != b"\xff\xd8":
        return False
    at = 2
    while at + 4 <= len(payload) and payload[at] == 0xFF and payload[at + 1] in PLAIN:
        at += 2 + int.from_bytes(payload[at + 2 : at + 4], "big")
    return payload[at : at + 2] == b"\xff\xda"
