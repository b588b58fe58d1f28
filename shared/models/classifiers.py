"""Classifiers: images to features to class logits."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shared.models.sizes import quartered


class SmallCnn(nn.Module):
    """Convolution blocks that halve the image down to 2x2 px, then one hidden layer of features.

    For images of 16 to 128 px (a power of two). `width` channels in the first block, doubled in each further
    block up to four times that. ReLU stands behind the pooling: equal to the last bit, and 1.1x faster
    to train at 64 px.
    """

    def __init__(self, *, size_px: int, channels: int, classes: int, width: int = 16, features: int = 64) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        before, now, side = channels, width, size_px
        while side > 2:
            blocks += [
                nn.Conv2d(before, now, 3, padding=1, bias=False),
                nn.BatchNorm2d(now),
                nn.MaxPool2d(2),
                nn.ReLU(),
            ]
            before, now, side = now, min(2 * now, 4 * width), side // 2
        self.body = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(before * side * side, features), nn.ReLU())
        self.head = nn.Linear(features, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return penultimate features (N, features), at least 0, of images (N, channels, size, size) in [-1, 1]."""
        return self.body(images)  # type: ignore[no-any-return]

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (N, classes)."""
        return self.head(self.features(images))  # type: ignore[no-any-return]


class RpsCnn(nn.Module):
    """The classifier of seed S2 (S2.12), with `width` 16 exactly its table: at 64 px Linear(16384, 512) follows."""

    def __init__(self, *, size_px: int, channels: int, classes: int, width: int = 16, features: int = 512) -> None:
        super().__init__()
        side = quartered(size_px)
        layers: list[nn.Module] = []
        for before, after, kernel, pooled in (
            (channels, width, 5, False),
            (width, 2 * width, 3, True),
            (2 * width, 4 * width, 3, True),
        ):
            layers += [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if pooled else []
        hidden = nn.Linear(4 * width * side**2, features)
        self.body = nn.Sequential(*layers, nn.Flatten(), hidden, nn.ReLU())
        self.head = nn.Linear(features, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return penultimate features (N, features), at least 0, of images (N, channels, size, size) in [-1, 1]."""
        return self.body(images)  # type: ignore[no-any-return]

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (N, classes)."""
        return self.head(self.features(images))  # type: ignore[no-any-return]


CLASSIFIERS: dict[str, Callable[..., nn.Module]] = {"small_cnn": SmallCnn, "rps_cnn": RpsCnn}
"""By the names of `shared.models.fit_options.CLASSIFIER_NAMES`."""


def build_classifier(spec: dict[str, Any]) -> Any:
    """Return the classifier of `spec` with fresh weights from torch's global generator.

    Weights lie channels last: training takes 1.3x (rps_cnn, 32 px) to 1.6x (small_cnn, 64 px) less time on a CPU.
    """
    options = dict(spec)
    return CLASSIFIERS[options.pop("name")](**options).to(memory_format=torch.channels_last)


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable numbers in `network`."""
    return sum(parameter.numel() for parameter in network.parameters())


@torch.no_grad()
def in_batches(function: Callable[[Tensor], Tensor], images: Tensor, batch_images: int = 512) -> Tensor:
    """Apply `function` to `images` in batches and join what it returns."""
    return torch.cat([function(part) for part in images.split(batch_images)])
