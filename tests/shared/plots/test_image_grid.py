import io

import numpy as np
from PIL import Image

from shared.plots.image_grid import enlarged_png, tile


def test_tiles_lie_row_by_row_with_white_gaps() -> None:
    """Three 2 x 2 images in two columns: a 5 x 5 sheet, gaps and the missing image white, by hand."""
    assert tile(np.stack([np.full((1, 2, 2), value, np.uint8) for value in (1, 2, 3)]), columns=2).tolist() == [
        [1, 1, 255, 2, 2],
        [1, 1, 255, 2, 2],
        [255, 255, 255, 255, 255],
        [3, 3, 255, 255, 255],
        [3, 3, 255, 255, 255],
    ]


def test_tiles_can_touch_and_have_colours() -> None:
    """Without a gap, colour images give (height, width, 3) with each channel in its place."""
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 2, 2)
    sheet = tile(np.concatenate([image, image]), columns=2, gap_px=0)
    assert sheet.shape == (2, 4, 3)
    assert sheet[0, 0].tolist() == sheet[0, 2].tolist() == [0, 4, 8]
    assert sheet[1, 3].tolist() == [3, 7, 11]


def test_small_pictures_are_enlarged_without_blur() -> None:
    """A picture of 2 x 3 px becomes 6 x 9 where at most 11 are wanted: factor 3, every pixel a square of 9."""
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    with Image.open(io.BytesIO(enlarged_png(pixels, 11))) as picture:
        assert np.array_equal(np.asarray(picture), pixels.repeat(3, axis=0).repeat(3, axis=1))


def test_large_pictures_stay_as_they_are() -> None:
    """A picture that is larger than wanted is not shrunk."""
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    with Image.open(io.BytesIO(enlarged_png(pixels, 1))) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
