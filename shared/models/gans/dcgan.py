"""DCGAN's generator and discriminator, their depth built from the size of the image."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from shared.models.layers import norm_layers
from shared.models.networks import Discriminator, Generator, class_head, embedding
from shared.models.sizes import doublings

EMBEDDING = 32
"""The size of a label's embedding, where there are labels."""


class DcganGenerator(Generator):
    """DCGAN's generator: transposed convolutions from 1x1 px, norm and ReLU, tanh at the end.

    At 64 px its table is _block(latent, 16f, 4, 1, 0), _block(16f, 8f, 4, 2, 1), ... _block(4f, 2f, 4, 2, 1),
    ConvTranspose2d(2f, channels, 4, 2, 1), Tanh with f = `width`; a block is a transposed convolution without bias,
    the norm and ReLU. Smaller images leave out blocks at the front; 128 px repeats 16f, 256 px does so twice. With
    classes an embedding of the label follows the latent.
    """

    def __init__(
        self,
        *,
        size_px: int,
        channels: int,
        classes: int,
        latent: int = 100,
        width: int = 64,
        norm: str = "batch",
        bn_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        widths = [min(width * 2**stage, 16 * width) for stage in range(doublings(size_px), 0, -1)]
        self.latent = latent
        self.embed = embedding(classes, EMBEDDING) if classes else None
        layers: list[nn.Module] = []
        for place, (before, after) in enumerate(pairwise([latent + EMBEDDING * bool(classes), *widths])):
            # the first block opens one pixel to 4x4, each other doubles the side
            stride, padding = (2, 1) if place else (1, 0)
            layers.append(nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False))
            layers += [*norm_layers(norm, after, bn_eps), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        if self.embed is not None:
            latents = torch.cat([latents, self.embed(labels)], dim=1)
        return self.body(latents[:, :, None, None])  # type: ignore[no-any-return]


class DcganDiscriminator(Discriminator):
    """DCGAN's discriminator: strided convolutions and LeakyReLU(0.2) down to one number.

    At 64 px its table is Conv2d(channels, f, 4, 2, 1), LeakyReLU, _block(f, 2f, 4, 2, 1), ... _block(4f, 8f, 4, 2, 1),
    Conv2d(8f, 1, 4, 2, 0) with f = `width`; a block is a convolution without bias, the norm and LeakyReLU.
    Smaller images leave out blocks at the end; 128 px repeats 8f, 256 px does so twice. With classes the label is
    projected onto the last maps, which makes the last convolution the class's own (Miyato and Koyama 2018); with
    `auxiliary` the images alone are seen and a linear head names the class (Odena et al. 2017).
    """

    def __init__(
        self,
        *,
        size_px: int,
        channels: int,
        classes: int,
        width: int = 64,
        norm: str = "batch",
        bn_eps: float = 1e-5,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        widths = [min(width * 2**stage, 8 * width) for stage in range(doublings(size_px))]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=False))
            layers += [*norm_layers(norm, after, bn_eps), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(widths[-1], 1, 4, 2, 0)
        features = widths[-1] * 4 * 4
        # an auxiliary discriminator must not be told the class that it is to name
        self.project = embedding(classes, features) if classes and not auxiliary else None
        self.name_class = class_head(features, classes) if auxiliary else None
        if self.project is not None:
            nn.init.normal_(self.project.weight, std=0.02)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits (N,), or (N, 1 + classes), for images (N, channels, size, size) in [-1, 1] and labels (N,)."""
        maps = self.body(images)
        logits, features = self.head(maps).flatten(), maps.flatten(1)
        if self.name_class is not None:
            return torch.cat([logits[:, None], self.name_class(features)], dim=1)
        if self.project is not None:
            logits = logits + (features * self.project(labels)).sum(dim=1)
        return logits  # type: ignore[no-any-return]
