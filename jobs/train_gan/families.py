"""The GAN families: a row each. The loop never asks for a name. No torch here, so that options are checked at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.lazy import Lazy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """A gradient penalty: weight * mean (|gradient| - centre)^2, on lines between real and fake or on both."""

    weight: float
    centre: float
    interpolated: bool


@dataclass(frozen=True, kw_only=True)
class Family:
    """A GAN variant: its loss, what holds the discriminator in check, its networks and its paper's settings.

    `loss` names a row of LOSSES, `networks` one of NETWORKS. `real_target` below 1 is one-sided label
    smoothing, `fake_target` above 0 makes it two-sided. `auxiliary_weight` is that of the class loss of both
    networks (0: no such head). `conditional` says whether labels are used unless an option says otherwise, `only` that
    no option may. With `one_per_class` each class has networks of its own, which see no labels.
    """

    loss: str
    networks: str
    learning_rate: float
    betas: tuple[float, float] = (0.5, 0.999)
    optimizer: str = "adam"
    critic_steps: int = 1
    penalty: Penalty | None = None
    clip: float | None = None
    generator_norm: str = "batch"
    discriminator_norm: str = "none"
    init: str = "dcgan"
    real_target: float = 1.0
    fake_target: float = 0.0
    auxiliary_weight: float = 0.0
    conditional: bool = True
    only: bool = False
    one_per_class: bool = False


FAMILIES: dict[str, Family] = {
    # Radford et al. 2016: Adam 2e-4 with betas (0.5, 0.999), batch norm in both
    "dcgan": Family(loss="cross_entropy", networks="dcgan", learning_rate=2e-4, discriminator_norm="batch"),
    # Arjovsky et al. 2017: weights clipped to 0.01, five critic steps, RMSprop 5e-5; their critic has batch norm
    "wgan": Family(
        loss="wasserstein",
        networks="dcgan",
        learning_rate=5e-5,
        optimizer="rmsprop",
        critic_steps=5,
        clip=0.01,
        discriminator_norm="batch",
    ),
    # Gulrajani et al. 2017: lambda 10, five critic steps, Adam 1e-4 with betas (0, 0.9)
    "wgan_gp": Family(
        loss="wasserstein",
        networks="class",
        learning_rate=1e-4,
        betas=(0.0, 0.9),
        critic_steps=5,
        penalty=Penalty(weight=10.0, centre=1.0, interpolated=True),
        init="torch",
    ),
    # Mirza and Osindero 2014 with the networks of the rock-paper-scissors cGAN: Adam 2e-4 with betas (0.5, 0.999)
    "cgan": Family(
        loss="cross_entropy", networks="rps_learnopencv", learning_rate=2e-4, discriminator_norm="batch", only=True
    ),
    # Odena et al. 2017: Adam 2e-4, the discriminator sees the image alone and names its class
    "acgan": Family(
        loss="cross_entropy",
        networks="dcgan",
        learning_rate=2e-4,
        discriminator_norm="batch",
        auxiliary_weight=1.0,
        only=True,
    ),
    # the digit-wise system: a DCGAN for each class, one-sided label smoothing 0.9, no norm in the discriminator
    "per_class": Family(
        loss="cross_entropy",
        networks="dcgan",
        learning_rate=2e-4,
        real_target=0.9,
        conditional=False,
        only=True,
        one_per_class=True,
    ),
    # Huang et al. 2024: R1 + R2 with one weight (their gamma / 2 on each, so gamma on the mean over both)
    "r3gan": Family(
        loss="relativistic",
        networks="class",
        learning_rate=2e-4,
        betas=(0.0, 0.99),
        penalty=Penalty(weight=1.0, centre=0.0, interpolated=False),
        init="torch",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A pair of losses on logits (N,) in `objectives`.

    `sees_real` says whether the generator's compares with real logits, `has_targets` whether the discriminator's
    takes label smoothing.
    """

    discriminator: "Lazy[Callable[..., Tensor]]"
    generator: "Lazy[Callable[[Tensor | None, Tensor], Tensor]]"
    sees_real: bool = False
    has_targets: bool = False


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(
        discriminator=Lazy("jobs.train_gan.objectives:cross_entropy_discriminator"),
        generator=Lazy("jobs.train_gan.objectives:non_saturating_generator"),
        has_targets=True,
    ),
    "hinge": Loss(
        discriminator=Lazy("jobs.train_gan.objectives:hinge_discriminator"),
        generator=Lazy("jobs.train_gan.objectives:wasserstein_generator"),
    ),
    "least_squares": Loss(
        discriminator=Lazy("jobs.train_gan.objectives:least_squares_discriminator"),
        generator=Lazy("jobs.train_gan.objectives:least_squares_generator"),
    ),
    "relativistic": Loss(
        discriminator=Lazy("jobs.train_gan.objectives:relativistic_discriminator"),
        generator=Lazy("jobs.train_gan.objectives:relativistic_generator"),
        sees_real=True,
    ),
    "wasserstein": Loss(
        discriminator=Lazy("jobs.train_gan.objectives:wasserstein_critic"),
        generator=Lazy("jobs.train_gan.objectives:wasserstein_generator"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Networks:
    """A pair of rows of the network tables, and what it cannot do without or does not have.

    Of images of `one_pixel_at_px` the discriminator's last maps are one pixel, which instance norm cannot have.
    """

    generator: str
    discriminator: str
    has_generator_norm: bool = True
    needs_labels: bool = False
    has_auxiliary: bool = False
    one_pixel_at_px: int | None = None


NETWORKS: dict[str, Networks] = {
    "class": Networks(generator="class_dcgan", discriminator="projection", has_generator_norm=False),
    "dcgan": Networks(generator="dcgan", discriminator="dcgan", has_auxiliary=True),
    "rps_literal": Networks(generator="rps_literal", discriminator="rps", needs_labels=True, one_pixel_at_px=16),
    "rps_learnopencv": Networks(
        generator="rps_learnopencv", discriminator="rps", needs_labels=True, one_pixel_at_px=16
    ),
}
