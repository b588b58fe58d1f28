"""The GAN objectives: hand values, closed forms and finite differences."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from jobs.train_gan import objectives
from jobs.train_gan.families import FAMILIES, LOSSES, Penalty

REAL, FAKE = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])


def softplus(value: float) -> float:
    """Return log(1 + e^value)."""
    return math.log1p(math.exp(value))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (objectives.cross_entropy_discriminator, (softplus(-1) + softplus(-3)) / 2 + (softplus(0) + softplus(1)) / 2),
        (objectives.non_saturating_generator, (softplus(0) + softplus(-1)) / 2),
        (objectives.hinge_discriminator, 0.0 + (1.0 + 2.0) / 2),
        (objectives.least_squares_discriminator, ((0 + 4) / 2 + (0 + 1) / 2) / 2),
        (objectives.least_squares_generator, (1 + 0) / 2 / 2),
        (objectives.wasserstein_critic, 0.5 - 2.0),
        (objectives.wasserstein_generator, -0.5),
        (objectives.relativistic_discriminator, (softplus(-1) + softplus(-2)) / 2),
        (objectives.relativistic_generator, (softplus(1) + softplus(2)) / 2),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_losses_have_their_values_by_hand(loss: Callable[[Tensor, Tensor], Tensor], expected: float) -> None:
    """On logits 1, 3 (real) and 0, 1 (fake) each loss has the value of its formula."""
    assert loss(REAL, FAKE).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_push_in_opposite_directions(name: str) -> None:
    """A discriminator lowers its loss by raising real and lowering fake logits; a generator by raising fake ones."""
    loss = LOSSES[name]
    real, fake = torch.tensor([-0.5, 0.25], requires_grad=True), torch.tensor([0.5, 0.75], requires_grad=True)
    to_real, to_fake = torch.autograd.grad(loss.discriminator.get()(real, fake), (real, fake))
    (fooling,) = torch.autograd.grad(loss.generator.get()(real, fake), fake)
    assert (to_real < 0).all()
    assert (to_fake > 0).all()
    assert (fooling < 0).all()


@pytest.mark.parametrize("name", ["cross_entropy"])
@pytest.mark.parametrize(("real_target", "fake_target"), [(1.0, 0.0), (0.9, 0.0), (0.9, 0.1)])
def test_label_smoothing_is_cross_entropy_with_soft_targets(name: str, real_target: float, fake_target: float) -> None:
    """The loss is torch's sigmoid and binary cross-entropy with the targets asked for, real and fake added."""
    loss = LOSSES[name].discriminator.get()(REAL, FAKE, real_target=real_target, fake_target=fake_target)
    expected = [
        torch.nn.functional.binary_cross_entropy(torch.sigmoid(logits), torch.full_like(logits, target))
        for logits, target in ((REAL, real_target), (FAKE, fake_target))
    ]
    assert loss.item() == pytest.approx(sum(expected).item(), rel=1e-6)


def test_a_smoothed_discriminators_optimum_is_its_target() -> None:
    """With a real target of 0.9 the best real logit is log(0.9 / 0.1): a larger one is pushed back."""
    best = torch.tensor([math.log(9.0)], requires_grad=True)
    (slope,) = torch.autograd.grad(objectives.cross_entropy_discriminator(best, FAKE, real_target=0.9), best)
    assert slope.item() == pytest.approx(0.0, abs=1e-6)


def test_relativistic_losses_do_not_overflow() -> None:
    """Logits far apart give a finite loss: softplus is linear there."""
    loss = objectives.relativistic_generator(torch.tensor([1e4]), torch.tensor([-1e4]))
    assert loss.item() == pytest.approx(2e4)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 2.0), (1.0, 10.0), (0.25, 4.0)])
def test_interpolation_runs_from_fake_to_real(share: float, expected: float) -> None:
    """Epsilon 0 is the fake image, 1 the real one, and linear in between; each image has its own epsilon."""
    real, fake = torch.full((2, 1, 2, 2), 10.0), torch.full((2, 1, 2, 2), 2.0)
    points = objectives.interpolate(real, fake, torch.tensor([share, 1.0]))
    assert torch.equal(points[0], torch.full((1, 2, 2), expected))
    assert torch.equal(points[1], real[1])


def linear_critic(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the critic x -> x . weights."""
    return lambda images: images.flatten(1) @ weights


@pytest.mark.parametrize(
    ("length", "centre", "expected"),
    [(1.0, 1.0, 0.0), (3.0, 1.0, 4.0), (0.5, 1.0, 0.25), (3.0, 0.0, 9.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0)],
)
def test_penalty_of_a_linear_critic(length: float, centre: float, expected: float) -> None:
    """A linear critic whose weights have length w has gradient norm w everywhere: the penalty is (w - centre)^2."""
    direction = torch.tensor([0.6, 0.0, -0.8, 0.0])
    points = torch.randn(5, 1, 2, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    penalty = objectives.gradient_penalty(linear_critic(length * direction)(points), points, centre)
    assert penalty.item() == pytest.approx(expected, abs=1e-5)


def test_penalty_is_a_mean_over_images() -> None:
    """Where the critic's slope differs between images, each norm is squared before the mean."""
    points = torch.tensor([[1.0], [2.0], [4.0]]).requires_grad_()
    values = points.square().sum(dim=1)  # slopes 2, 4, 8
    assert objectives.gradient_penalty(values, points, 0.0).item() == pytest.approx((4 + 16 + 64) / 3, rel=1e-6)


@pytest.mark.parametrize("centre", [0.0, 1.0])
def test_gradient_of_the_penalty_agrees_with_finite_differences(centre: float) -> None:
    """The penalty's gradient with respect to the critic's weights is the slope that central differences measure."""
    chance = torch.Generator().manual_seed(1)
    first = torch.randn(4, 6, generator=chance, dtype=torch.float64)
    second = torch.randn(6, generator=chance, dtype=torch.float64)
    images = torch.randn(3, 4, generator=chance, dtype=torch.float64)

    def penalty(weights: Tensor) -> Tensor:
        points = images.clone().requires_grad_()
        return objectives.gradient_penalty(torch.tanh(points @ weights) @ second, points, centre)

    weights = first.clone().requires_grad_()
    (analytic,) = torch.autograd.grad(penalty(weights), weights)
    step = 1e-2  # the norms are float32, so a smaller step would measure their rounding
    for row, column in [(0, 0), (1, 3), (3, 5)]:
        nudge = torch.zeros_like(first)
        nudge[row, column] = step
        slope = (penalty(first + nudge) - penalty(first - nudge)).item() / (2 * step)
        assert analytic[row, column].item() == pytest.approx(slope, rel=5e-3, abs=5e-4)


def test_gradient_of_the_penalty_is_finite_where_the_critic_is_flat() -> None:
    """A flat critic has a finite gradient, so that one such image cannot spoil a step."""
    weights = torch.zeros(4, requires_grad=True)
    points = torch.ones(2, 4, requires_grad=True)
    penalty = objectives.gradient_penalty(points @ weights, points, 1.0)
    (gradient,) = torch.autograd.grad(penalty, weights)
    assert torch.isfinite(gradient).all()


ADAM = {"beta1": 0.5, "beta2": 0.999}
"""Adam's settings of Radford et al. 2016."""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "dcgan",
            {"learning_rate": 2e-4, **ADAM, "critic_steps": 1, "penalty": None, "clip": None},
        ),
        ("wgan", {"learning_rate": 5e-5, "optimizer": "rmsprop", "critic_steps": 5, "penalty": None, "clip": 0.01}),
        # Gulrajani et al. 2017, algorithm 1: lambda 10, n_critic 5, alpha 1e-4, beta1 0, beta2 0.9
        (
            "wgan_gp",
            {
                "learning_rate": 1e-4,
                "beta1": 0.0,
                "beta2": 0.9,
                "critic_steps": 5,
                "penalty": Penalty(centre=1.0, interpolated=True),
                "penalty_weight": 10.0,
            },
        ),
        (
            "cgan",
            {"learning_rate": 2e-4, **ADAM, "networks": "rps_learnopencv", "conditional": True},
        ),
        ("acgan", {"learning_rate": 2e-4, **ADAM, "auxiliary_weight": 1.0, "conditional": True}),
        ("per_class", {**ADAM, "real_target": 0.9, "fake_target": 0.0, "one_per_class": True}),
        (
            "r3gan",
            {
                "learning_rate": 2e-4,
                "beta1": 0.0,
                "beta2": 0.99,
                "critic_steps": 1,
                "penalty": Penalty(centre=0.0, interpolated=False),
                "penalty_weight": 1.0,
            },
        ),
    ],
)
def test_families_hold_the_numbers_of_their_papers(name: str, expected: dict[str, object]) -> None:
    """A family's row has the losses' weights and the optimizer settings of its paper or published system."""
    row = vars(FAMILIES[name])
    assert {key: row[key] for key in expected} == expected


def test_every_family_has_a_loss() -> None:
    """Every family's loss is a row of the table."""
    assert {row.loss for row in FAMILIES.values()} <= set(LOSSES)
