"""Generators and discriminators from their specs, as snapshots and checkpoints store them."""

from collections.abc import Callable, Mapping
from typing import cast

from shared.attributes import Combinations
from shared.lazy import Lazy
from shared.models.gans.members import MixtureGenerator, PerClassGenerator
from shared.models.layers import constrain, initialise
from shared.models.networks import Discriminator, Generator
from shared.models.tables import DISCRIMINATORS, GENERATORS, Network, Spec, build


def build_generator(spec: Spec) -> Generator:
    """Return the generator of `spec` with fresh weights from torch's global generator.

    A spec has the name of the row, the keywords of its class, and may say how weights begin: `init`, a row of INITS.
    With a number of `attributes` its classes are their combinations.
    """
    return _build(GENERATORS, spec)


def build_discriminator(spec: Spec) -> Discriminator:
    """Return the discriminator of `spec` with fresh weights, as `build_generator`."""
    return _build(DISCRIMINATORS, spec)


def _build(table: Mapping[str, Lazy[Callable[..., Network]]], spec: Spec) -> Network:
    keywords = {name: value for name, value in spec.items() if name not in ("init", "attributes")}
    if "attributes" in spec:
        keywords["classes"] = Combinations(cast(int, spec["attributes"]))
    network = build(table, keywords)
    # initialised before it is constrained: spectral norm would otherwise hide the weights behind a parametrization
    initialise(network, str(spec.get("init", "torch")))
    constrain(network, str(spec.get("norm", "none")))
    return network


def per_class_generator(classes: int, member: Spec) -> PerClassGenerator:
    """Return a generator for each class in one."""
    return PerClassGenerator(build_generator, classes=classes, member=member)


def mixture_generator(generators: int, member: Spec) -> MixtureGenerator:
    """Return several generators in one."""
    return MixtureGenerator(build_generator, generators=generators, member=member)
