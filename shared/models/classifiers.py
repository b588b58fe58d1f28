"""Classifiers: images to features to class logits."""

from typing import Any, cast

import torch
from torch import nn

from shared.attributes import attributes_in
from shared.models.fit_options import FitConfig
from shared.models.networks import Classifier
from shared.models.sizes import quartered
from shared.models.tables import CLASSIFIERS, WITH_WIDTH, Spec, build
from shared.models.zoo.own import own_network
from shared.models.zoo.own_source import is_own, source_sha256


class SmallCnn(Classifier):
    """Convolution blocks that halve the image down to 2x2 px, then one hidden layer of features.

    For images of 8 to 512 px. `width` channels in the first block, doubled in each further
    block up to four times that.
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
                nn.ReLU(),  # after the pooling: the same values to the last bit, on a quarter of the pixels
            ]
            before, now, side = now, min(2 * now, 4 * width), side // 2
        self.body = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(before * side * side, features), nn.ReLU())
        self.head = nn.Linear(features, classes)


class RpsCnn(Classifier):
    """The rock-paper-scissors cGAN's classifier, with `width` 16 exactly its published table.

    At 64 px the convolutions are followed by Linear(16384, 512).
    """

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


def spec_of(config: FitConfig, *, size_px: int, channels: int, classes: int) -> Spec:
    """Return the spec of the classifier of `config` for such images.

    Where these are combinations of attributes, the spec has their number too, and the network an output for each.
    """
    spec: dict[str, object] = {
        "name": config.network,
        "size_px": size_px,
        "channels": channels,
        "classes": int(classes),
    }
    if attributes := attributes_in(classes):
        spec["attributes"] = attributes
    if config.network in WITH_WIDTH:
        spec["width"] = config.width
    if config.pretrained:
        spec["imagenet"] = True
    if is_own(config.network):
        spec["source_sha256"] = source_sha256(config.network)
    return spec


def build_classifier(spec: Spec) -> Classifier:
    """Return the classifier of `spec` with fresh weights from torch's global generator."""
    keywords = cast(dict[str, Any], dict(spec))
    if attributes := keywords.pop("attributes", 0):
        keywords["classes"] = attributes
    if is_own(keywords["name"]):
        # in the layout that its author expects: `view` in it may need that
        network = own_network(**keywords)
    else:
        # channels last is the layout that a CPU's convolutions are fastest in
        network = build(CLASSIFIERS, keywords).to(memory_format=torch.channels_last)
    network.attributes = attributes
    return network


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable numbers in `network`."""
    return sum(parameter.numel() for parameter in network.parameters())
