"""Classifiers: the order of their layers is equivalent to that of the papers."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from shared.models.classifiers import SmallCnn


@pytest.mark.parametrize(("size_px", "channels"), [(16, 1), (64, 3)])
def test_pooling_before_relu_gives_the_same_bits(size_px: int, channels: int) -> None:
    """Logits and all gradients are those of the usual order, convolution, norm, ReLU, pooling, to the last bit."""
    torch.manual_seed(0)
    network = SmallCnn(size_px=size_px, channels=channels, classes=3)
    usual: list[nn.Module] = list(network.body)
    for place, layer in enumerate(network.body):
        if isinstance(layer, nn.MaxPool2d):
            assert isinstance(usual[place + 1], nn.ReLU)
            usual[place], usual[place + 1] = usual[place + 1], layer
    images = torch.rand(8, channels, size_px, size_px) * 2 - 1
    found: list[list[Any]] = []
    for body in (network.body, nn.Sequential(*usual)):
        logits = network.head(body(images))
        loss = F.cross_entropy(logits, torch.arange(8) % 3)
        found.append([logits, *torch.autograd.grad(loss, list(network.parameters()))])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*found, strict=True))
