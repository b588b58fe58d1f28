"""An opened image to the pixels of a sample, and which sample goes to which split."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.model_selection import train_test_split

from shared.errors import BadInput
from shared.format.sample import CHANNEL_MODES


def prepare(image: Image.Image, size_px: int, channels: int, crop: str, resize_filter: str) -> NDArray[np.uint8]:
    """Return uint8 (size_px, size_px, channels) of `image`.

    With crop "center" the largest centred square is cut out first, so that nothing is distorted; with "none" the
    whole image is squeezed into the square. Pillow's filters are antialiased when shrinking.
    """
    image = image.convert(CHANNEL_MODES[channels])
    if crop == "center":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    if image.size != (size_px, size_px):
        image = image.resize((size_px, size_px), Image.Resampling[resize_filter.upper()])
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def split_indexes(
    labels: Sequence[int], val_fraction: float, test_fraction: float, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Return the sorted indexes of train, val and test: a seeded random split, stratified by class.

    Val and test get their fraction of the images rounded up, train the rest. Raises BadInput where a class is too
    small to stand in every split.
    """
    total = len(labels)
    test_count, val_count = ceil(test_fraction * total), ceil(val_fraction * total)
    every = np.arange(total)
    known = np.asarray(labels)
    try:
        rest, test = train_test_split(every, test_size=test_count, random_state=seed, stratify=known)
        train, val = train_test_split(rest, test_size=val_count, random_state=seed, stratify=known[rest])
    except ValueError as error:
        raise BadInput(
            f"cannot split {total} images of {len(np.unique(known))} classes: {error}\n"
            "want at least 3 images of each class, and more images in each split than there are classes"
        ) from error
    return {"train": np.sort(train), "val": np.sort(val), "test": np.sort(test)}
