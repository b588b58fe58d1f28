"""JPEGs decoded without Pillow have Pillow's pixels; those that need Pillow are left to it."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.data.jpeg import decode_jpeg
from shared.data.resizing import FILTERS
from shared.sources.items import open_bytes
from shared.sources.prepare import prepare
from shared.sources.reading import Target


def picture(mode: str = "RGB", size: tuple[int, int] = (178, 218)) -> Image.Image:
    """Return a picture with soft and hard edges and some noise."""
    chance = np.random.default_rng(0)
    soft = Image.fromarray(chance.integers(0, 256, (14, 11, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    noisy = np.asarray(soft).astype(int) + chance.normal(0, 8, (size[1], size[0], 3)).astype(int)
    noisy[40:60, 30:90] = 255
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).convert(mode)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """Return the image as a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


PLAIN = {
    "default": jpeg(picture()),
    "4:4:4, fine": jpeg(picture(), quality=98, subsampling=0),
    "4:2:2": jpeg(picture(), quality=90, subsampling=1),
    "4:2:0, coarse": jpeg(picture(), quality=20, subsampling=2),
    "odd size": jpeg(picture(size=(33, 17))),
    "progressive": jpeg(picture(), progressive=True),
    "restarts": jpeg(picture(), restart_marker_rows=1),
    "grey": jpeg(picture("L")),
    "comment and colour profile": jpeg(picture(), comment=b"a comment", icc_profile=b"not read by Pillow either"),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_the_pixels_are_pillows(kind: str) -> None:
    """Every byte of every pixel is what Pillow's own reader gives."""
    found = decode_jpeg(PLAIN[kind])
    assert found is not None
    with Image.open(io.BytesIO(PLAIN[kind])) as image:
        assert np.array_equal(found, np.asarray(image))


EXIF = Image.Exif()
EXIF[0x0112] = 6  # turned by 90 degrees

LEFT_TO_PILLOW = {
    "turned by EXIF": jpeg(picture(), exif=EXIF),
    "CMYK": jpeg(picture("CMYK")),
    "stored as RGB": jpeg(picture(), keep_rgb=True),
    "cut off": PLAIN["default"][:2000],
    "no end": PLAIN["default"][:-400],
    "empty": b"",
    "only its mark": b"\xff\xd8",
    "text": b"no picture at all",
    "PNG": b"\x89PNG\r\n\x1a\n",
}


@pytest.mark.parametrize("kind", LEFT_TO_PILLOW)
def test_what_needs_more_than_decoding_is_left_to_pillow(kind: str) -> None:
    """Orientation, other colour modes and broken files go to Pillow, which decodes them or gives a reason."""
    assert decode_jpeg(LEFT_TO_PILLOW[kind]) is None


def test_a_picture_that_is_too_large_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow warns about pictures above its pixel limit, so they never take the fast path."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 178 * 218 - 1)
    assert decode_jpeg(PLAIN["default"]) is None


@pytest.mark.parametrize("resize_filter", FILTERS)
@pytest.mark.parametrize("crop", ["center", "none"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["default", "odd size", "grey"])
def test_prepared_pixels_are_those_of_the_plain_way(kind: str, channels: int, crop: str, resize_filter: str) -> None:
    """Opening, cropping, converting and resizing with Pillow alone, in the plain order, gives the same pixels."""
    payload = PLAIN[kind]
    with Image.open(io.BytesIO(payload)) as image:
        plain = prepare(image, Target(size_px=16, channels=channels, crop=crop, resize_filter=resize_filter))
        by_hand = image.convert("RGB" if channels == 3 else "L")
        if crop == "center":
            side = min(by_hand.size)
            left, top = (by_hand.width - side) // 2, (by_hand.height - side) // 2
            by_hand = by_hand.crop((left, top, left + side, top + side))
        by_hand = by_hand.resize((16, 16), Image.Resampling[resize_filter.upper()])
    fast = prepare(open_bytes(payload), Target(size_px=16, channels=channels, crop=crop, resize_filter=resize_filter))
    assert np.array_equal(fast, plain)
    assert np.array_equal(fast, np.asarray(by_hand).reshape(16, 16, channels))
