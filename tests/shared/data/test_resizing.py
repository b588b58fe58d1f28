"""Images in the format of another dataset: what preprocess would have made of them."""

import numpy as np
import pytest
import torch
from PIL import Image

from shared.data.resizing import FILTERS, converted
from shared.sources.prepare import prepare
from shared.sources.reading import Target


@pytest.mark.parametrize("resize_filter", FILTERS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("own", [1, 3])
def test_converted_images_are_those_that_preprocess_makes(own: int, channels: int, resize_filter: str) -> None:
    """Bit for bit, from colour to grey and back, larger and smaller, by every filter."""
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, own, 16, 16), dtype=np.uint8))
    for size_px in (8, 16, 32):
        found = converted(images, size_px, channels, resize_filter)
        assert found.shape == (3, channels, size_px, size_px)
        for image, made in zip(images, found, strict=True):
            pixels = image.permute(1, 2, 0).numpy()
            picture = Image.fromarray(pixels[:, :, 0] if own == 1 else pixels)
            wanted = prepare(
                picture, Target(size_px=size_px, channels=channels, crop="none", resize_filter=resize_filter)
            )
            assert np.array_equal(made.permute(1, 2, 0).numpy(), wanted)
