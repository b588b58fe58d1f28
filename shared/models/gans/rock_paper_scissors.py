"""The conditional networks of the rock-paper-scissors cGAN."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from shared.models.layers import Dropout, norm_layers
from shared.models.networks import Discriminator, Generator, embedding
from shared.models.sizes import PUBLISHED_PX, doublings

EMBEDDING = 100
"""The size of the label's embedding in both networks."""


class RpsGenerator(Generator):
    """The rock-paper-scissors cGAN's generator, at 128 px with `width` 64 exactly its published table.

    The label becomes one map of 4x4 px by Embedding(classes, 100) and Linear(100, 16). The latent becomes either
    1024 numbers which that map multiplies, (1024, 1, 1) x (1, 4, 4): the one reading in which every printed number
    holds (`multiplies`); or 512 maps of 4x4 px that it is appended to, so that the body begins with 513 channels, as
    in the LearnOpenCV tutorial that the system follows. Then transposed convolutions 4x4 without bias, batch
    norm, ReLU; tanh.
    """

    multiplies: bool

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
        after = [width * 2**stage for stage in range(doublings(size_px, PUBLISHED_PX) - 2, -1, -1)]
        start = 2 * after[0] if self.multiplies else after[0]
        self.latent = latent
        self.label = nn.Sequential(embedding(classes, EMBEDDING), nn.Linear(EMBEDDING, 4 * 4))
        self.start = nn.Sequential(
            nn.Linear(latent, start if self.multiplies else start * 4 * 4), nn.LeakyReLU(0.2, inplace=True)
        )
        layers: list[nn.Module] = []
        for inside, outside in pairwise([start if self.multiplies else start + 1, *after]):
            layers.append(nn.ConvTranspose2d(inside, outside, 4, 2, 1, bias=False))
            layers += [*norm_layers(norm, outside, bn_eps), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(after[-1], channels, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        label = self.label(labels).view(-1, 1, 4, 4)
        if self.multiplies:
            return self.body(self.start(latents)[:, :, None, None] * label)  # type: ignore[no-any-return]
        stage = self.start(latents).unflatten(1, (-1, 4, 4))
        return self.body(torch.cat([stage, label], dim=1))  # type: ignore[no-any-return]


class LiteralRpsGenerator(RpsGenerator):
    """The reading in which the label's map multiplies the latent's numbers."""

    multiplies = True


class LearnOpencvRpsGenerator(RpsGenerator):
    """The reading of the tutorial: the label's map is one more channel."""

    multiplies = False


class RpsDiscriminator(Discriminator):
    """The rock-paper-scissors cGAN's discriminator, at 128 px with `width` 64 exactly its published table.

    Embedding(classes, 100) and Linear(100, channels * size^2 = 49152) make a second image of the label, whose channels
    follow the first's. The table lacks the stem that its body needs, Conv2d(2 * channels, 64, 4, 2, 1), LeakyReLU; it
    is restored here. Then Conv2d(k4, s3, p2) without bias, norm, LeakyReLU(0.2) three times, Dropout(0.4) and
    Linear(4608, 1). 4608 holds for sides of 84 to 137 px only: 64 px gives 2048. The sigmoid is in the loss.
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
    ) -> None:
        super().__init__()
        doublings(size_px, PUBLISHED_PX)  # raises for sizes that the generator does not have
        self.label = nn.Sequential(embedding(classes, EMBEDDING), nn.Linear(EMBEDDING, channels * size_px**2))
        layers: list[nn.Module] = [nn.Conv2d(2 * channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
        side, widths = size_px // 2, [width * 2**stage for stage in range(4)]
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, 3, 2, bias=False))
            layers += [*norm_layers(norm, after, bn_eps), nn.LeakyReLU(0.2, inplace=True)]
            side = side // 3 + 1
        self.body = nn.Sequential(*layers, nn.Flatten(), Dropout(0.4), nn.Linear(widths[-1] * side**2, 1))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits (N,) for images (N, channels, size, size) in [-1, 1] and labels (N,)."""
        label = self.label(labels).view_as(images)
        return self.body(torch.cat([images, label], dim=1)).squeeze(1)  # type: ignore[no-any-return]
