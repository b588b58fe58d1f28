"""FID's Inception from its state dict, as pytorch-fid and torch-fidelity publish it.

It is TensorFlow's network of 2015-12-05 in torchvision's names. It differs from torchvision's Inception v3 (Szegedy et
al. 2016) in its pools: averages leave padding out, and the last one takes maxima. Its head has 1,008 classes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from shared.errors import BadInput
from shared.models.pretrained.weights import state_dict

CLASSES = 1008

Steps = Sequence[str | tuple[str, ...]]
"""Convolutions one after the other, by name; those in a tuple take the same input, and their outputs are joined."""

PATHS_A: Sequence[Steps] = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
)
PATHS_C: Sequence[Steps] = (
    ("branch1x1",),
    ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
    ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
)
PATHS_E: Sequence[Steps] = (
    ("branch1x1",),
    ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
    ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
)

PATHS = {
    **dict.fromkeys(("Mixed_5b", "Mixed_5c", "Mixed_5d"), PATHS_A),
    **dict.fromkeys(("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"), PATHS_C),
    **dict.fromkeys(("Mixed_7b", "Mixed_7c"), PATHS_E),
}
"""The blocks whose pool differs from torchvision's."""

LAYERS = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"),
    *("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    *("Mixed_7a", "Mixed_7b", "Mixed_7c", "avgpool"),
)
"""The layers in order, by torchvision's names."""


def average_pool(maps: Tensor) -> Tensor:
    """Return means over 3x3 px, without what lies outside of the map."""
    return F.avg_pool2d(maps, kernel_size=3, stride=1, padding=1, count_include_pad=False)


def max_pool(maps: Tensor) -> Tensor:
    """Return maxima over 3x3 px: an oddity of this network's last block, which FID therefore has too."""
    return F.max_pool2d(maps, kernel_size=3, stride=1, padding=1)


class Block(nn.Module):
    """The convolutions of one of torchvision's blocks, along paths, and a pool before the last of them."""

    def __init__(self, block: nn.Module, paths: Sequence[Steps], pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.block, self.paths, self.pool = block, paths, pool

    def forward(self, maps: Tensor) -> Tensor:
        """Return the outputs of all paths, joined."""
        outputs = [self._along(path, maps) for path in self.paths]
        pooled = self.block.get_submodule("branch_pool")(self.pool(maps))
        return torch.cat([*outputs, pooled], dim=1)

    def _along(self, path: Steps, maps: Tensor) -> Tensor:
        for step in path:
            names = (step,) if isinstance(step, str) else step
            maps = torch.cat([self.block.get_submodule(name)(maps) for name in names], dim=1)
        return maps


def from_state_dict(path: Path, device: torch.device) -> tuple[nn.Module, Tensor]:
    """Return the layers, from images (N, 3, 299, 299) to (N, 2048, 1, 1), and the weights (1008, 2048) of the head.

    Raises BadInput for a file that holds no such state dict.
    """
    from torchvision.models.inception import BasicConv2d, inception_v3

    network = inception_v3(weights=None, num_classes=CLASSES, aux_logits=False, init_weights=False)
    try:
        network.load_state_dict(state_dict(path))
    except Exception as error:  # the file may hold anything, and torch has no error of its own for that
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path}: no state dict of FID's Inception ({reason:.200})") from error
    network = network.eval().requires_grad_(False)
    for unit in network.modules():
        if isinstance(unit, BasicConv2d):
            unit.conv, unit.bn = fuse_conv_bn_eval(unit.conv, unit.bn), nn.Identity()
    for name, paths in PATHS.items():
        pool = max_pool if name == LAYERS[-2] else average_pool
        setattr(network, name, Block(getattr(network, name), paths, pool))
    layers = nn.Sequential(*(getattr(network, name) for name in LAYERS))
    # channels last is the layout that a CPU's convolutions are fastest in
    return layers.to(device).to(memory_format=torch.channels_last), network.fc.weight.to(device)
