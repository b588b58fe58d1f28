"""The GAN families: a row each; the loop never asks for a name. No import of torch, so that options check fast."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.lazy import Lazy
from shared.models.sizes import PUBLISHED_PX, SIZES_PX

# the loss functions are named as strings and imported only when a step needs them
if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """A gradient penalty: the mean of (|gradient| - centre)^2, on lines between real and fake or on both."""

    centre: float
    interpolated: bool


@dataclass(frozen=True, kw_only=True)
class Family:
    """A GAN variant: its loss, its regularisation, its networks and its paper's settings.

    A field that an option may override has the option's name; None says that the variant has no such thing. `loss`
    names a row of LOSSES, `networks` one of NETWORKS. `real_target` below 1 is one-sided label smoothing, `fake_target`
    above 0 makes it two-sided. `auxiliary_weight` is that of the class loss of both networks.
    `conditional` says whether labels are used; where `conditional_is_fixed` no option changes that. With
    `one_per_class` each class has networks of its own, which see no labels.
    """

    loss: str
    networks: str
    learning_rate: float
    beta1: float | None = 0.5
    beta2: float | None = 0.999
    optimizer: str = "adam"
    critic_steps: int = 1
    penalty: Penalty | None = None
    penalty_weight: float | None = None
    clip: float | None = None
    generator_norm: str = "batch"
    discriminator_norm: str = "none"
    init: str = "dcgan"
    real_target: float = 1.0
    fake_target: float = 0.0
    auxiliary_weight: float | None = None
    conditional: bool = True
    conditional_is_fixed: bool = False
    one_per_class: bool = False

    @property
    def betas(self) -> tuple[float, float]:
        """Both betas of an optimizer that has them."""
        assert self.beta1 is not None
        assert self.beta2 is not None
        return self.beta1, self.beta2


FAMILIES: dict[str, Family] = {
    # Radford et al. 2016: Adam 2e-4 with betas (0.5, 0.999), batch norm in both
    "dcgan": Family(loss="cross_entropy", networks="dcgan", learning_rate=2e-4, discriminator_norm="batch"),
    # Arjovsky et al. 2017, algorithm 1: weights clipped to 0.01, five critic steps, RMSprop 5e-5; their critic has
    # batch norm
    "wgan": Family(
        loss="wasserstein",
        networks="dcgan",
        learning_rate=5e-5,
        # section 4.2: with momentum, as Adam has it, training of a clipped critic became unstable
        optimizer="rmsprop",
        beta1=None,
        beta2=None,
        critic_steps=5,
        clip=0.01,
        discriminator_norm="batch",
    ),
    # Gulrajani et al. 2017: lambda 10, five critic steps, Adam 1e-4 with betas (0, 0.9)
    "wgan_gp": Family(
        loss="wasserstein",
        networks="class",
        learning_rate=1e-4,
        beta1=0.0,
        beta2=0.9,
        critic_steps=5,
        # no norm in the critic (section 4): batch norm would make the gradient for one image depend on the others
        penalty=Penalty(centre=1.0, interpolated=True),
        penalty_weight=10.0,
        init="torch",
    ),
    # Mirza and Osindero 2014 with the networks of the rock-paper-scissors cGAN: Adam 2e-4 with betas (0.5, 0.999)
    "cgan": Family(
        loss="cross_entropy",
        networks="rps_learnopencv",
        learning_rate=2e-4,
        discriminator_norm="batch",
        conditional_is_fixed=True,
    ),
    # Odena et al. 2017: Adam 2e-4, the discriminator sees the image alone and names its class
    "acgan": Family(
        loss="cross_entropy",
        networks="dcgan",
        learning_rate=2e-4,
        discriminator_norm="batch",
        auxiliary_weight=1.0,
        conditional_is_fixed=True,
    ),
    # the digit-wise system: a DCGAN for each class, one-sided label smoothing 0.9, no norm in the discriminator
    "per_class": Family(
        loss="cross_entropy",
        networks="dcgan",
        learning_rate=2e-4,
        real_target=0.9,
        # each pair of networks sees one class only, so a label would tell it nothing
        conditional=False,
        conditional_is_fixed=True,
        one_per_class=True,
    ),
    # Huang et al. 2024: R1 + R2 with one weight (their gamma / 2 on each, so gamma on the mean over both)
    "r3gan": Family(
        loss="relativistic",
        networks="class",
        learning_rate=2e-4,
        beta1=0.0,
        beta2=0.99,
        penalty=Penalty(centre=0.0, interpolated=False),
        penalty_weight=1.0,
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
    # Miyato et al. 2018, eq. 17: the generator's part of the hinge loss is the Wasserstein one
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
    """A generator and a discriminator of the network tables, and what they need or lack.

    For images of `one_pixel_at_px` the discriminator's last maps are a single pixel, which instance norm cannot
    normalise; `most_px` is the side of the largest images.
    """

    generator: str
    discriminator: str
    has_generator_norm: bool = True
    needs_labels: bool = False
    has_auxiliary: bool = False
    one_pixel_at_px: int | None = None
    most_px: int = SIZES_PX[-1]


NETWORKS: dict[str, Networks] = {
    # its generator always has class-conditional batch norm
    "class": Networks(generator="class_dcgan", discriminator="projection", has_generator_norm=False),
    "dcgan": Networks(generator="dcgan", discriminator="dcgan", has_auxiliary=True),
    "rps_literal": Networks(
        generator="rps_literal",
        discriminator="rps",
        needs_labels=True,
        one_pixel_at_px=16,
        most_px=PUBLISHED_PX,
    ),
    "rps_learnopencv": Networks(
        generator="rps_learnopencv",
        discriminator="rps",
        needs_labels=True,
        one_pixel_at_px=16,
        most_px=PUBLISHED_PX,
    ),
}
