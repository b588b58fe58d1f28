"""Losses and penalties: pure functions on logits and gradients."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy_discriminator(
    real: Tensor, fake: Tensor, *, real_target: float = 1.0, fake_target: float = 0.0
) -> Tensor:
    """Return binary cross-entropy on logits (N,), the mean over real plus that over fake (Goodfellow et al. 2014).

    The same as a sigmoid and BCE, without their overflow. `real_target` 0.9 is one-sided label smoothing (Salimans et
    al. 2016), with `fake_target` 0.1 two-sided.
    """
    return _cross_entropy(real, real_target) + _cross_entropy(fake, fake_target)


def non_saturating_generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Return the generator's non-saturating loss -log sigmoid(fake) on logits (N,) (Goodfellow et al. 2014, sec. 3)."""
    # log(1 - sigmoid(fake)), the minimax loss, has no gradient where the discriminator is sure
    return F.softplus(-fake).mean()


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    # -log sigmoid(x) is softplus(-x)
    return (F.softplus(-logits) * target + F.softplus(logits) * (1 - target)).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Return the critic loss E[fake] - E[real] on values (N,) (Arjovsky et al. 2017, eq. 3)."""
    return fake.mean() - real.mean()


def wasserstein_generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Return the generator loss -E[fake] on the critic's values (N,) (Arjovsky et al. 2017)."""
    # real values do not depend on the generator, so their mean has no gradient for it
    return -fake.mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the hinge loss on logits (N,) (Miyato et al. 2018, eq. 16); the generator's is Wasserstein's."""
    # no gradient beyond the margin: images that are told apart well enough have no more say
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the least-squares loss on logits (N,) with targets 1 and 0 (Mao et al. 2017, eq. 9)."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def least_squares_generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Return the generator's least-squares loss on logits (N,) with target 1 (Mao et al. 2017, eq. 9)."""
    return (fake - 1).square().mean() / 2


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return the relativistic pairing loss on logits (N,) of pairs (Jolicoeur-Martineau 2019; Huang et al. 2024)."""
    # only the difference of a pair counts, so that logits cannot drift together
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Return the same loss with the parts of real and fake exchanged, logits (N,) of the same pairs."""
    assert real is not None  # the loss's row asks for real logits in the generator step
    return F.softplus(real - fake).mean()


def interpolate(real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """Return points on the lines from fake to real images (N, ...), at `epsilon` (N,) in [0, 1], 1 being real."""
    # one epsilon for each image, not for each pixel: points lie on straight lines between pairs
    return torch.lerp(fake, real, epsilon.view(-1, *[1] * (real.dim() - 1)))


def gradient_penalty(values: Tensor, points: Tensor, centre: float) -> Tensor:
    """Return the mean over points of (|grad value| - centre)^2, in float32, differentiable twice.

    `values` (N,) must have been computed from `points` (N, ...) image by image. Centre 1 on interpolated points is
    Gulrajani et al. 2017, eq. 3; centre 0 on real and fake images together is R1 + R2 of Mescheder et al. 2018.
    """
    # the gradient of a sum is that of each value, as long as no value depends on another's point
    (gradients,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    # without epsilon the root has an infinite gradient at 0, which is what centre 0 drives norms to
    norms = (gradients.float().flatten(1).square().sum(dim=1) + 1e-12).sqrt()
    return (norms - centre).square().mean()  # Gulrajani et al. 2017, eq. 3
