"""Images between two others that a generator draws: its latents along an arc, what it has learned of classes mixed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from shared.models.networks import Generator
from shared.models.snapshots import draw_images

STRAIGHT = 1e-4
"""Sine of the angle between latents below which they are on one line, and their arc is not defined by it."""


def along_arc(first: Tensor, last: Tensor, shares: Tensor) -> Tensor:
    """Return latents (N, latent) from `first` (latent,) to `last`, at each share (N,) of the angle between them.

    Spherical interpolation (Shoemake 1985), as White (2016, section 2.1) uses it for latents: half-way along a straight
    line they would be shorter than almost any that the generator was trained on.
    """
    cosine = torch.nn.functional.cosine_similarity(first, last, dim=0)
    angle = cosine.clamp(-1, 1).acos()
    if angle.sin() < STRAIGHT:
        return torch.lerp(first, last, shares[:, None])
    weights = torch.stack([((1 - shares) * angle).sin(), (shares * angle).sin()], dim=1) / angle.sin()
    return weights @ torch.stack([first, last])


def mixes_classes(network: Generator) -> bool:
    """Return whether there is anything between two classes: embeddings, not a generator for each class."""
    return any(isinstance(module, nn.Embedding) for module in network.modules())


@contextmanager
def _mixed(network: Generator, first: int, last: int, share: float) -> Iterator[None]:
    """Let each embedding give, in place of a label's row, the mixture of the rows of two labels."""

    def mixture(module: nn.Embedding, inputs: Any, rows: Tensor) -> Tensor:
        return torch.lerp(module.weight[first], module.weight[last], share).expand_as(rows)

    embeddings = [module for module in network.modules() if isinstance(module, nn.Embedding)]
    hooks = [module.register_forward_hook(mixture) for module in embeddings]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def draw_between(network: Generator, latents: Tensor, labels: tuple[int, int], shares: Tensor) -> Tensor:
    """Return uint8 images (N, channels, size, size) of latents (N, latent) on the CPU.

    The class of each is between two labels: `shares` (N,) of the way from the first one's embeddings to the second
    one's. A generator without embeddings changes from one class to the other half-way.
    """
    images = []
    # one at a time: a generator of several members hands each of them a part of the latents
    for latent, share in zip(latents, shares.tolist(), strict=True):
        with _mixed(network, *labels, share):
            images.append(draw_images(network, latent[None], torch.tensor([labels[share >= 0.5]])))
    return torch.cat(images)
