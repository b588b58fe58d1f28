"""Every kind of image that Pillow reads becomes plain pixels, or is rejected."""

import os
import shutil
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.format.sample import decode
from shared.sources.items import Item, from_file, open_bytes
from shared.sources.prepare import prepare
from shared.sources.reading import Target
from shared.sources.work import Unreadable, digest, prepared
from tests.jobs.preprocess.test_preprocess import a_config


def turned() -> Image.Image:
    """Return a picture, black left and white right, whose EXIF orientation is 90 degrees clockwise."""
    stored = Image.fromarray(np.array([[0, 0, 255, 255]] * 4, np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotate 90 degrees clockwise to display
    buffer = BytesIO()
    stored.save(buffer, format="PNG", exif=exif)
    return Image.open(BytesIO(buffer.getvalue()))


def animated() -> Image.Image:
    """Return an animation whose first frame is red and whose second is blue."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    buffer = BytesIO()
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:])
    return Image.open(BytesIO(buffer.getvalue()))


CLEAR_PALETTE = Image.new("P", (4, 4), 1)
CLEAR_PALETTE.putpalette([0, 0, 0, 255, 0, 0])
CLEAR_PALETTE.info["transparency"] = 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), [0, 0, 255]),  # transparent: only the background
        (Image.new("RGBA", (4, 4), (255, 0, 0, 51)), [51, 0, 204]),  # a fifth red over four fifths blue
        (Image.new("LA", (4, 4), (200, 0)), [0, 0, 255]),
        (CLEAR_PALETTE, [0, 0, 255]),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), [255, 0, 0]),
        (Image.fromarray(np.full((4, 4), 32896, np.uint16)), [128, 128, 128]),  # 32896 * 255 / 65535 = 128
        (animated(), [255, 0, 0]),
    ],
    ids=["clear", "half clear", "grey clear", "palette clear", "CMYK", "16 bit", "animated"],
)
def test_every_image_is_flattened_on_the_background(image: Image.Image, expected: list[int]) -> None:
    """Alpha shows the background (blue here), 16 bit keeps its brightness, an animation has its first frame."""
    pixels = prepare(image, Target(size_px=4, channels=3, crop="none", resize_filter="box", background="blue"))
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_a_photo_is_turned_upright() -> None:
    """EXIF orientation 6 turns the left side up: the top is black, the bottom white."""
    pixels = prepare(turned(), Target(size_px=4, channels=1, crop="none", resize_filter="box"))[:, :, 0]
    assert pixels[:2].max() == 0
    assert pixels[2:].min() == 255


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_known_range_are_refused(mode: str) -> None:
    """32-bit integers and floats have no known range: the image is rejected, never guessed."""
    with pytest.raises(ValueError, match="no known range"):
        prepare(Image.new(mode, (4, 4)), Target(size_px=4, channels=1, crop="none", resize_filter="box"))


def saved(image: Image.Image, kind: str) -> bytes:
    """Return an image's file."""
    buffer = BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty file"),
        (b"<html>quota exceeded</html>", "not an image that Pillow reads"),
        (saved(Image.effect_noise((64, 64), 50), "PNG")[:900], "cannot be read: image file is truncated"),
        (saved(Image.effect_noise((64, 64), 50), "JPEG")[:900], "cannot be read: image file is truncated"),
        (saved(Image.new("F", (4, 4)), "TIFF"), "pixels of mode F (32 bit) have no known range"),
    ],
    ids=["empty", "text", "cut PNG", "cut JPEG", "floating point"],
)
def test_the_reason_is_in_plain_words(payload: bytes, reason: str) -> None:
    """The reason for an unreadable file has no type names or memory addresses."""
    found = prepared(a_config().target, (Item(0, {}, partial(bytes, payload), open_bytes), "hash"))
    assert isinstance(found, Unreadable)
    assert found.reason.startswith(reason)


def test_a_vector_drawing_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An EPS without Ghostscript on the machine says what to install."""
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    item = Item(0, {}, partial(bytes, saved(Image.new("L", (4, 4)), "EPS")), open_bytes)
    found = prepared(a_config().target, (item, "hash"))
    assert found == Unreadable("EPS needs Ghostscript, which is not installed: save it as PNG")


def test_non_files_have_a_reason_without_their_path(tmp_path: Path) -> None:
    """The reason is the same on every machine for a missing file, a folder, and a pipe, which is never opened."""
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    reasons = [digest(from_file(tmp_path / f"{name}.png", 0, {})) for name in ("missing", "folder", "pipe")]
    assert reasons == [
        Unreadable("No such file or directory"),
        Unreadable("no file but a folder or a device"),
        Unreadable("no file but a folder or a device"),
    ]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_very_large_images_are_read_without_a_warning(kind: str) -> None:
    """Between 89 and 179 million pixels Pillow would warn without the file's name; the image is read like others."""
    image = Image.new("1" if kind == "PNG" else "L", (60_000, 1_500), 1 if kind == "PNG" else 255)
    found = prepared(
        a_config(crop="center").target, (Item(0, {}, partial(bytes, saved(image, kind)), open_bytes), "hash")
    )
    assert not isinstance(found, Unreadable)
    pixels = decode("k", found, "").image
    assert pixels.shape == (16, 16, 1)
    assert pixels.min() == 255
