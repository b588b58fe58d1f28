"""Networks over many images, a batch at a time."""

from collections.abc import Callable

import torch
from torch import Tensor


@torch.no_grad()
def in_batches(function: Callable[[Tensor], Tensor], images: Tensor, batch_images: int = 512) -> Tensor:
    """Apply `function` to `images` in batches and join what it returns."""
    return torch.cat([function(part) for part in images.split(batch_images)])
