"""Discriminators: images and labels to one logit each (a critic's value for Wasserstein losses)."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from shared.networks.generators import stage_widths


class ProjectionDiscriminator(nn.Module):
    """Strided convolutions without batch norm, then a projection onto the label (Miyato and Koyama 2018, eq. 4).

    Nothing couples the images of a batch, so that a gradient penalty per image means what it says.
    """

    def __init__(self, *, size_px: int, channels: int, classes: int, width: int = 16, features: int = 128) -> None:
        super().__init__()
        widths = stage_widths(width, size_px)[::-1]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1), nn.LeakyReLU(0.2)]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * 4 * 4, features), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(features, 1)
        self.project = nn.Embedding(classes, features)
        nn.init.normal_(self.project.weight, std=features**-0.5)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits (N,) for images (N, channels, size, size) in [-1, 1] and labels (N,)."""
        features = self.body(images)
        return self.head(features).squeeze(1) + (features * self.project(labels)).sum(dim=1)  # type: ignore[no-any-return]


DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {"projection": ProjectionDiscriminator}


def build_discriminator(spec: dict[str, Any]) -> Any:
    """Return the discriminator of `spec` with fresh weights from torch's global generator."""
    options = dict(spec)
    return DISCRIMINATORS[options.pop("name")](**options)
