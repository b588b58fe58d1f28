"""What can be chosen of networks and extractors, by name: a row each.

A row names its class or function, so that no torch is imported here and command lines offer these very tables. The
names are part of weights and manifests: they never change.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shared.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import nn

    from shared.models.extractor import Extractor
    from shared.models.networks import Classifier, Discriminator, Generator
    from shared.store.artifacts import Artifact

Spec = Mapping[str, object]
"""What rebuilds a network, as JSON: its `name` in a table and the keywords of its class."""

Network = TypeVar("Network", bound="nn.Module")

CLASSIFIERS: "dict[str, Lazy[Callable[..., Classifier]]]" = {
    "small_cnn": Lazy("shared.models.classifiers:SmallCnn"),
    "rps_cnn": Lazy("shared.models.classifiers:RpsCnn"),
    "resnet18": Lazy("shared.models.zoo.torchvision_rows:resnet18"),
    "mobilenet_v3_small": Lazy("shared.models.zoo.torchvision_rows:mobilenet_v3_small"),
    "efficientnet_b0": Lazy("shared.models.zoo.torchvision_rows:efficientnet_b0"),
    "convnext_tiny": Lazy("shared.models.zoo.torchvision_rows:convnext_tiny"),
    "vit_b_16": Lazy("shared.models.zoo.torchvision_rows:vit_b_16"),
}

WITH_WIDTH = ("small_cnn", "rps_cnn")
"""The classifiers that take a `width`; those of torchvision, and the user's own, have their own."""

GENERATORS: "dict[str, Lazy[Callable[..., Generator]]]" = {
    "class_dcgan": Lazy("shared.models.gans.conditional:ClassGenerator"),
    "dcgan": Lazy("shared.models.gans.dcgan:DcganGenerator"),
    "rps_literal": Lazy("shared.models.gans.rock_paper_scissors:LiteralRpsGenerator"),
    "rps_learnopencv": Lazy("shared.models.gans.rock_paper_scissors:LearnOpencvRpsGenerator"),
    "per_class": Lazy("shared.models.gans.build:per_class_generator"),
    "mixture": Lazy("shared.models.gans.build:mixture_generator"),
}
"""A generator takes latents and labels to images in [-1, 1]; `classes` 0 makes it ignore the labels."""

DISCRIMINATORS: "dict[str, Lazy[Callable[..., Discriminator]]]" = {
    "projection": Lazy("shared.models.gans.conditional:ProjectionDiscriminator"),
    "dcgan": Lazy("shared.models.gans.dcgan:DcganDiscriminator"),
    "rps": Lazy("shared.models.gans.rock_paper_scissors:RpsDiscriminator"),
}
"""A discriminator takes images and labels to a logit each (a critic's value for Wasserstein losses).

One with an auxiliary head returns a logit and the logits of the classes side by side: (N, 1 + classes).
"""

NORMS: "dict[str, Lazy[Callable[[int, float], list[nn.Module]]]]" = {
    "none": Lazy("shared.models.layers:no_norm"),
    "batch": Lazy("shared.models.layers:batch_norm"),  # Ioffe and Szegedy 2015
    "instance": Lazy("shared.models.layers:instance_norm"),  # Ulyanov et al. 2016
    "layer": Lazy("shared.models.layers:layer_norm"),  # Ba et al. 2016
    "spectral": Lazy("shared.models.layers:no_norm"),  # Miyato et al. 2018: of weights, see `layers.constrain`
}
"""From channels and epsilon to the layers that follow a convolution."""

INITS: "dict[str, Lazy[Callable[[nn.Module], None]]]" = {
    "torch": Lazy("shared.models.layers:keep_torch_init"),
    "dcgan": Lazy("shared.models.layers:dcgan_init"),  # N(0, 0.02), Radford et al. 2016
    "orthogonal": Lazy("shared.models.layers:orthogonal_init"),  # Saxe et al. 2014; Brock et al. 2019
}
"""How the weights of one module are drawn."""

MakeExtractor = Callable[["dict[str, Artifact]", Path, "torch.device"], "Extractor"]

EXTRACTORS: "dict[str, Lazy[MakeExtractor]]" = {
    "classifier": Lazy("shared.models.extractors:classifier"),
    "efficientnet_lite0": Lazy("shared.models.extractors:efficientnet_lite0"),
    "inception_clean": Lazy("shared.models.extractors:inception_clean"),
    "inception_legacy": Lazy("shared.models.extractors:inception_legacy"),
}
"""From the inputs, the folder of weights and the device to an extractor. Scores are named after their extractor."""


def build(table: "Mapping[str, Lazy[Callable[..., Network]]]", spec: Spec) -> Network:
    """Return the network of `spec`, a row's `name` and the keywords of its class, with fresh weights."""
    keywords = dict(spec)
    return table[str(keywords.pop("name"))].get()(**keywords)
