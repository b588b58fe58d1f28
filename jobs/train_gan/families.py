"""The GAN families: a row each. The loop never asks for a name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from jobs.train_gan import objectives
from jobs.train_gan.config import GanConfig
from shared.artifacts import Artifact


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """A gradient penalty: weight * mean (|gradient| - centre)^2, on lines between real and fake or on both."""

    weight: float
    centre: float
    interpolated: bool


@dataclass(frozen=True, kw_only=True)
class Family:
    """A GAN variant: its losses on logits (N,), its penalty and the optimizer settings of its paper."""

    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor | None, Tensor], Tensor]
    generator_sees_real: bool
    penalty: Penalty
    critic_steps: int
    learning_rate: float
    betas: tuple[float, float]
    generator: str = "class_dcgan"
    discriminator: str = "projection"


FAMILIES: dict[str, Family] = {
    # Gulrajani et al. 2017: lambda 10, five critic steps, Adam 1e-4 with betas (0, 0.9)
    "wgan_gp": Family(
        discriminator_loss=objectives.wasserstein_critic,
        generator_loss=objectives.wasserstein_generator,
        generator_sees_real=False,
        penalty=Penalty(weight=10.0, centre=1.0, interpolated=True),
        critic_steps=5,
        learning_rate=1e-4,
        betas=(0.0, 0.9),
    ),
    # Huang et al. 2024: R1 + R2 with one weight (their gamma / 2 on each, so gamma on the mean over both)
    "r3gan": Family(
        discriminator_loss=objectives.relativistic_discriminator,
        generator_loss=objectives.relativistic_generator,
        generator_sees_real=True,
        penalty=Penalty(weight=1.0, centre=0.0, interpolated=False),
        critic_steps=1,
        learning_rate=2e-4,
        betas=(0.0, 0.99),
    ),
}


def resolve(config: GanConfig) -> Family:
    """Return the family's row with what the config overrides."""
    family = FAMILIES[config.family]
    asked = {"critic_steps": config.critic_steps, "learning_rate": config.learning_rate}
    given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if config.penalty_weight is not None:
        given["penalty"] = replace(family.penalty, weight=config.penalty_weight)
    beta1, beta2 = family.betas
    given["betas"] = (beta1 if config.beta1 is None else config.beta1, beta2 if config.beta2 is None else config.beta2)
    return replace(family, **given)


def specs(family: Family, config: GanConfig, real: Artifact) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the specs of generator and discriminator for the images of `real`."""
    info = real.dataset
    shape = {"size_px": info.size_px, "channels": info.channels, "classes": len(info.classes), "width": config.width}
    return (
        {"name": family.generator, "latent": config.latent, **shape},
        {"name": family.discriminator, **shape},
    )
