"""Classifiers from torchvision's model zoo, with fresh weights, cut before their last linear layer."""

from typing import Any

from torch import nn

from shared.models.networks import Classifier


class ZooClassifier(Classifier):
    """A network of torchvision for images of any size: `body` is all of it but `head`, its last linear layer.

    For images that are not in colour its first convolution is a fresh one with as many channels as these have.
    """

    def __init__(self, network: Any, parent: Any, last: str, channels: int) -> None:
        super().__init__()
        # the head alone knows the classes, so that features are those of the layer before it
        self.head = getattr(parent, last)
        setattr(parent, last, nn.Identity())
        if channels != 3:
            _take_channels(network, channels)
        self.body = network


def resnet18(*, size_px: int, channels: int, classes: int) -> Classifier:
    """Return a ResNet-18 (He et al. 2016): 512 features."""
    from torchvision import models  # it takes a second or two, and most classifiers need none of it

    network = models.resnet18(weights=None, num_classes=classes)
    return ZooClassifier(network, network, "fc", channels)


def mobilenet_v3_small(*, size_px: int, channels: int, classes: int) -> Classifier:
    """Return a small MobileNetV3 (Howard et al. 2019): 1,024 features, with dropout before the head while it trains."""
    from torchvision import models

    network = models.mobilenet_v3_small(weights=None, num_classes=classes)
    return ZooClassifier(network, network.classifier, "3", channels)


def _take_channels(network: Any, channels: int) -> None:
    """Replace the first convolution by one for images of this many channels, with weights drawn as torchvision does."""
    name, old = next((name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d))
    kernel, stride, padding = old.kernel_size[0], old.stride[0], old.padding[0]
    new = nn.Conv2d(channels, old.out_channels, kernel, stride, padding, bias=False)
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, new)
