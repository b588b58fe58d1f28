"""What every generator, discriminator and classifier is; the rows of the tables of networks make these."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from shared.attributes import attributes_in


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
    it; of a size of 0 images are taken as they come. With a number of `attributes` the head has a logit for
    each, and its classes are their combinations, numbered as `shared.attributes` does.
    """

    body: nn.Module
    head: nn.Linear
    input_format: tuple[int, str] = (0, "")
    attributes: int = 0

    def features(self, images: Tensor) -> Tensor:
        """Return penultimate features (N, features) of images (N, channels, size, size) in [-1, 1]."""
        return self.body(images)  # type: ignore[no-any-return]

    def logits(self, features: Tensor) -> Tensor:
        """Return class logits (N, classes) of penultimate features."""
        logits = self.head(features)
        return combined(logits) if self.attributes else logits

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (N, classes)."""
        return self.logits(self.features(images))


def combined(logits: Tensor) -> Tensor:
    """Return logits (N, 2^k) of the combinations of k attributes, given those of the attributes (N, k).

    That of a combination is the sum of those of the attributes it has. So the softmax over combinations is the product
    of the attributes' sigmoids, cross-entropy is the sum of their binary cross-entropies, and the likeliest combination
    has the attributes whose sigmoid is above 1/2: one sigmoid for each attribute, in the form that all else takes.
    """
    return logits @ bits(torch.arange(2 ** logits.shape[1], device=logits.device), logits.shape[1]).to(logits).T


class AttributeHead(nn.Linear):
    """A linear head with a logit for each attribute, which returns those of their combinations."""

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (N, 2^attributes) for features (N, features)."""
        logits: Tensor = super().forward(features)
        return combined(logits)


def class_head(features: int, classes: int) -> nn.Linear:
    """Return a linear head that gives the logits of classes, also where these are combinations of attributes."""
    attributes = attributes_in(classes)
    return AttributeHead(features, attributes) if attributes else nn.Linear(features, classes)


def of_attributes(logits: Tensor, attributes: int) -> Tensor:
    """Return the attributes' logits (N, attributes) in those of their combinations (N, 2^attributes)."""
    return logits[:, 2 ** torch.arange(attributes, device=logits.device)]


def bits(labels: Tensor, attributes: int) -> Tensor:
    """Return the bits (..., attributes) of labels (...): 1 where an image has the attribute."""
    # by these names, since ONNX has them: of >> and & an exporter knows nothing
    places = torch.arange(attributes, device=labels.device)
    return torch.bitwise_right_shift(labels[..., None], places).bitwise_and(1)


class AttributeEmbedding(nn.Embedding):
    """An embedding of combinations of attributes: the sum over attributes of one for each of its two values.

    Divided by the square root of their number, so that it has the variance of a single embedding.
    """

    def __init__(self, attributes: int, size: int) -> None:
        super().__init__(2 * attributes, size)
        self.attributes = attributes

    def forward(self, labels: Tensor) -> Tensor:
        """Return (N, size) for labels (N,)."""
        rows = 2 * torch.arange(self.attributes, device=labels.device) + bits(labels, self.attributes)
        parts: Tensor = super().forward(rows)
        return parts.sum(dim=-2) / math.sqrt(self.attributes)


def embedding(classes: int, size: int) -> nn.Embedding:
    """Return an embedding of labels: of each class, or of what the combinations of attributes are made of."""
    attributes = attributes_in(classes)
    return AttributeEmbedding(attributes, size) if attributes else nn.Embedding(classes, size)
