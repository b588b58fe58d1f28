"""8 bit grey and RGB PNGs: every row filtered by Up, then libdeflate.

Any PNG reader opens them. What others wrote is read by Pillow, in `sample.py`.
"""

import struct
import zlib

import numpy as np
from deflate import DeflateError, zlib_compress, zlib_decompress
from numpy.typing import NDArray

_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_END = b"\0\0\0\0IEND\xaeB`\x82"

UP = 2
"""PNG's filter type 2: each byte less the one above it."""

LARGEST_BYTES = 1 << 26
"""Pixels that are read here at most; Pillow decides about larger pictures."""


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Return uint8 (height, width, 1 or 3) as PNG; equal images give equal bytes with the same version of deflate."""
    # One filter for all rows is one subtraction of the whole image, and Up suits most photos. Pillow tries five filters
    # on each row: smaller files, at many times the work.
    height, width, channels = image.shape
    rows = image.reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    colour = 2 if channels == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return _START[:8] + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib_compress(filtered, 1)) + _END


def decode_png(payload: bytes) -> NDArray[np.uint8] | None:
    """Return uint8 (height, width, 1 or 3) of a PNG as `encode_png` writes it; None for every other one.

    Every checksum is verified; what is broken in any way is None too.
    """
    shape = _shape(payload)
    if shape is None:
        return None
    height, width, channels = shape
    # the size is known, so that a bomb cannot expand: libdeflate fails where there is more
    size_bytes = height * (1 + width * channels)
    try:
        pixels = zlib_decompress(payload[41:-16], size_bytes)
    except DeflateError:
        return None
    if len(pixels) != size_bytes:
        return None
    rows = np.frombuffer(pixels, np.uint8).reshape(height, 1 + width * channels)
    # the first byte of a row names its filter; `encode_png` writes one and the same for all
    if (rows[:, 0] != UP).any():
        return None
    return _sums_down(rows[:, 1:].copy()).reshape(height, width, channels)


def _shape(payload: bytes) -> tuple[int, int, int] | None:
    """Return height, width and channels of a PNG with the chunks, sums and sizes of `encode_png`'s; else None."""
    if len(payload) < 57 or payload[:16] != _START or payload[37:41] != b"IDAT" or payload[-12:] != _END:
        return None
    width, height, depth, colour, *methods, header_sum, length = struct.unpack(">IIBBBBBII", payload[16:37])
    if depth != 8 or colour not in (0, 2) or any(methods) or length != len(payload) - 57:
        return None
    (body_sum,) = struct.unpack(">I", payload[-16:-12])
    if (zlib.crc32(payload[12:29]), zlib.crc32(payload[37:-16])) != (header_sum, body_sum):
        return None
    channels = 3 if colour else 1
    return (height, width, channels) if 0 < height * (1 + width * channels) <= LARGEST_BYTES else None


def _sums_down(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return rows (n, m), each the sum modulo 256 of all down to it; in place."""
    # a prefix sum by doubling: log2(n) passes over whole rows, where numpy's cumsum goes down one column at a time
    reach = 1
    while reach < len(rows):
        rows[reach:] += rows[:-reach].copy()
        reach *= 2
    return rows


def _chunk(kind: bytes, content: bytes | bytearray) -> bytes:
    """Return one chunk of a PNG: length, type, content, checksum of type and content."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
