"""Every kind of image that Pillow reads becomes the same plain pixels, or is put aside."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from jobs.preprocess.images import prepare


def turned() -> Image.Image:
    """Return a picture, black left and white right, whose EXIF says that it must be turned by 90 degrees clockwise."""
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
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), [0, 0, 255]),  # clear: the background alone
        (Image.new("RGBA", (4, 4), (255, 0, 0, 51)), [51, 0, 204]),  # a fifth red over four fifths blue
        (Image.new("LA", (4, 4), (200, 0)), [0, 0, 255]),
        (CLEAR_PALETTE, [0, 0, 255]),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), [255, 0, 0]),
        (Image.fromarray(np.full((4, 4), 32896, np.uint16)), [128, 128, 128]),  # 32896 * 255 / 65535 = 128
        (animated(), [255, 0, 0]),
    ],
    ids=["clear", "half clear", "grey clear", "palette clear", "CMYK", "16 bit", "animated"],
)
def test_every_image_is_laid_flat_on_the_background(image: Image.Image, expected: list[int]) -> None:
    """Alpha shows the background (blue here), 16 bit keeps its brightness, an animation gives its first frame."""
    pixels = prepare(image, 4, 3, "none", "box", background="blue")
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_a_photo_is_turned_upright() -> None:
    """EXIF orientation 6 turns the left side up: the top is black, the bottom white."""
    pixels = prepare(turned(), 4, 1, "none", "box")[:, :, 0]
    assert pixels[:2].max() == 0
    assert pixels[2:].min() == 255


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_known_range_are_refused(mode: str) -> None:
    """32 bit integers and floating point could mean anything: the image is put aside, never guessed."""
    with pytest.raises(ValueError, match="no known range"):
        prepare(Image.new(mode, (4, 4)), 4, 1, "none", "box")
