"""An opened image to the pixels of a sample."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from shared.format.sample import CHANNEL_MODES
from shared.resizing import resize


def prepare(
    image: Image.Image, size_px: int, channels: int, crop: str, resize_filter: str, background: str = "white"
) -> NDArray[np.uint8]:
    """Return uint8 (size_px, size_px, channels) of `image`.

    With crop "center" the largest centred square is cut out first, so that nothing is distorted; with "none" the
    whole image is squeezed into the square. Pillow's filters are antialiased when shrinking. Raises ValueError or
    OSError for an image that cannot be decoded.
    """
    image = flatten(image, background).convert(CHANNEL_MODES[channels])
    if crop == "center":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    pixels = np.asarray(resize(image, size_px, resize_filter), dtype=np.uint8)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def flatten(image: Image.Image, background: str) -> Image.Image:
    """Return any Pillow image as opaque 8 bit L or RGB, turned upright.

    Of an animation the first frame counts; EXIF's orientation is applied; alpha, of palettes too, is laid over
    `background`; 16 bit grey is scaled to 8 bit by 255 / 65535; CMYK, YCbCr, Lab and HSV become RGB. 32 bit and
    floating point pixels have no known range: ValueError.
    """
    image.seek(0)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.float64) * (255 / 65535)
        return Image.fromarray(np.rint(grey).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} (32 bit) have no known range; save as 8 or 16 bit")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        under = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(under, coloured).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
