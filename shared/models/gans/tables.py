"""Generators and discriminators by name: a row each.

A generator takes latents and labels to images in [-1, 1]; a discriminator takes images and labels to one logit each (a
critic's value for Wasserstein losses). `classes` 0 means an unconditional network: it ignores the labels. A
discriminator with an auxiliary head returns a logit and the logits of the classes side by side: (N, 1 + classes).
"""

from collections.abc import Callable
from typing import Any

from torch import nn

from shared.models.gans.conditional import ClassGenerator, ProjectionDiscriminator
from shared.models.gans.dcgan import DcganDiscriminator, DcganGenerator
from shared.models.gans.per_class import PerClassGenerator
from shared.models.gans.rock_paper_scissors import RpsDiscriminator, RpsGenerator
from shared.models.layers import constrain, initialise

GENERATORS: dict[str, Callable[..., nn.Module]] = {
    "class_dcgan": ClassGenerator,
    "dcgan": DcganGenerator,
    "rps_literal": lambda **options: RpsGenerator(multiply=True, **options),
    "rps_learnopencv": lambda **options: RpsGenerator(multiply=False, **options),
    "per_class": lambda **options: PerClassGenerator(build_generator, **options),
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
