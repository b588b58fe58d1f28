"""The mark of layers that see, or draw for, the global batch of all processes."""

from torch import nn


class WholeBatch(nn.Module):
    """A layer that couples the images of a batch, or draws for all of them: process `rank` of `world` has a share."""

    rank = 0
    world = 1
