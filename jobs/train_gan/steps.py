"""One critic step and one generator step; what they draw depends on (seed, step) alone."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from jobs.train_gan.families import Family
from jobs.train_gan.objectives import gradient_penalty, interpolate
from shared.chance import generator
from shared.distributed import Team


@dataclass
class Models:
    """Generator and discriminator as `team` wrapped them, and their optimizers."""

    team: Team
    generator: Any
    discriminator: Any
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer


class Draws:
    """The random numbers of one step: drawn for the global batch, cut to this process's part.

    So any number of processes draws the same numbers for the same global batch.
    """

    def __init__(self, team: Team, batch_images: int, *seed: int) -> None:
        self._chance = generator(*seed)
        self._batch_images = batch_images
        share = batch_images // team.world
        self._mine = slice(team.rank * share, (team.rank + 1) * share)
        self._device = team.device

    def normal(self, width: int) -> Tensor:
        """Return (n, width) from N(0, 1)."""
        return torch.randn(self._batch_images, width, generator=self._chance)[self._mine].to(self._device)

    def uniform(self) -> Tensor:
        """Return (n,) from [0, 1)."""
        return torch.rand(self._batch_images, generator=self._chance)[self._mine].to(self._device)


def critic_step(models: Models, family: Family, real: Tensor, labels: Tensor, latents: Tensor, shares: Tensor) -> Any:
    """Update the discriminator once on `real` (n, channels, size, size) and as many fakes of the same `labels`.

    Loss and penalty go through one backward: with several processes two would give wrong gradients without an
    error. Returns (loss, penalty), detached.
    """
    models.discriminator.requires_grad_(True)
    with torch.no_grad():
        fake = models.generator(latents, labels)
    images = torch.cat([real, fake])
    penalty_points = images if not family.penalty.interpolated else interpolate(real, fake, shares)
    penalty_points.requires_grad_(True)
    logits = models.discriminator(images, labels.repeat(2))
    real_logits, fake_logits = logits.chunk(2)
    values = models.discriminator(penalty_points, labels) if family.penalty.interpolated else logits
    penalty = family.penalty.weight * gradient_penalty(values, penalty_points, family.penalty.centre)
    loss = family.discriminator_loss(real_logits, fake_logits)
    models.discriminator_optimizer.zero_grad(set_to_none=True)
    models.team.backward(loss + penalty)
    models.discriminator_optimizer.step()
    return loss.detach(), penalty.detach()


def generator_step(models: Models, family: Family, real: Tensor, labels: Tensor, latents: Tensor) -> Any:
    """Update the generator once on fakes of `labels`; `real` of the same labels for losses that compare.

    The discriminator gathers no gradients. Returns the loss, detached.
    """
    discriminator = models.team.plain(models.discriminator).requires_grad_(False)
    with torch.no_grad():
        real_logits = discriminator(real, labels) if family.generator_sees_real else None
    fake_logits = discriminator(models.generator(latents, labels), labels)
    loss = family.generator_loss(real_logits, fake_logits)
    models.generator_optimizer.zero_grad(set_to_none=True)
    models.team.backward(loss)
    models.generator_optimizer.step()
    return loss.detach()
