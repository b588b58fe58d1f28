"""What every generator, discriminator and classifier is; the rows of the tables of networks make these."""

from typing import TYPE_CHECKING

from torch import Tensor, nn


class Generator(nn.Module):
    """Latents and labels to images: (N, latent) from N(0, 1) and (N,) to (N, channels, size, size) in [-1, 1]."""

    latent: int

    if TYPE_CHECKING:

        def __call__(self, latents: Tensor, labels: Tensor) -> Tensor:
            """Return images."""


class Discriminator(nn.Module):
    """Images (N, channels, size, size) in [-1, 1] and labels (N,) to logits (N,) or (N, 1 + classes)."""

    if TYPE_CHECKING:

        def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
            """Return logits."""


class Classifier(nn.Module):
    """What every classifier is: a body that gives features, a linear head on them.

    `input_format` is the size of image that one from an artifact wants and the filter by which others are resized to
    it; of a size of 0 images are taken as they come.
    """

    body: nn.Module
    head: nn.Linear
    input_format: tuple[int, str] = (0, "")

    def features(self, images: Tensor) -> Tensor:
        """Return penultimate features (N, features) of images (N, channels, size, size) in [-1, 1]."""
        return self.body(images)  # type: ignore[no-any-return]

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (N, classes)."""
        return self.head(self.features(images))  # type: ignore[no-any-return]
