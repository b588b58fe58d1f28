"""Every kind of image that Pillow reads becomes plain pixels, or is rejected."""

import os
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.format.files import sha256
from shared.format.sample import decode
from shared.sources.items import FORMATS, Item, from_file, image_suffixes, open_bytes, readable_formats
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


def task_of(item: Item) -> tuple[Item, str]:
    """Return what `prepared` gets: an item and the sha256 of what it holds."""
    return item, sha256(item.read())


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
    found = prepared(a_config().target, task_of(Item(0, {}, partial(bytes, payload), open_bytes)))
    assert isinstance(found, Unreadable)
    assert found.reason.startswith(reason)


@pytest.mark.fault(12)
@pytest.mark.parametrize("kind", ["EPS", "PDF"])
def test_what_another_program_would_draw_is_no_image(kind: str) -> None:
    """Pillow would start Ghostscript for an EPS, under any suffix: a program of the file's author."""
    item = Item(0, {}, partial(bytes, saved(Image.new("L", (4, 4)), kind)), open_bytes)
    assert prepared(a_config().target, task_of(item)) == Unreadable("not an image that Pillow reads")


@pytest.mark.fault(12)
def test_only_the_formats_of_a_list_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that Pillow, or a plugin of it, adds to its own is never handed foreign bytes."""
    asked: list[list[str]] = []
    monkeypatch.setattr("PIL.Image.open", lambda stream, formats: asked.append(formats))
    open_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    assert asked == [sorted(readable_formats())]
    assert readable_formats() <= set(FORMATS)
    assert not {"EPS", "PDF", "WMF", "FITS", "MPEG", "HDF5", "GRIB", "BUFR", "PSD"} & set(FORMATS)


DECODED = (
    *("AVIF", "BMP", "DDS", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI", "SGI", "TGA"),
    *("TIFF", "WEBP", "XBM"),
)


@pytest.mark.parametrize("kind", DECODED)
def test_images_of_a_suffix_that_counts_are_decoded(kind: str) -> None:
    """Each common format that Pillow writes comes back as pixels, and its suffixes are those of images."""
    suffixes = {suffix for suffix, name in Image.registered_extensions().items() if name == kind}
    assert suffixes <= image_suffixes()
    picture = Image.new("1" if kind == "XBM" else "RGB", (32, 32), 1)
    item = Item(0, {}, partial(bytes, saved(picture, kind)), open_bytes)
    assert not isinstance(prepared(a_config().target, task_of(item)), Unreadable)


def test_suffixes_that_pillow_names_and_does_not_decode_are_no_images() -> None:
    """They are counted and named with the other files, rather than rejected one by one when they are read."""
    named = {".pdf", ".eps", ".ps", ".h5", ".hdf", ".mpg", ".mpeg", ".bufr", ".grib", ".wmf", ".emf", ".palm"}
    assert named <= set(Image.registered_extensions())
    assert not named & image_suffixes()
    assert {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".mpo"} <= image_suffixes()


def test_a_part_that_this_pillow_lacks_takes_its_suffixes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pillow without WebP names .webp all the same."""
    for cached in (readable_formats, image_suffixes):
        cached.cache_clear()
    monkeypatch.setattr("PIL.features.check", lambda part: part != "webp")
    try:
        assert ".webp" not in image_suffixes()
        assert ".png" in image_suffixes()
    finally:
        for cached in (readable_formats, image_suffixes):
            cached.cache_clear()


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


@pytest.mark.fault(7)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_of_too_many_pixels_is_rejected_by_its_header(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """90 megapixels in some kilobytes: put aside with the number and the option, and never decoded."""
    image = Image.new("1" if kind == "PNG" else "L", (60_000, 1_500), 1 if kind == "PNG" else 255)
    item = Item(0, {}, partial(bytes, saved(image, kind)), open_bytes)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    monkeypatch.setattr("simplejpeg.decode_jpeg", lambda *args: pytest.fail("decoded"))
    found = prepared(a_config().target, task_of(item))
    assert found == Unreadable("90,000,000 pixels, more than --max-pixels 64,000,000")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_very_large_images_are_read_without_a_warning(kind: str) -> None:
    """Where --max-pixels allows it a picture above Pillow's own limit is read like others, and nothing is warned of."""
    image = Image.new("1" if kind == "PNG" else "L", (60_000, 1_500), 1 if kind == "PNG" else 255)
    item = Item(0, {}, partial(bytes, saved(image, kind)), open_bytes)
    found = prepared(a_config(crop="center", max_pixels=90_000_000).target, task_of(item))
    assert not isinstance(found, Unreadable)
    pixels = decode("k", found, "").image
    assert pixels.shape == (16, 16, 1)
    assert pixels.min() == 255
