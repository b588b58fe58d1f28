"""Our own PNG codec: every reader sees the pixels, and broken files are never accepted."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision.io import decode_png as torchvisions

from shared.format.png import decode_png, encode_png

Pixels = NDArray[np.uint8]


def _images() -> list[Pixels]:
    """Return noise, a flat colour, a ramp and extreme shapes, grey and RGB."""
    chance = np.random.default_rng(0)
    shapes = [(16, 16, 1), (16, 16, 3), (1, 1, 1), (1, 7, 3), (7, 1, 3), (5, 300, 3), (300, 5, 1), (64, 64, 3)]
    noise = [chance.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    return [*noise, np.full((32, 32, 3), 200, np.uint8), ramp, ramp.repeat(3, axis=2)]


@pytest.mark.filterwarnings("ignore:The image decoding")  # of torchvision moves to another package
@pytest.mark.parametrize("image", _images(), ids=lambda image: str(image.shape))
def test_every_reader_sees_the_same_pixels(image: Pixels) -> None:
    """Pillow, torchvision's libpng and the fast reader decode exactly what was encoded, in the mode of its channels."""
    payload = encode_png(image)
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.mode == {1: "L", 3: "RGB"}[image.shape[2]]
        assert np.array_equal(np.asarray(picture).reshape(image.shape), image)
    libpng = torchvisions(torch.frombuffer(bytearray(payload), dtype=torch.uint8))
    assert np.array_equal(libpng.permute(1, 2, 0).numpy(), image)
    found = decode_png(payload)
    assert found is not None
    assert np.array_equal(found, image)
    assert found.flags.writeable


def test_the_memory_layout_does_not_matter() -> None:
    """Equal pixels give equal bytes, also from a non-contiguous view."""
    image = _images()[7]
    assert encode_png(np.asfortranarray(image)) == encode_png(image)
    assert encode_png(image[::-1].copy()[::-1]) == encode_png(image)


ENCODE_BLOBS = """
import hashlib, numpy
from shared.format.png import encode_png
chance = numpy.random.default_rng(0)
down, right = numpy.mgrid[:16, :16]
digest = hashlib.sha256()
for _ in range(2000):
    row, column, width = chance.uniform(2, 66, 3)
    blob = 255 * numpy.exp(-((down - row / 4) ** 2 + (right - column / 4) ** 2) / width)
    digest.update(encode_png(numpy.uint8(blob * chance.uniform(0.8, 1, (16, 16)))[:, :, None]))
print(digest.hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("processes", [12, pytest.param(48, marks=pytest.mark.long)])
def test_every_process_gives_the_same_bytes(processes: int) -> None:
    """Bytes are equal in every process, although some compressors' output depends on memory addresses."""
    found = set()
    for _ in range(processes):
        done = subprocess.run([sys.executable, "-c", ENCODE_BLOBS], capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA"])
def test_what_others_wrote_is_left_to_pillow(mode: str) -> None:
    """Pillow's files, with other row filters or pixel formats, are not decoded here."""
    picture = Image.fromarray(_images()[7]).convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    found = decode_png(buffer.getvalue())
    assert found is None or np.array_equal(found.squeeze(), np.asarray(picture))


def test_a_broken_file_is_never_decoded() -> None:
    """A flipped bit, a truncated end or trailing bytes give no picture."""
    payload = encode_png(_images()[0])
    for at in range(len(payload)):
        for bit in (0, 3, 7):
            assert decode_png(payload[:at] + bytes([payload[at] ^ 1 << bit]) + payload[at + 1 :]) is None
        assert decode_png(payload[:at]) is None
    assert decode_png(payload + b"\0") is None


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize(
    ("width", "height", "depth", "colour", "interlace", "body"),
    [
        (4, 4, 8, 0, 0, bytes([2, 0, 0, 0, 0]) * 3),  # a row is missing
        (4, 4, 8, 0, 0, bytes([2, 0, 0, 0, 0]) * 5),  # a row too many
        (4, 4, 8, 0, 0, bytes([1, 0, 0, 0, 0]) * 4),  # another filter
        (4, 4, 8, 0, 1, bytes([2, 0, 0, 0, 0]) * 4),  # interlaced
        (4, 4, 8, 3, 0, bytes([2, 0, 0, 0, 0]) * 4),  # a palette
        (4, 4, 16, 0, 0, bytes([2, 0, 0, 0, 0, 0, 0, 0, 0]) * 4),  # 16 bit
        (0, 0, 8, 0, 0, b""),
        (50_000, 50_000, 8, 0, 0, bytes(100)),  # claims to be huge
        (2**31, 2**31, 8, 2, 0, bytes(100)),
        (4, 4, 8, 0, 0, bytes(10_000_000)),  # unpacks to far more than it claims
    ],
)
def test_a_whole_file_of_another_kind_is_left_to_pillow(
    width: int, height: int, depth: int, colour: int, interlace: int, body: bytes
) -> None:
    """Checksums are right, but this reader does not support the kind of picture."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    parts = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(body)) + _chunk(b"IEND", b"")
    assert decode_png(b"\x89PNG\r\n\x1a\n" + parts) is None
