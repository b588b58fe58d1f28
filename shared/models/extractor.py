"""Features of images: what every extractor takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.pixels import Pixels

BATCH_IMAGES = 64


@dataclass(frozen=True)
class Features:
    """What an extractor makes of N images: features (N, d) and class probabilities (N, classes), float32."""

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Extractor:
    """An extractor at work. `distance` and `kernel` are what its Fréchet and kernel distances are called.

    `sha256` names its weights. Those that nobody published, as tests make them, are not `published`.
    """

    name: str
    sha256: str
    resizer: str
    apply: Callable[[Tensor], tuple[Tensor, Tensor]]
    batch_images: int = BATCH_IMAGES
    published: bool = True

    @property
    def distance(self) -> str:
        """The name of its Fréchet distance: FID is what Inception gives, and nothing else."""
        return f"{'fid' if self.name.startswith('inception') else 'frechet'}_{self.name}"

    @property
    def kernel(self) -> str:
        """The name of its kernel distance: KID is what Inception gives, and nothing else."""
        return f"{'kid' if self.name.startswith('inception') else 'kernel'}_{self.name}"

    @torch.no_grad()
    def extract(self, images: Tensor | Pixels) -> Features:
        """Return the features and probabilities of uint8 images (N, 1 or 3 channels, S, S)."""
        made = Features(*(torch.empty(len(images), part.shape[1]).numpy() for part in self.apply(images[:1])))
        start = 0
        for batch in images.split(self.batch_images):
            # into their place: joined at the end they would be held twice
            place = slice(start, start + len(batch))
            for whole, part in zip((made.features, made.probabilities), self.apply(batch), strict=True):
                whole[place] = part.float().cpu().numpy()
            start = place.stop
        return made


@dataclass(frozen=True)
class FeatureSet:
    """What an extractor makes of a set of N images, and their labels (N,)."""

    extracted: Features
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def features(self) -> NDArray[np.float32]:
        """The features (N, d)."""
        return self.extracted.features

    def subset(self, places: NDArray[np.int64]) -> "FeatureSet":
        """Return the images at these places alone."""
        extracted = Features(self.extracted.features[places], self.extracted.probabilities[places])
        return FeatureSet(extracted, self.labels[places])
