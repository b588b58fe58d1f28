"""The options of train_gan, checked."""

from dataclasses import dataclass

FAMILY_NAMES = ("r3gan", "wgan_gp")
"""The rows of `families.FAMILIES`, by name."""

DECAYS = ("none", "late", "cosine")
"""How the learning rate falls: not at all, linearly to 0 over the second half, as half a cosine to 0."""


@dataclass(frozen=True, kw_only=True)
class GanConfig:
    """How a GAN is trained. None stands for the family's own value.

    An epoch is as many real images, shown to the discriminator, as the train split has. There is a snapshot every
    `snapshot_every_epochs` and one at the end.
    """

    family: str
    epochs: int
    snapshot_every_epochs: int
    batch_images: int
    latent: int
    width: int
    learning_rate: float | None
    critic_steps: int | None
    penalty_weight: float | None
    beta1: float | None
    beta2: float | None
    decay: str
    ema_images: int
    seed: int
