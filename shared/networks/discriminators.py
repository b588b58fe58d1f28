"""Discriminators: images and labels to one logit each (a critic's value for Wasserstein losses).

`classes` 0 stands for an unconditional discriminator: it ignores the labels. One with an auxiliary head returns a
logit and the logits of the classes side by side: (N, 1 + classes).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from shared.networks.layers import Dropout, constrain, initialise, norm_layers
from shared.networks.sizes import doublings, stage_widths


class ProjectionDiscriminator(nn.Module):
    """Strided convolutions, by default without norms, then a projection onto the label (Miyato and Koyama 2018, eq. 4).

    Without batch norm nothing couples the images of a batch, so that a gradient penalty per image means what it says.
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
        self.project = nn.Embedding(classes, features) if classes else None
        if self.project is not None:
            nn.init.normal_(self.project.weight, std=features**-0.5)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return logits (N,) for images (N, channels, size, size) in [-1, 1] and labels (N,)."""
        features = self.body(images)
        logits = self.head(features).squeeze(1)
        if self.project is None:
            return logits  # type: ignore[no-any-return]
        return logits + (features * self.project(labels)).sum(dim=1)  # type: ignore[no-any-return]


class DcganDiscriminator(nn.Module):
    """The critic of seeds S1, S3 and S4: strided convolutions and LeakyReLU(0.2) down to one number.

    At 64 px its table is Conv2d(channels, f, 4, 2, 1), LeakyReLU, _block(f, 2f, 4, 2, 1), ... _block(4f, 8f, 4, 2, 1),
    Conv2d(8f, 1, 4, 2, 0) with f = `width`; a block is a convolution without bias, the norm and LeakyReLU (S1.3).
    Smaller images leave out blocks at the end; 128 px repeats 8f. With classes the label is projected onto the last
    maps, which makes the last convolution the class's own (Miyato and Koyama 2018); with `auxiliary` the images alone
    are seen and a linear head names the class (Odena et al. 2017).
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
        self.project = nn.Embedding(classes, features) if classes and not auxiliary else None
        self.name_class = nn.Linear(features, classes) if auxiliary else None
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


class RpsDiscriminator(nn.Module):
    """The conditional discriminator of seed S2, at 128 px with `width` 64 exactly its table (S2.6, S2.7).

    Embedding(classes, 100) and Linear(100, channels * size^2 = 49152) make a second image of the label, which stands
    beside the first. The seed's table lacks the stem that its body needs, Conv2d(2 * channels, 64, 4, 2, 1), LeakyReLU;
    it is restored here. Then Conv2d(k4, s3, p2) without bias, norm, LeakyReLU(0.2) three times, Dropout(0.4) and
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
        embedding: int = 100,
    ) -> None:
        super().__init__()
        doublings(size_px)  # the generator's sizes, and no others
        self.label = nn.Sequential(nn.Embedding(classes, embedding), nn.Linear(embedding, channels * size_px**2))
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


DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "projection": ProjectionDiscriminator,
    "dcgan": DcganDiscriminator,
    "rps": RpsDiscriminator,
}


def build_discriminator(spec: dict[str, Any]) -> Any:
    """Return the discriminator of `spec` with fresh weights from torch's global generator.

    Beside the keywords of its class a spec may say how weights begin: `init`, a row of INITS.
    """
    options = dict(spec)
    init = options.pop("init", "torch")
    network = DISCRIMINATORS[options.pop("name")](**options)
    initialise(network, init)
    constrain(network, options.get("norm", "none"))
    return network
