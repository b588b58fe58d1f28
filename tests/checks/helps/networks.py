"""A classifier that knows nothing of images: a hidden layer on all pixels."""

from torch import nn


def mlp(classes: int, channels: int, size_px: int) -> nn.Module:
    """Return a network of one hidden layer with 128 units."""
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size_px**2, 128), nn.ReLU(), nn.Linear(128, classes))
