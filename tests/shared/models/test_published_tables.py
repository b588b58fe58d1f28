"""The layer tables of the published systems (docs/systems.md), and the numbers of parameters that they state."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from shared.models.classifiers import build_classifier, parameter_count
from shared.models.gans.build import build_discriminator, build_generator

Row = tuple[Any, ...]


def table(network: nn.Module) -> list[Row]:
    """Return (kind, channels in, channels out, kernel, stride, padding, bias), or (kind, numbers), of each layer."""
    rows: list[Row] = []
    for layer in network.modules():
        kind = type(layer).__name__
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            shape = (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0], layer.padding[0])
            rows.append((kind, *shape, layer.bias is not None))
        elif isinstance(layer, nn.Linear):
            rows.append((kind, layer.in_features, layer.out_features))
        elif isinstance(layer, nn.Embedding):
            rows.append((kind, layer.num_embeddings, layer.embedding_dim))
        elif isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d):
            rows.append((kind, layer.num_features, layer.eps))
        elif not list(layer.children()):
            rows.append((kind,))
    return rows


def block(kind: str, before: int, after: int, norm: str, active: str, stride: int = 2, padding: int = 1) -> list[Row]:
    """Return the rows of a published `_block`: a convolution without bias, a norm, an activation."""
    return [(kind, before, after, 4, stride, padding, False), (norm, after, 1e-5), (active,)]


S1 = {"size_px": 64, "channels": 3, "classes": 0, "width": 64}


def test_s1_generator() -> None:
    """At 64 features and 100 latents: five steps from 1x1 to 64x64 px, 12.66 million parameters."""
    network = build_generator({"name": "dcgan", "latent": 100, **S1})
    kind, norm = "ConvTranspose2d", "BatchNorm"
    assert table(network) == [
        *block(kind, 100, 1024, norm, "ReLU", 1, 0),
        *block(kind, 1024, 512, norm, "ReLU"),
        *block(kind, 512, 256, norm, "ReLU"),
        *block(kind, 256, 128, norm, "ReLU"),
        (kind, 128, 3, 4, 2, 1, True),
        ("Tanh",),
    ]
    assert round(parameter_count(network) / 1e6, 2) == 12.66


def test_s1_critic() -> None:
    """At 64 features: five steps from 64x64 px to one number, 2.76 million parameters in convolutions."""
    network = build_discriminator({"name": "dcgan", "norm": "instance", **S1})
    kind, norm, active = "Conv2d", "InstanceNorm2d", "LeakyReLU"
    assert table(network) == [
        (kind, 3, 64, 4, 2, 1, True),
        (active,),
        *block(kind, 64, 128, norm, active),
        *block(kind, 128, 256, norm, active),
        *block(kind, 256, 512, norm, active),
        (kind, 512, 1, 4, 2, 0, True),
    ]
    assert round(parameter_count(network) / 1e6, 2) in (2.76, 2.77)
    assert round(parameter_count(build_discriminator({"name": "dcgan", "norm": "none", **S1})) / 1e6, 2) == 2.76


@pytest.mark.parametrize(("size_px", "first", "blocks"), [(16, 4, 2), (32, 8, 3), (64, 16, 4), (128, 16, 5)])
def test_depth_follows_from_the_resolution(size_px: int, first: int, blocks: int) -> None:
    """Each doubling of the side adds a block to both networks; the widest maps have at most 16 f and 8 f channels."""
    spec = {"name": "dcgan", "size_px": size_px, "channels": 1, "classes": 0, "width": 4}
    generator = [row for row in table(build_generator({"latent": 7, **spec})) if row[0] == "ConvTranspose2d"]
    critic = [row for row in table(build_discriminator(spec)) if row[0] == "Conv2d"]
    assert len(generator) == len(critic) == blocks + 1
    assert generator[0][1:3] == (7, 4 * first)
    assert critic[-1][1:3] == (min(2 ** (blocks - 1), 8) * 4, 1)


@pytest.mark.parametrize("size_px", [16, 32, 64, 128])
def test_an_unconditional_network_ignores_the_label(size_px: int) -> None:
    """With 0 classes there is no embedding, and every label gives the same image and the same logit."""
    spec = {"name": "dcgan", "size_px": size_px, "channels": 1, "classes": 0, "width": 2, "norm": "none"}
    generator, critic = build_generator({"latent": 4, **spec}), build_discriminator(spec)
    assert not [layer for layer in (*generator.modules(), *critic.modules()) if isinstance(layer, nn.Embedding)]
    images = generator(torch.ones(2, 4), torch.tensor([0, 5]))
    assert torch.equal(images[0], images[1])
    assert torch.equal(*critic(images, torch.tensor([3, 7])))


S2_BODY = [512, 256, 128, 64]
S2 = {"size_px": 128, "channels": 3, "classes": 3, "width": 64}


@pytest.mark.parametrize(
    ("name", "latent_layer", "first"), [("rps_literal", 1024, 1024), ("rps_learnopencv", 512 * 16, 513)]
)
def test_s2_generator(name: str, latent_layer: int, first: int) -> None:
    """Both readings of how the label enters: the body begins with 1,024 channels, or with 512 and the label's one."""
    network = build_generator({"name": name, "latent": 100, "bn_eps": 0.8, **S2})
    body = [
        row
        for before, after in zip([first, *S2_BODY], S2_BODY, strict=False)
        for row in (("ConvTranspose2d", before, after, 4, 2, 1, False), ("BatchNorm", after, 0.8), ("ReLU",))
    ]
    assert table(network) == [
        ("Embedding", 3, 100),
        ("Linear", 100, 16),
        ("Linear", 100, latent_layer),
        ("LeakyReLU",),
        *body,
        ("ConvTranspose2d", 64, 3, 4, 2, 1, False),
        ("Tanh",),
    ]
    assert network(torch.randn(2, 100), torch.tensor([0, 2])).shape == (2, 3, 128, 128)


def test_s2_literal_generator_multiplies_latent_and_label() -> None:
    """Read literally, the first layer sees latent (1024, 1, 1) times label (1, 4, 4), broadcast to (1024, 4, 4)."""
    network = build_generator({"name": "rps_literal", "latent": 100, **S2})
    seen: list[Tensor] = []
    network.body[0].register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    latents, labels = torch.randn(2, 100), torch.tensor([0, 2])
    network(latents, labels)
    expected = torch.einsum("nc,nhw->nchw", network.start(latents), network.label(labels).view(2, 4, 4))
    assert seen[0].shape == (2, 1024, 4, 4)
    assert torch.allclose(seen[0], expected)


def test_s2_discriminator() -> None:
    """With the stem that the published tables leave out: 49152 = 3 * 128 * 128, and 4608 = 512 * 3 * 3."""
    network = build_discriminator({"name": "rps", "norm": "batch", "bn_eps": 0.8, **S2})
    body = [
        row
        for before, after in ((64, 128), (128, 256), (256, 512))
        for row in (("Conv2d", before, after, 4, 3, 2, False), ("BatchNorm", after, 0.8), ("LeakyReLU",))
    ]
    assert table(network) == [
        ("Embedding", 3, 100),
        ("Linear", 100, 49152),
        ("Conv2d", 6, 64, 4, 2, 1, False),
        ("LeakyReLU",),
        *body,
        ("Flatten",),
        ("Dropout",),
        ("Linear", 4608, 1),
    ]
    assert network(torch.zeros(2, 3, 128, 128), torch.tensor([0, 2])).shape == (2,)


def test_s2_prints_4608_for_128_px_only() -> None:
    """At 64 px the last layer of the discriminator sees 2,048 numbers, not the published 4,608."""
    assert table(build_discriminator({"name": "rps", **S2 | {"size_px": 64}}))[-1] == ("Linear", 2048, 1)


def test_s2_classifier() -> None:
    """At 64 px: three convolutions, Linear(16384, 512), Linear(512, 3)."""
    network = build_classifier({"name": "rps_cnn", "size_px": 64, "channels": 3, "classes": 3, "width": 16})
    norm, active, pool = "BatchNorm2d", ("ReLU",), ("MaxPool2d",)
    assert table(network) == [
        *[("Conv2d", 3, 16, 5, 1, 2, True), (norm, 16, 1e-5), active],
        *[("Conv2d", 16, 32, 3, 1, 1, True), (norm, 32, 1e-5), active, pool],
        *[("Conv2d", 32, 64, 3, 1, 1, True), (norm, 64, 1e-5), active, pool],
        ("Flatten",),
        *[("Linear", 16384, 512), active, ("Linear", 512, 3)],
    ]


def test_s3_networks() -> None:
    """At 16 px: transposed convolutions, batch norm, ReLU; convolutions and LeakyReLU."""
    spec = {"size_px": 16, "channels": 1, "classes": 0, "width": 32}
    generator = build_generator({"name": "dcgan", "latent": 100, **spec})
    assert table(generator) == [
        *block("ConvTranspose2d", 100, 128, "BatchNorm", "ReLU", 1, 0),
        *block("ConvTranspose2d", 128, 64, "BatchNorm", "ReLU"),
        ("ConvTranspose2d", 64, 1, 4, 2, 1, True),
        ("Tanh",),
    ]
    assert table(build_discriminator({"name": "dcgan", "norm": "none", **spec})) == [
        ("Conv2d", 1, 32, 4, 2, 1, True),
        ("LeakyReLU",),
        ("Conv2d", 32, 64, 4, 2, 1, False),
        ("LeakyReLU",),
        ("Conv2d", 64, 1, 4, 2, 0, True),
    ]


def test_s4_acgan_discriminator_sees_the_image_alone() -> None:
    """The outputs are real or fake and the class; the label passed in changes nothing."""
    spec = {"name": "dcgan", "auxiliary": True, **S1 | {"classes": 10}}
    network = build_discriminator(spec).eval()
    assert table(network)[-1] == ("Linear", 512 * 4 * 4, 10)
    images = torch.rand(2, 3, 64, 64)
    output = network(images, torch.tensor([0, 1]))
    assert output.shape == (2, 11)
    assert torch.equal(output, network(images, torch.tensor([5, 6])))
