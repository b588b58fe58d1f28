"""An opened image to the pixels of a sample."""

import numpy as np
from PIL import Image, ImageOps

from shared.data.resizing import resize
from shared.format.sample import CHANNEL_MODES
from shared.sources.items import Picture, Pixels, Unusable
from shared.sources.reading import Target

EIGHT_BIT = np.rint(np.arange(65536) * (255 / 65535)).astype(np.uint8)
"""Each level of 16 bit in 8 bit. A table, since the same sum of a large image takes 24 bytes a pixel."""


def prepare(image: Picture, target: Target) -> Pixels:
    """Return uint8 (size_px, size_px, channels) of `image`.

    With crop "center" the largest centred square is cut out first, so that nothing is distorted; with "none" the
    whole image is squeezed into the square. Pillow's filters are antialiased when shrinking. Raises ValueError or
    OSError for an image that cannot be decoded.
    """
    if isinstance(image, Image.Image):
        opened = flatten(image, target.background)
        opened = opened.crop(crop_box(*opened.size, target.crop)) if target.crop == "center" else opened
    else:
        height, width = image.shape[:2]
        # an array is cut before Pillow copies it
        left, top, right, bottom = crop_box(width, height, target.crop)
        opened = Image.fromarray(image[top:bottom, left:right])
    # grey before it is resized: a third of the work, and the same to rounding
    pixels = np.asarray(
        resize(_in_mode(opened, CHANNEL_MODES[target.channels]), target.size_px, target.resize_filter), dtype=np.uint8
    )
    # one layout for grey and colour, so that nothing after this asks for the number of dimensions
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def crop_box(width: int, height: int, crop: str) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what `crop` takes: the largest centred square, or all of the image."""
    if crop != "center":
        return 0, 0, width, height
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Return the image in Pillow's `mode`; itself if it is: `convert` would copy it."""
    return image if image.mode == mode else image.convert(mode)


def upright(image: Picture) -> Image.Image:
    """Return an opened image, its first frame turned upright in place, in 8 bit and otherwise in its own mode."""
    if not isinstance(image, Image.Image):
        return Image.fromarray(image)
    image.seek(0)
    # a camera stores a portrait as a landscape and a note to turn it: without this, faces would lie on their side
    ImageOps.exif_transpose(image, in_place=True)  # a copy of each large image would cost a quarter of the memory
    if image.mode.startswith("I;16"):
        # convert("L") would clip at 255 instead: nearly every 16 bit image would come out white
        return Image.fromarray(EIGHT_BIT[np.asarray(image)])
    return image


def flatten(image: Image.Image, background: str) -> Image.Image:
    """Return any Pillow image as opaque 8 bit L or RGB, turned upright.

    The first frame of an animation counts; EXIF's orientation is applied; alpha, of palettes too, is laid over
    `background`; 16 bit grey is scaled to 8 bit by 255 / 65535; CMYK, YCbCr, Lab and HSV become RGB. 32 bit and
    floating point pixels have no known range: Unusable.
    """
    image = upright(image)
    # guessing a range by the image's own minimum and maximum would change its brightness
    if image.mode in ("I", "F"):
        raise Unusable(f"pixels of mode {image.mode} (32 bit) have no known range; save as 8 or 16 bit")
    if image.has_transparency_data:
        # dropping alpha would uncover the colour below it, in many files black
        under = Image.new("RGBA", image.size, background)
        under.alpha_composite(_in_mode(image, "RGBA"))
        return under.convert("RGB")
    return _in_mode(image, "L" if image.mode in ("1", "L") else "RGB")
