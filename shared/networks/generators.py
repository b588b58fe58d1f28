"""Generators: latents and labels to images in [-1, 1]."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from shared.errors import BadConfig

SIZES_PX = (16, 32, 64, 128)
"""Image sides that the networks are built for: 4 px doubled two to five times."""


def doublings(size_px: int) -> int:
    """Return how often 4 px doubles to `size_px`; BadConfig for a side that is none of SIZES_PX."""
    if size_px not in SIZES_PX:
        raise BadConfig(f"images are {size_px} px wide, want one of {SIZES_PX}; run preprocess with --size-px")
    return SIZES_PX.index(size_px) + 2


def stage_widths(width: int, size_px: int) -> list[int]:
    """Return the channels at 4 px, 8 px, ... `size_px`: `width` at the full size, doubling downwards to 8 times."""
    steps = doublings(size_px)
    return [min(width * 2 ** (steps - stage), 8 * width) for stage in range(steps + 1)]


class ClassBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift belong to the class (Dumoulin et al. 2017, eq. 5)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale_and_shift = nn.Embedding(classes, 2 * channels)
        nn.init.zeros_(self.scale_and_shift.weight)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return (N, channels, h, w) for (N, channels, h, w) and labels (N,)."""
        scale, shift = self.scale_and_shift(labels)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(images), 1 + scale)


class ClassGenerator(nn.Module):
    """DCGAN's stack of transposed convolutions (Radford et al. 2016) with class-conditional batch norm.

    The label enters twice: as an embedding beside the latent and through every normalisation.
    """

    def __init__(
        self, *, size_px: int, channels: int, classes: int, latent: int = 64, width: int = 16, embedding: int = 32
    ) -> None:
        super().__init__()
        widths = stage_widths(width, size_px)
        self.latent = latent
        self.embed = nn.Embedding(classes, embedding)
        self.start = nn.Linear(latent + embedding, widths[0] * 4 * 4)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.norms = nn.ModuleList(ClassBatchNorm(stage, classes) for stage in widths)
        self.activate = nn.LeakyReLU(0.2)
        self.finish = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        stage = self.start(torch.cat([latents, self.embed(labels)], dim=1)).unflatten(1, (-1, 4, 4))
        stage = self.activate(self.norms[0](stage, labels))
        for grow, norm in zip(self.grow, self.norms[1:], strict=True):
            stage = self.activate(norm(grow(stage), labels))
        return torch.tanh(self.finish(stage))


GENERATORS: dict[str, Callable[..., nn.Module]] = {"class_dcgan": ClassGenerator}


def build_generator(spec: dict[str, Any]) -> Any:
    """Return the generator of `spec` with fresh weights from torch's global generator."""
    options = dict(spec)
    return GENERATORS[options.pop("name")](**options)
