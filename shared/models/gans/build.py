"""Generators and discriminators from their specs, as snapshots and checkpoints keep them."""

from typing import Any

from torch import nn

from shared.lazy import Lazy
from shared.models.gans.per_class import PerClassGenerator
from shared.models.layers import constrain, initialise
from shared.models.tables import DISCRIMINATORS, GENERATORS, Network, build


def build_generator(spec: dict[str, Any]) -> Any:
    """Return the generator of `spec` with fresh weights from torch's global generator.

    A spec has the name of the row, the keywords of its class, and may say how weights begin: `init`, a row of INITS.
    """
    return _build(GENERATORS, spec)


def build_discriminator(spec: dict[str, Any]) -> Any:
    """Return the discriminator of `spec` with fresh weights, as `build_generator`."""
    return _build(DISCRIMINATORS, spec)


def _build(table: "dict[str, Lazy[Network]]", spec: dict[str, Any]) -> nn.Module:
    keywords = {name: value for name, value in spec.items() if name != "init"}
    network = build(table, keywords)
    # initialised before it is constrained: spectral norm would otherwise hide the weights behind a parametrization
    initialise(network, spec.get("init", "torch"))
    constrain(network, spec.get("norm", "none"))
    return network


def per_class_generator(**keywords: Any) -> nn.Module:
    """Return a generator for each class in one."""
    return PerClassGenerator(build_generator, **keywords)
