"""Layers that several networks share, and how weights begin.

`BatchNorm` and `Dropout` depend on the whole batch, or draw for it. With several processes they see, or draw for, the
global batch, so that the gradients of any number of processes are those of one (`Team.wrap` tells them their place).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from shared.runtime.whole_batch import WholeBatch


class BatchNorm(nn.BatchNorm2d, WholeBatch):
    """Batch normalisation over the global batch; torch's SyncBatchNorm does this on GPUs only.

    Differentiable once; a gradient penalty through it is refused elsewhere, since it couples images.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, channels, h, w) for (N, channels, h, w); every process must bring the same N."""
        if self.world == 1 or not self.training:
            return super().forward(images)
        count = images.numel() // images.shape[1] * self.world
        mean = _SumOverProcesses.apply(images.sum((0, 2, 3))) / count
        centred = images - mean[:, None, None]
        variance = _SumOverProcesses.apply(centred.square().sum((0, 2, 3))) / count
        if self.track_running_stats:
            assert self.running_mean is not None  # torch makes them together
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean.detach(), self.momentum or 0.0)
            self.running_var.lerp_(variance.detach() * (count / (count - 1)), self.momentum or 0.0)
        normal = centred * (variance + self.eps).rsqrt()[:, None, None]
        if not self.affine:
            return normal  # type: ignore[no-any-return]
        return torch.addcmul(self.bias[:, None, None], normal, self.weight[:, None, None])


class Dropout(WholeBatch):
    """Dropout (Srivastava et al. 2014) whose mask is drawn for the global batch from torch's global generator."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, ...) with a share of the values set to 0 and the others scaled up; unchanged in evaluation."""
        if not self.training:
            return values
        each = len(values)
        chance = torch.rand(each * self.world, *values.shape[1:], device=values.device)
        kept = chance[self.rank * each : (self.rank + 1) * each] >= self.share
        return values * kept / (1 - self.share)


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes, and so the sum of its gradients on the way back."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        total = value.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        torch.distributed.all_reduce(total)
        return total


def norm_layers(norm: str, channels: int, eps: float = 1e-5) -> list[nn.Module]:
    """Return what stands behind a convolution of `channels`: one layer, or none where `norm` is none or spectral."""
    rows: dict[str, Any] = {
        "batch": lambda: [BatchNorm(channels, eps=eps)],
        "instance": lambda: [nn.InstanceNorm2d(channels, eps=eps, affine=True)],
        "layer": lambda: [nn.GroupNorm(1, channels, eps=eps)],
        "none": list,
        "spectral": list,
    }
    layers: list[nn.Module] = rows[norm]()
    return layers


def constrain(network: nn.Module, norm: str) -> None:
    """If `norm` is spectral, divide every convolution's and linear layer's weights by their largest singular value."""
    if norm != "spectral":
        return
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            parametrizations.spectral_norm(module)


def couples_images(network: nn.Module) -> bool:
    """Whether what the network says of an image depends on the others of the batch, or on its place in it."""
    return any(isinstance(module, WholeBatch) for module in network.modules())


@torch.no_grad()
def initialise(network: nn.Module, init: str) -> None:
    """Draw the weights of every convolution and linear layer anew, as the row of INITS says; embeddings stay.

    "dcgan" also draws the scale of affine normalisations from N(1, 0.02), as DCGAN's authors did in their code.
    """
    if init == "torch":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if init == "dcgan":
                nn.init.normal_(module.weight, 0.0, 0.02)
            else:
                nn.init.orthogonal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif init == "dcgan" and isinstance(module, BatchNorm | nn.InstanceNorm2d | nn.GroupNorm) and module.affine:
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
