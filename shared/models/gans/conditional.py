"""DCGAN's stack with class-conditional batch norm, and a projection discriminator."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from shared.models.layers import BatchNorm, norm_layers
from shared.models.networks import Discriminator, Generator, embedding
from shared.models.sizes import stage_widths


class ClassBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift belong to the class (Dumoulin et al. 2017, eq. 5)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, affine=False)
        self.scale_and_shift = embedding(classes, 2 * channels)
        nn.init.zeros_(self.scale_and_shift.weight)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return (N, channels, h, w) for (N, channels, h, w) and labels (N,)."""
        scale, shift = self.scale_and_shift(labels)[:, :, None, None].chunk(2, dim=1)
        # 1 + scale, so that weights of zero begin as plain batch norm
        return torch.addcmul(shift, self.norm(images), 1 + scale)


class ClassGenerator(Generator):
    """DCGAN's stack of transposed convolutions (Radford et al. 2016) with class-conditional batch norm.

    The label enters twice: as an embedding that follows the latent and through every normalisation. Without classes
    both are those of a single class.
    """

    def __init__(
        self, *, size_px: int, channels: int, classes: int, latent: int = 64, width: int = 16, embedded: int = 32
    ) -> None:
        super().__init__()
        widths = stage_widths(width, size_px)
        self.latent, self.classes = latent, classes
        self.embed = embedding(max(classes, 1), embedded)
        self.start = nn.Linear(latent + embedded, widths[0] * 4 * 4)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1) for before, after in pairwise(widths)
        )
        self.norms = nn.ModuleList(ClassBatchNorm(stage, max(classes, 1)) for stage in widths)
        self.activate = nn.LeakyReLU(0.2)
        self.finish = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        labels = labels if self.classes else torch.zeros_like(labels)
        stage = self.start(torch.cat([latents, self.embed(labels)], dim=1)).unflatten(1, (-1, 4, 4))
        stage = self.activate(self.norms[0](stage, labels))
        for grow, norm in zip(self.grow, self.norms[1:], strict=True):
            stage = self.activate(norm(grow(stage), labels))
        return torch.tanh(self.finish(stage))


class ProjectionDiscriminator(Discriminator):
    """Strided convolutions, by default without norms, then a projection onto the label (Miyato and Koyama 2018, eq. 4).

    Without batch norm nothing couples the images of a batch, as a gradient penalty per image requires.
    """

    def __init__(
        self,
        *,
        size_px: int,
        channels: int,
        classes: int,
        width: int = 16,
        norm: str = "none",
        bn_eps: float = 1e-5,
        features: int = 128,
    ) -> None:
        super().__init__()
        widths = stage_widths(width, size_px)[::-1]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1), nn.LeakyReLU(0.2)]
        for before, after in pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
            layers += [*norm_layers(norm, after, bn_eps), nn.LeakyReLU(0.2)]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * 4 * 4, features), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(features, 1)
        self.project = embedding(classes, features) if classes else None
        if self.project is not None:
            # so that the projection of features of size 1 begins with variance 1
            nn.init.normal_(self.project.weight, std=features**-0.5)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits (N,) for images (N, channels, size, size) in [-1, 1] and labels (N,)."""
        features = self.body(images)
        logits = self.head(features).squeeze(1)
        if self.project is None:
            return logits  # type: ignore[no-any-return]
        return logits + (features * self.project(labels)).sum(dim=1)  # type: ignore[no-any-return]
