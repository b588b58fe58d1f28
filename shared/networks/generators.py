"""Generators: latents and labels to images in [-1, 1].

`classes` 0 stands for an unconditional generator: it ignores the labels. Tables of layers are those of the sources
named in the docstrings, their depth built from the size of the image.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from shared.networks.layers import BatchNorm, constrain, initialise, norm_layers
from shared.networks.sizes import doublings, stage_widths


class ClassBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift belong to the class (Dumoulin et al. 2017, eq. 5)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, affine=False)
        self.scale_and_shift = nn.Embedding(classes, 2 * channels)
        nn.init.zeros_(self.scale_and_shift.weight)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return (N, channels, h, w) for (N, channels, h, w) and labels (N,)."""
        scale, shift = self.scale_and_shift(labels)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(images), 1 + scale)


class ClassGenerator(nn.Module):
    """DCGAN's stack of transposed convolutions (Radford et al. 2016) with class-conditional batch norm.

    The label enters twice: as an embedding beside the latent and through every normalisation. Without classes there
    is one of each.
    """

    def __init__(
        self, *, size_px: int, channels: int, classes: int, latent: int = 64, width: int = 16, embedding: int = 32
    ) -> None:
        super().__init__()
        widths = stage_widths(width, size_px)
        self.latent, self.classes = latent, classes
        self.embed = nn.Embedding(max(classes, 1), embedding)
        self.start = nn.Linear(latent + embedding, widths[0] * 4 * 4)
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


class DcganGenerator(nn.Module):
    """The generator of seeds S1, S3 and S4: transposed convolutions from 1x1 px, norm and ReLU, tanh at the end.

    At 64 px its table is _block(latent, 16f, 4, 1, 0), _block(16f, 8f, 4, 2, 1), ... _block(4f, 2f, 4, 2, 1),
    ConvTranspose2d(2f, channels, 4, 2, 1), Tanh with f = `width`; a block is a transposed convolution without bias,
    the norm and ReLU (S1.4). Smaller images leave out blocks at the front; 128 px repeats 16f. With classes an
    embedding of the label, of `embedding` numbers, stands beside the latent.
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
        embedding: int = 32,
    ) -> None:
        super().__init__()
        widths = [min(width * 2**stage, 16 * width) for stage in range(doublings(size_px), 0, -1)]
        self.latent = latent
        self.embed = nn.Embedding(classes, embedding) if classes else None
        layers: list[nn.Module] = []
        for place, (before, after) in enumerate(pairwise([latent + embedding * bool(classes), *widths])):
            stride, padding = (2, 1) if place else (1, 0)
            layers.append(nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False))
            layers += [*norm_layers(norm, after, bn_eps), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        if self.embed is not None:
            latents = torch.cat([latents, self.embed(labels)], dim=1)
        return self.body(latents[:, :, None, None])  # type: ignore[no-any-return]


class RpsGenerator(nn.Module):
    """The conditional generator of seed S2, at 128 px with `width` 64 exactly its table (S2.3 to S2.5).

    The label becomes one map of 4x4 px by Embedding(classes, 100) and Linear(100, 16). The latent becomes either
    1024 numbers which that map multiplies, (1024, 1, 1) x (1, 4, 4): the one reading in which every printed number
    holds (`multiply`); or 512 maps of 4x4 px beside which it stands, so that the body begins with 513 channels, as
    in the tutorial that the seed follows. Then transposed convolutions 4x4 without bias, batch norm, ReLU; tanh.
    """

    def __init__(
        self,
        *,
        size_px: int,
        channels: int,
        classes: int,
        multiply: bool,
        latent: int = 100,
        width: int = 64,
        norm: str = "batch",
        bn_eps: float = 1e-5,
        embedding: int = 100,
    ) -> None:
        super().__init__()
        after = [width * 2**stage for stage in range(doublings(size_px) - 2, -1, -1)]
        start = 2 * after[0] if multiply else after[0]
        self.latent, self.multiply = latent, multiply
        self.label = nn.Sequential(nn.Embedding(classes, embedding), nn.Linear(embedding, 4 * 4))
        self.start = nn.Sequential(
            nn.Linear(latent, start if multiply else start * 4 * 4), nn.LeakyReLU(0.2, inplace=True)
        )
        layers: list[nn.Module] = []
        for inside, outside in pairwise([start if multiply else start + 1, *after]):
            layers.append(nn.ConvTranspose2d(inside, outside, 4, 2, 1, bias=False))
            layers += [*norm_layers(norm, outside, bn_eps), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(after[-1], channels, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        label = self.label(labels).view(-1, 1, 4, 4)
        if self.multiply:
            return self.body(self.start(latents)[:, :, None, None] * label)  # type: ignore[no-any-return]
        stage = self.start(latents).view(len(latents), -1, 4, 4)
        return self.body(torch.cat([stage, label], dim=1))  # type: ignore[no-any-return]


class PerClassGenerator(nn.Module):
    """One unconditional generator, built from `member`, for each class (S3); the label picks which one draws."""

    def __init__(self, *, classes: int, member: dict[str, Any]) -> None:
        super().__init__()
        self.latent = member["latent"]
        self.members = nn.ModuleList(build_generator(member) for _ in range(classes))
        self.shape = (member["channels"], member["size_px"], member["size_px"])

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, channels, size, size) in [-1, 1] for latents (N, latent) from N(0, 1) and labels (N,)."""
        images = latents.new_empty(len(latents), *self.shape)
        for label in labels.unique().tolist():
            mine = labels == label
            images[mine] = self.members[label](latents[mine], labels[mine])
        return images


GENERATORS: dict[str, Callable[..., nn.Module]] = {
    "class_dcgan": ClassGenerator,
    "dcgan": DcganGenerator,
    "rps_literal": lambda **options: RpsGenerator(multiply=True, **options),
    "rps_learnopencv": lambda **options: RpsGenerator(multiply=False, **options),
    "per_class": PerClassGenerator,
}


def build_generator(spec: dict[str, Any]) -> Any:
    """Return the generator of `spec` with fresh weights from torch's global generator.

    Beside the keywords of its class a spec may say how weights begin: `init`, a row of INITS.
    """
    options = dict(spec)
    init = options.pop("init", "torch")
    network = GENERATORS[options.pop("name")](**options)
    initialise(network, init)
    constrain(network, options.get("norm", "none"))
    return network
