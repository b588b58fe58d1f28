"""One training step with the same networks, weights, images and latents: ours against loops that people copy.

The loops of pytorch/examples/dcgan and of the usual WGAN-GP tutorials are written out here, as they are printed; those
of torch-mimicry and torchgan are their own code. What is compared before timing are the losses of the first step.
"""

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.bench.libraries import mimicry, optimizer, torchgan
from tests.bench.row import Row, Work

LATENT, SIZE_PX = 100, 64


@dataclass(frozen=True)
class Start:
    """A family, its networks as they begin, and one batch."""

    family: Any
    config: Any
    state: Any
    real: Tensor
    latents: Tensor
    shares: Tensor
    seed: int = 2
    """After which torch's own generator draws `shares` first."""

    def twins(self) -> tuple[nn.Module, nn.Module]:
        """Return copies of generator and discriminator with the same weights."""
        models = self.state.models
        return deepcopy(models.generator), deepcopy(models.discriminator)

    @property
    def batch(self) -> Any:
        """The batch as steps take it."""
        from jobs.train_gan.steps import Batch

        none = torch.zeros(len(self.real), 0, device=self.real.device)
        return Batch(self.real, self.labels, self.latents, self.shares, none, none)

    @property
    def labels(self) -> Tensor:
        """Labels that an unconditional network ignores."""
        return torch.zeros(len(self.real), dtype=torch.int64, device=self.real.device)


def start(folder: Path | None, family: str, count: int, device: str = "cpu", **options: Any) -> Start:
    """Return a family's networks with DCGAN's layers on `device`, and a batch of `count` images; see `GanOptions`."""
    from jobs.train_gan.options import GanOptions, resolve
    from jobs.train_gan.state import State, specs
    from shared.format.manifest import Dataset
    from shared.runtime.process_group import SingleProcess

    size_px = options.pop("size_px", SIZE_PX)
    place = {"epochs": 1, "snapshot_every_epochs": 1, "seed": 0, "decay": "none", "ema_images": 0}
    size = {"batch_images": count, "latent": LATENT, "width": 64, "networks": "dcgan", "conditional": False}
    config = GanOptions(family=family, **(place | size | options))
    found = resolve(config)
    info = Dataset(classes=["a"], size_px=size_px, channels=3, preparation={}, splits={})
    state = State(SingleProcess(torch.device(device)), found, config, specs(found, config, info))
    torch.manual_seed(1)
    real = torch.rand(count, 3, size_px, size_px) * 2 - 1
    latents = torch.randn(count, LATENT)
    torch.manual_seed(Start.seed)
    drawn = (real, latents, torch.rand(count, 1).squeeze(1))
    return Start(found, config, state, *(each.to(device) for each in drawn))


def _both(start: Start) -> Work:
    """Return a critic step and a generator step of ours."""
    from jobs.train_gan.steps import train_step

    def work() -> list[float]:
        found = train_step(start.state.models, start.family, start.config, start.batch)
        return [float(value) for value in found.values()]

    return work


def _critic(start: Start) -> Work:
    from jobs.train_gan.steps import critic_step

    def work() -> list[float]:
        found = critic_step(start.state.models, start.family, start.config, start.batch)
        return [float(found["discriminator_loss"]), float(found["penalty"])]

    return work


def _generator(start: Start) -> Work:
    from jobs.train_gan.steps import generator_step

    return lambda: [
        float(generator_step(start.state.models, start.family, start.config, start.batch)["generator_loss"])
    ]


def pytorch_examples(start: Start) -> Work:
    """Return dcgan/main.py: a pass each for real and fake, the same fakes for the generator, BCE on a sigmoid."""
    generator, discriminator = start.twins()
    optimizers = optimizer(generator, start), optimizer(discriminator, start)
    criterion = nn.BCELoss()

    def judge(images: Tensor) -> Tensor:
        return torch.sigmoid(discriminator(images, start.labels))

    def work() -> list[float]:
        ones, zeros = (make(len(start.real), device=start.real.device) for make in (torch.ones, torch.zeros))
        discriminator.zero_grad()
        real_loss = criterion(judge(start.real), ones)
        real_loss.backward()
        fake = generator(start.latents, start.labels)
        fake_loss = criterion(judge(fake.detach()), zeros)
        fake_loss.backward()
        optimizers[1].step()
        generator.zero_grad()
        loss = criterion(judge(fake), ones)
        loss.backward()
        optimizers[0].step()
        return [real_loss.item() + fake_loss.item(), loss.item()]

    return work


def tutorial_critic(start: Start) -> Work:
    """Return the usual WGAN-GP critic step: fakes with their graph, three passes, retain_graph."""
    generator, critic = start.twins()
    critic.requires_grad_(True)
    adam = optimizer(critic, start)

    def work() -> list[float]:
        fake = generator(start.latents, start.labels)
        real_value, fake_value = critic(start.real, start.labels), critic(fake, start.labels)
        epsilon = start.shares.view(-1, 1, 1, 1)
        mixed = start.real * epsilon + fake * (1 - epsilon)
        value = critic(mixed, start.labels)
        (gradient,) = torch.autograd.grad(
            inputs=mixed, outputs=value, grad_outputs=torch.ones_like(value), create_graph=True, retain_graph=True
        )
        norm = gradient.view(gradient.shape[0], -1).norm(2, dim=1)
        parts = -(real_value.mean() - fake_value.mean()), 10 * ((norm - 1) ** 2).mean()
        critic.zero_grad()
        sum(parts).backward(retain_graph=True)
        adam.step()
        return [part.item() for part in parts]

    return work


def tutorial_generator(start: Start) -> Work:
    """Return the usual generator step: the critic gathers gradients that nobody uses."""
    generator, critic = start.twins()
    critic.requires_grad_(True)
    adam = optimizer(generator, start)

    def work() -> list[float]:
        loss = -critic(generator(start.latents, start.labels), start.labels).mean()
        generator.zero_grad()
        loss.backward()
        adam.step()
        return [loss.item()]

    return work


def _same_losses(ours: list[float], theirs: list[float] | None) -> None:
    """Compare the losses of a step, to 1e-3 of their size; some peers do not return the penalty.

    Those of the second step are of weights that gradients and optimizer of the first have changed; None where the
    peer lowers something else.
    """
    if theirs is None:
        return
    assert theirs
    for mine, other in zip(ours, theirs, strict=False):
        assert abs(mine - other) <= 1e-3 * max(abs(other), 1), (ours, theirs)


GP: dict[str, Any] = {"discriminator_norm": "instance", "init": "dcgan"}
"""Options that make a WGAN-GP that of the published CelebA recipe."""

_gp = partial(start, family="wgan_gp", count=32, **GP)

ROWS = {
    "step-dcgan": Row(
        "DCGAN step, 64x64 px, batch 64", 64, "images", partial(start, family="dcgan", count=64), _both,
        {"pytorch/examples' loop": pytorch_examples, "torch-mimicry": mimicry, "torchgan": torchgan},
        _same_losses, compared=2,
    ),
    "step-critic": Row(
        "WGAN-GP critic step, S1's networks, batch 32", 32, "images", _gp, _critic,
        {
            "tutorial's loop": tutorial_critic,
            "torch-mimicry": partial(mimicry, generator=False),
            "torchgan": partial(torchgan, generator=False),
        },
        _same_losses, compared=2,
    ),
    "step-generator": Row(
        "WGAN-GP generator step, S1's networks, batch 32", 32, "images", _gp, _generator,
        {
            "tutorial's loop": tutorial_generator,
            "torch-mimicry": partial(mimicry, critic=False),
            "torchgan": partial(torchgan, critic=False),
        },
        _same_losses, compared=2,
    ),
}  # fmt: skip
