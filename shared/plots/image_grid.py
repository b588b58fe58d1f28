"""Images joined into one picture, by numpy and Pillow alone: a command that shows a grid does not need matplotlib."""

import io

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image


def tile(images: ArrayLike, columns: int, gap_px: int = 1) -> NDArray[np.uint8]:
    """Join uint8 images (N, channels, size, size) into one (height, width[, 3]) picture, row by row, white gaps."""
    pixels = np.asarray(images)
    count, channels, side, _ = pixels.shape
    rows = -(-count // columns)
    step = side + gap_px
    sheet = np.full((rows * step - gap_px, columns * step - gap_px, channels), 255, np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * step, index % columns * step
        sheet[top : top + side, left : left + side] = image.transpose(1, 2, 0)
    return sheet[:, :, 0] if channels == 1 else sheet


def evenly(count: int, most: int) -> list[int]:
    """Return at most `most` (at least 2) of `count` places, evenly spread, the first and the last among them."""
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, most))})


def enlarged_png(pixels: ArrayLike, most_px: int) -> bytes:
    """Return uint8 pixels (height, width[, 3]) as PNG, enlarged by the largest whole factor up to `most_px` a side."""
    picture = Image.fromarray(np.asarray(pixels))
    scale = max(most_px // max(picture.size), 1)
    buffer = io.BytesIO()
    picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()
