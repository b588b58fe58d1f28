"""Classifiers from torchvision's model zoo, cut before their last linear layer.

Each takes images of 1 or 3 channels; `shared.models.sizes` says of which sizes. `imagenet` normalises images as the
published weights expect, which is for networks that begin with such weights (see `pretrained_file`).
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shared.models.networks import Classifier

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's colours, in [0, 1]: every classification weight of torchvision has these.

Source: `torchvision.transforms._presets.ImageClassification`.
"""

Draw = Callable[[Tensor], object]
"""Draws the weights of a convolution in place."""


class ZooClassifier(Classifier):
    """A network of torchvision: `body` is all of it but `head`, its last linear layer.

    For images that are not in colour its first convolution is a fresh one with as many channels as these have, whose
    weights `draw` draws. `prefix` is how torchvision's state dict begins the names of the head's weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: Any, prefix: str, channels: int, draw: Draw, *, imagenet: bool) -> None:
        super().__init__()
        # the head alone knows the classes, so that features are those of the layer before it
        self.head = network.get_submodule(prefix)
        replace_layer(network, prefix, nn.Identity())
        self.first, old = next((name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d))
        if channels != 3:
            replace_layer(network, self.first, _with_channels(old, channels, draw))
        self.prefix, self.imagenet, self.body = prefix, imagenet, network
        # not among the weights of an artifact: its spec has `imagenet`
        for name, values in {"mean": MEAN, "std": STD}.items():
            colours = torch.tensor(values)
            # of grey images, for which the first convolution is summed over colours: the mean over the colours
            used = colours if channels == 3 else colours.mean(0, keepdim=True)
            self.register_buffer(name, used[:, None, None], persistent=False)

    def features(self, images: Tensor) -> Tensor:
        """Return penultimate features (N, features) of images (N, channels, size, size) in [-1, 1]."""
        if self.imagenet:
            images = ((images + 1) / 2 - self.mean) / self.std
        return super().features(images)


def resnet18(*, size_px: int, channels: int, classes: int, imagenet: bool = False) -> Classifier:
    """Return a ResNet-18 (He et al. 2016): 512 features."""
    from torchvision import models  # it takes a second or two, and most classifiers need none of it

    network = models.resnet18(weights=None, num_classes=classes)
    return ZooClassifier(network, "fc", channels, _he_normal, imagenet=imagenet)


def mobilenet_v3_small(*, size_px: int, channels: int, classes: int, imagenet: bool = False) -> Classifier:
    """Return a small MobileNetV3 (Howard et al. 2019): 1,024 features, with dropout before the head while it trains."""
    from torchvision import models

    network = models.mobilenet_v3_small(weights=None, num_classes=classes)
    return ZooClassifier(network, "classifier.3", channels, _he_normal, imagenet=imagenet)


def efficientnet_b0(*, size_px: int, channels: int, classes: int, imagenet: bool = False) -> Classifier:
    """Return an EfficientNet-B0 (Tan and Le 2019): 1,280 features, dropout and stochastic depth while it trains."""
    from torchvision import models

    network = models.efficientnet_b0(weights=None, num_classes=classes)
    return ZooClassifier(network, "classifier.1", channels, _he_normal, imagenet=imagenet)


def convnext_tiny(*, size_px: int, channels: int, classes: int, imagenet: bool = False) -> Classifier:
    """Return a ConvNeXt-T (Liu et al. 2022): 768 features, stochastic depth while it trains."""
    from torchvision import models

    network = models.convnext_tiny(weights=None, num_classes=classes)
    return ZooClassifier(network, "classifier.2", channels, _truncated(0.02), imagenet=imagenet)


def vit_b_16(*, size_px: int, channels: int, classes: int, imagenet: bool = False) -> Classifier:
    """Return a ViT-B/16 (Dosovitskiy et al. 2021) for images of `size_px`: 768 features of the class token.

    It has a position embedding for each patch of 16 x 16 px, and one for the class token: (size_px / 16)^2 + 1.
    """
    from torchvision import models

    network = models.vit_b_16(weights=None, num_classes=classes, image_size=size_px)
    fan_in = channels * network.patch_size**2
    return ZooClassifier(network, "heads.head", channels, _truncated(math.sqrt(1 / fan_in)), imagenet=imagenet)


def replace_layer(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Put another layer in the place of the one called `name`, as `named_modules` has it."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, layer)


def _with_channels(old: nn.Conv2d, channels: int, draw: Draw) -> nn.Conv2d:
    """Return a convolution for images of this many channels, with weights drawn as torchvision draws the old ones."""
    kernel, stride, padding = old.kernel_size[0], old.stride[0], int(old.padding[0])
    new = nn.Conv2d(channels, old.out_channels, kernel, stride, padding, bias=old.bias is not None)
    draw(new.weight)
    if new.bias is not None:
        nn.init.zeros_(new.bias)
    return new


def _he_normal(weight: Tensor) -> None:
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


def _truncated(std: float) -> Draw:
    return lambda weight: nn.init.trunc_normal_(weight, std=std)
