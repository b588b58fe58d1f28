"""Losses and penalties: pure functions on logits and gradients."""

import torch
import torch.nn.functional as F
from torch import Tensor


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Return the critic loss E[fake] - E[real] on values (N,) (Arjovsky et al. 2017, eq. 3)."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Return the generator loss -E[fake] on the critic's values (N,) (Arjovsky et al. 2017)."""
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the relativistic pairing loss on logits (N,) of pairs (Jolicoeur-Martineau 2019; Huang et al. 2024)."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Return the same loss with the parts of real and fake exchanged, logits (N,) of the same pairs."""
    assert real is not None  # the family's row asks for real logits in the generator step
    return F.softplus(real - fake).mean()


def interpolate(real: Tensor, fake: Tensor, shares: Tensor) -> Tensor:
    """Return points on the lines from fake to real images (N, ...), at `shares` (N,) in [0, 1]."""
    return torch.lerp(fake, real, shares.view(-1, *[1] * (real.dim() - 1)))


def gradient_penalty(values: Tensor, points: Tensor, centre: float) -> Tensor:
    """Return the mean over points of (|grad value| - centre)^2, in float32, differentiable twice.

    `values` (N,) must have been computed from `points` (N, ...) image by image. Centre 1 on interpolated points is
    Gulrajani et al. 2017, eq. 3; centre 0 on real and fake images together is R1 + R2 of Mescheder et al. 2018.
    """
    (gradients,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    norms = (gradients.float().flatten(1).square().sum(dim=1) + 1e-12).sqrt()
    return (norms - centre).square().mean()
