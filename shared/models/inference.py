"""Networks over many images, a batch at a time; what a pass keeps in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from shared.data.pixels import Pixels

BATCH_IMAGES, BATCH_PX = 512, 128
"""Images that a classifier is asked about at once, up to this size."""

PROBED = 2
"""Images in a step that is tried: batch normalisation needs two."""

ADAM_NUMBERS = 4
"""Numbers that training holds of each weight: itself, its gradient and Adam's two means."""


def batch_for(size_px: int) -> int:
    """Return how many images of a size a classifier is asked about at once: as many pixels as BATCH_IMAGES have."""
    return max(BATCH_IMAGES * BATCH_PX**2 // max(size_px, BATCH_PX) ** 2, 1)


@torch.no_grad()
def in_batches(
    function: Callable[[Tensor], Tensor], images: Tensor | Pixels, batch_images: int = BATCH_IMAGES
) -> Tensor:
    """Apply `function` to `images` in batches and join what it returns."""
    parts = iter(images.split(batch_images))
    first = function(next(parts))
    # one tensor from the beginning: small ones, made between the large ones of each batch, would hold their memory back
    joined, start = first.new_empty((len(images), *first.shape[1:])), len(first)
    joined[:start] = first
    for part in parts:
        joined[start : start + len(part)] = function(part)
        start += len(part)
    return joined


@contextmanager
def kept_for_gradients(network: nn.Module) -> Iterator[dict[int, int]]:
    """Yield the bytes of each tensor in memory that passes within keep for their gradients, weights left out."""
    kept: dict[int, int] = {}
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield kept
