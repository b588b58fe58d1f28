"""Layers that several networks share, and how weights begin.

`BatchNorm` and `Dropout` depend on the whole batch, or draw for it. With several processes they see, or draw for, the
global batch, so that the gradients of any number of processes are those of one (`ProcessGroup.wrap` tells them their
place).
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.utils import parametrizations

from shared.models.tables import INITS, NORMS
from shared.runtime.together.whole_batch import WholeBatch

Weighted = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
"""The layers that initialisations and spectral norms are about."""


class BatchNorm(nn.BatchNorm2d, WholeBatch):
    """Batch normalisation over the global batch, differentiable once.

    A gradient penalty through it is refused elsewhere, since it couples images.
    """

    # not torch's SyncBatchNorm, which works on GPUs only: runs on CPUs must give the same gradients

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, channels, h, w) for (N, channels, h, w); every process must bring the same N."""
        if self.world == 1 or not self.training:
            return super().forward(images)
        # every process brings the same number of images: the sums need no counts of their own
        count = images.numel() // images.shape[1] * self.world
        mean = _SumOverProcesses.apply(images.sum((0, 2, 3))) / count
        # two sums, of values and then of squared deviations: E[x^2] - E[x]^2 would cancel in float32
        centred = images - mean[:, None, None]
        variance = _SumOverProcesses.apply(centred.square().sum((0, 2, 3))) / count
        if self.track_running_stats:
            assert self.running_mean is not None  # torch makes them together
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            # torch keeps the unbiased variance, though it normalises by the biased one
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
        # every process draws the whole batch's mask and takes its own rows: all have the same generator state, and any
        # number of processes drops the same values
        count = len(values)
        uniform = torch.rand(count * self.world, *values.shape[1:], device=values.device)
        mask = uniform[self.rank * count : (self.rank + 1) * count] >= self.share
        return values * mask / (1 - self.share)


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; its backward sums the gradients likewise."""

    # a Function of our own, because torch.distributed.all_reduce is invisible to autograd

    @staticmethod
    def forward(context: FunctionCtx, value: Tensor) -> Tensor:
        total = value.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: FunctionCtx, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        torch.distributed.all_reduce(total)
        return total


def norm_layers(norm: str, channels: int, eps: float = 1e-5) -> list[nn.Module]:
    """Return what follows a convolution of `channels`: one layer, or none where `norm` is none or spectral."""
    return NORMS[norm].get()(channels, eps)


def no_norm(channels: int, eps: float) -> list[nn.Module]:
    """Return no layer."""
    return []


def batch_norm(channels: int, eps: float) -> list[nn.Module]:
    """Return batch normalisation over the global batch."""
    return [BatchNorm(channels, eps=eps)]


def instance_norm(channels: int, eps: float) -> list[nn.Module]:
    """Return instance normalisation with scale and shift, so that no contrast is lost for good."""
    return [nn.InstanceNorm2d(channels, eps=eps, affine=True)]


def layer_norm(channels: int, eps: float) -> list[nn.Module]:
    """Return layer normalisation over channels and pixels, which is group normalisation with one group."""
    return [nn.GroupNorm(1, channels, eps=eps)]


def constrain(network: nn.Module, norm: str) -> None:
    """If `norm` is spectral, divide every convolution's and linear layer's weights by their largest singular value."""
    if norm != "spectral":
        return
    for module in list(network.modules()):  # a list, since parametrizing adds modules to the ones iterated over
        if isinstance(module, Weighted):
            parametrizations.spectral_norm(module)


def couples_images(network: nn.Module) -> bool:
    """Whether what the network says of an image depends on the others of the batch, or on its place in it."""
    return any(isinstance(module, WholeBatch) for module in network.modules())


@torch.no_grad()
def initialise(network: nn.Module, init: str) -> None:
    """Redraw the weights of every convolution and linear layer as the row of INITS says; embeddings stay."""
    redraw = INITS[init].get()
    for module in network.modules():
        redraw(module)


def keep_torch_init(module: nn.Module) -> None:
    """Leave a module as torch drew it."""


def dcgan_init(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and scales of affine normalisations from N(1, 0.02), as DCGAN's authors' code."""
    if isinstance(module, Weighted):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, BatchNorm | nn.InstanceNorm2d | nn.GroupNorm) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def orthogonal_init(module: nn.Module) -> None:
    """Draw weights as an orthogonal matrix (Saxe et al. 2014; Brock et al. 2019)."""
    if isinstance(module, Weighted):
        nn.init.orthogonal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
