"""Layers that networks share: batch norm and dropout over the global batch, spectral norm, how weights begin."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from shared.models.layers import BatchNorm, Dropout, constrain, couples_images, initialise, norm_layers
from shared.models.tables import INITS, NORMS


def test_batch_norm_alone_is_torchs() -> None:
    """In one process the layer is nn.BatchNorm2d: same output, same running statistics, in training and after."""
    torch.manual_seed(0)
    ours, theirs = BatchNorm(3, eps=0.8), nn.BatchNorm2d(3, eps=0.8)
    for _ in range(3):
        images = torch.randn(4, 3, 2, 2)
        assert torch.equal(ours(images), theirs(images))
    assert torch.equal(ours.eval()(images), theirs.eval()(images))
    assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_dropout_keeps_the_mean(share: float) -> None:
    """A share of the values is 0, the others are scaled by 1 / (1 - share); in evaluation nothing happens."""
    torch.manual_seed(0)
    layer, ones = Dropout(share), torch.ones(200, 500)
    dropped = layer(ones)
    assert (dropped == 0).double().mean().item() == pytest.approx(share, abs=0.01)
    assert dropped[dropped > 0].unique().tolist() == pytest.approx([1 / (1 - share)])
    assert torch.equal(layer.eval()(ones), ones)


def test_dropout_draws_for_the_global_batch() -> None:
    """Two processes that hold halves of a batch drop what one process drops on the whole of it."""
    values = torch.rand(6, 5)
    whole = Dropout(0.5)
    torch.manual_seed(3)
    expected = whole(values)
    for rank in (0, 1):
        part = Dropout(0.5)
        part.rank, part.world = rank, 2
        torch.manual_seed(3)
        assert torch.equal(part(values[3 * rank : 3 * rank + 3]), expected[3 * rank : 3 * rank + 3])


@pytest.mark.parametrize("norm", NORMS)
def test_only_batch_norm_couples_images(norm: str) -> None:
    """What a layer says of an image depends on the others under batch norm alone."""
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), *norm_layers(norm, 4))
    constrain(layers, norm)
    images = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    twin = deepcopy(layers)  # a spectral norm's estimate moves with every call
    alone, together = twin(images[:1]), layers(images)[:1]
    assert torch.allclose(alone, together, atol=1e-5) is (norm != "batch")
    assert couples_images(layers) is (norm == "batch")


def test_spectral_norm_leaves_a_largest_singular_value_of_one() -> None:
    """Miyato et al. 2018: after some power iterations the weight matrix stretches nothing by more than 1."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 4), nn.Linear(7, 5))
    constrain(network, "spectral")
    for _ in range(50):
        network[0](torch.rand(1, 3, 4, 4))
        network[1](torch.rand(1, 7))
    for layer in network:
        matrix = layer.weight.detach().flatten(1)
        assert torch.linalg.matrix_norm(matrix, 2).item() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("init", INITS)
def test_weights_begin_as_the_row_says(init: str) -> None:
    """dcgan: N(0, 0.02), scales N(1, 0.02), no biases; orthogonal: rows of length 1; torch: as is."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(16, 64, 4), BatchNorm(64), nn.Linear(64, 64), nn.Embedding(9, 9))
    before = [value.clone() for value in network.state_dict().values()]
    initialise(network, init)
    convolution, norm, linear, embedding = network
    assert torch.equal(embedding.weight, before[-1])
    if init == "torch":
        assert all(map(torch.equal, before, network.state_dict().values()))
    elif init == "dcgan":
        assert convolution.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert abs(convolution.weight.mean().item()) < 0.001
        assert norm.weight.mean().item() == pytest.approx(1.0, abs=0.01)
        assert norm.weight.std().item() == pytest.approx(0.02, rel=0.3)
        assert not convolution.bias.any()
    else:
        assert torch.allclose(linear.weight @ linear.weight.T, torch.eye(64), atol=1e-4)
