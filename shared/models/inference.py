"""Networks over many images, a batch at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

from shared.data.pixels import Pixels

BATCH_IMAGES, BATCH_PX = 512, 128
"""Images that a classifier is asked about at once, up to this size."""


def batch_for(size_px: int) -> int:
    """Return how many images of a size a classifier is asked about at once: as many pixels as BATCH_IMAGES have."""
    return max(BATCH_IMAGES * BATCH_PX**2 // max(size_px, BATCH_PX) ** 2, 1)


@torch.no_grad()
def in_batches(
    function: Callable[[Tensor], Tensor], images: Tensor | Pixels, batch_images: int = BATCH_IMAGES
) -> Tensor:
    """Apply `function` to `images` in batches and join what it returns."""
    return torch.cat([function(part) for part in images.split(batch_images)])
