"""The training steps of torch-mimicry and torchgan, on the networks, images and latents of `training.Start`.

Their own code trains; only the networks and the source of the latents are put into their classes, so that the losses
of the first step can be compared.
"""

import sys
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from tests.bench.row import Work

CPU = torch.device("cpu")


def optimizer(network: nn.Module, start: Any) -> torch.optim.Optimizer:
    """Return Adam as the loops make it, with torch's defaults."""
    return torch.optim.Adam(network.parameters(), lr=start.family.learning_rate, betas=start.family.betas)


def mimicry(start: Any, *, critic: bool = True, generator: bool = True) -> Work:
    """Return a step of the discriminator, of the generator or of both, as torch-mimicry takes them."""
    _import_mimicry()
    if start.family.penalty is None:
        from torch_mimicry.nets.dcgan import dcgan_base

        makes, bases = dcgan_base.DCGANBaseGenerator, dcgan_base.DCGANBaseDiscriminator
    else:
        from torch_mimicry.nets.wgan_gp import wgan_gp_base

        makes, bases = wgan_gp_base.WGANGPBaseGenerator, wgan_gp_base.WGANGPBaseDiscriminator
    from torch_mimicry.training.metric_log import MetricLog

    networks = start.twins()
    sides = _mimicry_generator(makes, networks[0], start), _mimicry_discriminator(bases, networks[1], start)
    optimizers = [optimizer(side, start) for side in sides]

    def work() -> list[float]:
        log, found, batch = MetricLog(), [], (start.real, start.labels)
        if critic:
            torch.manual_seed(start.seed)
            sides[1].train_step(batch, netG=sides[0], optD=optimizers[1], log_data=log, device=start.real.device)
            found.append(float(log["errD"]))
        if generator:
            sides[0].train_step(batch, netD=sides[1], optG=optimizers[0], log_data=log, device=start.real.device)
            found.append(float(log["errG"]))
        return found

    return work


def _import_mimicry() -> None:
    """Import torch-mimicry without its scores and datasets, for which it wants TensorFlow and an old torch."""
    for name in ("torch_mimicry.metrics", "torch_mimicry.datasets"):
        sys.modules.setdefault(name, ModuleType(name))
    import torch_mimicry  # noqa: F401


def _mimicry_generator(base: Any, network: nn.Module, start: Any) -> Any:
    class Generator(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(nz=start.latents.shape[1], ngf=1, bottom_width=4)
            self.network = network

        def forward(self, latents: Tensor) -> Tensor:
            return self.network(latents, start.labels)  # type: ignore[no-any-return]

        def generate_images(self, num_images: int, device: Any = None) -> Tensor:
            return self.forward(start.latents)

    return Generator()


def _mimicry_discriminator(base: Any, network: nn.Module, start: Any) -> Any:
    class Discriminator(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(ndf=1)
            self.network = network.requires_grad_(True)

        def forward(self, images: Tensor) -> Tensor:
            return self.network(images, start.labels)[:, None]  # type: ignore[no-any-return]

    return Discriminator()


def torchgan(start: Any, *, critic: bool = True, generator: bool = True) -> Work:
    """Return the same as torchgan takes them: a penalty has a step and fakes of its own there.

    Its penalty is that of the whole batch's gradient, with one share for all images, so that it cannot be compared, nor
    what comes after it: None. It takes the same passes.
    """
    import torchgan.losses as losses

    networks = [_Torchgan(network, start) for network in start.twins()]
    optimizers = [optimizer(network, start) for network in networks]
    plain = start.family.penalty is None
    pair = ("MinimaxDiscriminatorLoss", "MinimaxGeneratorLoss") if plain else (
        "WassersteinDiscriminatorLoss", "WassersteinGeneratorLoss"
    )  # fmt: skip
    first, second = (getattr(losses, name)() for name in pair)
    penalty = None if plain else losses.WassersteinGradientPenalty(lambd=start.family.penalty.weight)
    done = []

    def work() -> list[float] | None:
        found = []
        if critic:
            found.append(first.train_ops(networks[0], networks[1], optimizers[1], start.real, CPU))
            if penalty is not None:
                penalty.train_ops(networks[0], networks[1], optimizers[1], start.real, CPU)
        if generator:
            found.append(second.train_ops(networks[0], networks[1], optimizers[0], CPU, len(start.real)))
        done.append(found)
        return None if critic and penalty is not None and len(done) > 1 else found

    return work


class _Torchgan(nn.Module):
    """A network as torchgan calls it; latents that it draws are replaced by those of the start."""

    label_type = "none"

    def __init__(self, network: nn.Module, start: Any) -> None:
        super().__init__()
        self.network, self.labels, self.latents = network.requires_grad_(True), start.labels, start.latents
        self.encoding_dims = start.latents.shape[1]

    def forward(self, values: Tensor) -> Tensor:
        return self.network(self.latents if values.dim() == 2 else values, self.labels)  # type: ignore[no-any-return]
