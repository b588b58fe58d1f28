from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from shared.errors import BadConfig
from shared.models.classifiers import build_classifier, parameter_count
from shared.models.gans.build import build_discriminator, build_generator
from shared.models.gans.conditional import ClassBatchNorm
from shared.models.inference import in_batches
from shared.models.layers import couples_images
from shared.models.sizes import (
    LARGEST_PX,
    LEAST_PX,
    PUBLISHED_PX,
    SIZES_PX,
    check_classifier_size,
    doublings,
    stage_widths,
)
from shared.models.tables import CLASSIFIERS, DISCRIMINATORS, GENERATORS, NORMS, WITH_WIDTH

LABELS = torch.tensor([0, 1, 2, 1])


def _spec(name: str, size_px: int = 16, channels: int = 1, width: int = 4) -> dict[str, Any]:
    if name == "per_class":
        member = _spec("dcgan", size_px, channels, width) | {"classes": 0, "latent": 8}
        return {"name": name, "classes": 3, "member": member}
    if name == "mixture":  # two numbers of the latent pick one of two
        return {"name": name, "generators": 2, "member": _spec("dcgan", size_px, channels, width) | {"latent": 6}}
    spec = {"name": name, "size_px": size_px, "channels": channels, "classes": 3}
    return spec if name in CLASSIFIERS and name not in WITH_WIDTH else spec | {"width": width}


def _generator(name: str, size_px: int = 16, channels: int = 1) -> Any:
    """Return the generator of this name with latents of 8 numbers."""
    spec = _spec(name, size_px, channels)
    return build_generator(spec if "member" in spec else spec | {"latent": 8})


def _least_px(name: str) -> int:
    """Return the smallest size in the table that the classifier of this name takes."""
    return max(LEAST_PX.get(name, 0), SIZES_PX[0])


def _images(size_px: int = 16, channels: int = 1, count: int = 4) -> Tensor:
    return torch.rand(count, channels, size_px, size_px, generator=torch.Generator().manual_seed(0)) * 2 - 1


def _sizes(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return every network of a GAN with every size that it is built for."""
    return [(name, size) for name in names for size in SIZES_PX if "rps" not in name or size <= PUBLISHED_PX]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "size_px"), _sizes(GENERATORS))
def test_a_generator_draws_images_of_its_size(name: str, size_px: int, channels: int) -> None:
    """Images are (N, channels, size, size) in [-1, 1] and not constant, for every size in the table."""
    network = _generator(name, size_px, channels)
    images = network(torch.randn(4, 8), LABELS)
    assert images.shape == (4, channels, size_px, size_px)
    assert images.abs().max() <= 1
    assert images.std() > 0


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "vit_b_16" else ()) for name in CLASSIFIERS]
)
def test_where_weights_lie_changes_no_number(name: str) -> None:
    """A classifier, whose weights lie channels last, says and learns what one with weights in the usual place does."""
    # double: batch norm over four images of one pixel makes much of the last bits of a float
    size_px = _least_px(name)
    network, images = build_classifier(_spec(name, size_px, 3)).double(), _images(size_px, 3).double()
    usual = deepcopy(network).to(memory_format=torch.contiguous_format)
    assert not all(weight.is_contiguous() for weight in network.parameters())
    assert all(weight.is_contiguous() for weight in usual.parameters())
    outcomes = []
    for each in (network, usual):
        torch.manual_seed(0)  # dropout draws the same for both
        outcomes.append(each(images))
    found, wanted = outcomes
    assert torch.allclose(found, wanted, atol=1e-5)
    for each in (found, wanted):
        each.square().sum().backward()
    largest = max(float(weight.grad.abs().max()) for weight in usual.parameters())
    for one, other in zip(network.parameters(), usual.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-4 * largest)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "size_px"), _sizes(DISCRIMINATORS))
def test_a_discriminator_gives_one_logit_per_image(name: str, size_px: int, channels: int) -> None:
    """Logits are (N,) for any size and are unbounded, of both signs."""
    network = build_discriminator(_spec(name, size_px, channels))
    assert network(_images(size_px, channels), LABELS).shape == (4,)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size_px", [16, 32, 64, 128])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_gives_a_logit_per_class(name: str, size_px: int, channels: int) -> None:
    """Logits are (N, classes) and the head's linear map of the features; sizes that a network cannot take are said."""
    if size_px < _least_px(name):
        with pytest.raises(BadConfig, match=f"--network {name}: images are {size_px} px wide, want 32 "):
            check_classifier_size(name, size_px)
        return
    check_classifier_size(name, size_px)
    network = build_classifier(_spec(name, size_px, channels)).eval()
    features = network.features(_images(size_px, channels))
    logits = network(_images(size_px, channels))
    assert logits.shape == (4, 3)
    assert torch.allclose(logits, features @ network.head.weight.T + network.head.bias, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "spec"),
    [
        *((build_generator, _spec(name)) for name in GENERATORS),
        *((build_discriminator, _spec(name)) for name in DISCRIMINATORS),
        *((build_classifier, _spec(name, _least_px(name))) for name in CLASSIFIERS),
    ],
)
def test_a_spec_rebuilds_its_network(build: object, spec: dict[str, object]) -> None:
    """Equal seeds and specs give equal weights, the weights of one fit the other, and the spec is not changed."""
    assert callable(build)
    before = dict(spec)
    networks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        networks.append(build(spec))
    first, twin, other = (list(network.state_dict().values()) for network in networks)
    assert all(map(torch.equal, first, twin))
    assert not all(map(torch.equal, first, other))
    networks[2].load_state_dict(networks[0].state_dict())
    assert spec == before


@pytest.mark.parametrize("name", WITH_WIDTH)
def test_a_classifier_takes_the_largest_images(name: str) -> None:
    """Own classifiers are built for 512 px, with logits (N, classes), and refuse larger images."""
    check_classifier_size(name, LARGEST_PX)
    network = build_classifier(_spec(name, LARGEST_PX, 3, width=1) | {"features": 4}).eval()
    assert network(_images(LARGEST_PX, 3, count=2)).shape == (2, 3)
    with pytest.raises(BadConfig, match=f"classifiers take at most {LARGEST_PX}"):
        check_classifier_size(name, 2 * LARGEST_PX)


@pytest.mark.parametrize(("size_px", "steps"), [(16, 2), (32, 3), (64, 4), (128, 5), (256, 6)])
def test_sizes_are_four_doubled(size_px: int, steps: int) -> None:
    """4 px doubled two to six times; channels double downwards up to eight times the width."""
    assert doublings(size_px) == steps
    assert 4 * 2**steps == size_px
    widths = stage_widths(3, size_px)
    assert widths[-4:] == [24, 12, 6, 3][-len(widths) :]
    assert widths[:-4] == [24] * (steps - 3)


@pytest.mark.parametrize("size_px", [0, 8, 17, 28, 24, 512])
def test_another_size_is_refused_with_the_way_out(size_px: int) -> None:
    """The error lists the sizes and the option that makes them."""
    with pytest.raises(BadConfig, match=rf"images are {size_px} px wide, want one of .*--size-px"):
        build_generator(_spec("class_dcgan", size_px))


@pytest.mark.parametrize("name", ["rps_literal", "rps_learnopencv"])
def test_published_tables_end_at_their_size(name: str) -> None:
    """The networks of the rock-paper-scissors cGAN are a table for 128 px: no larger ones are made up."""
    with pytest.raises(BadConfig, match=r"images are 256 px wide, want one of \(16, 32, 64, 128\); .*--size-px"):
        build_generator(_spec(name, 256))
    with pytest.raises(BadConfig, match="want one of"):
        build_discriminator(_spec("rps", 256))


def test_class_batch_norm_is_batch_norm_with_an_affine_map_per_class() -> None:
    """Dumoulin 2017, eq. 5: (x - mean) / std over the batch, times (1 + scale) plus shift of the image's class."""
    layer = ClassBatchNorm(2, classes=3)
    nn.init.normal_(layer.scale_and_shift.weight)
    images = _images(4, channels=2)
    mean = images.mean(dim=(0, 2, 3), keepdim=True)
    variance = images.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
    table = layer.scale_and_shift.weight[LABELS]
    scale, shift = table[:, :2, None, None], table[:, 2:, None, None]
    expected = (images - mean) / (variance + 1e-5).sqrt() * (1 + scale) + shift
    assert torch.allclose(layer(images, LABELS), expected, atol=1e-5)


def test_class_batch_norm_begins_as_batch_norm() -> None:
    """Before training every class has scale 1 and shift 0."""
    images = _images(4, channels=2)
    plain = nn.BatchNorm2d(2, affine=False)
    assert torch.allclose(ClassBatchNorm(2, 3)(images, LABELS), plain(images), atol=1e-6)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_label_changes_the_image(name: str) -> None:
    """The same latent with another label is another image, already before training."""
    network = _generator(name).eval()
    latents = torch.ones(3, 8)
    images = network(latents, torch.tensor([0, 1, 0]))
    assert torch.equal(images[0], images[2])
    assert not torch.allclose(images[0], images[1])


def test_the_discriminator_projects_onto_the_label() -> None:
    """Miyato and Koyama 2018, eq. 4: logit = head(features) + <embedding of the label, features>."""
    network = build_discriminator(_spec("projection"))
    features = network.body(_images())
    expected = [
        network.head.weight[0] @ feature + network.head.bias[0] + network.project.weight[label] @ feature
        for feature, label in zip(features, LABELS, strict=True)
    ]
    assert torch.allclose(network(_images(), LABELS), torch.stack(expected), atol=1e-5)


@pytest.mark.parametrize("norm", [norm for norm in NORMS if norm != "batch"])
@pytest.mark.parametrize("name", ["projection", "dcgan"])
def test_nothing_couples_the_images_of_a_batch_without_batch_norm(name: str, norm: str) -> None:
    """The gradient of one image's logit with respect to every other image is exactly zero."""
    network = build_discriminator(_spec(name) | {"norm": norm}).train()
    assert not couples_images(network)
    images = _images().requires_grad_()
    (gradient,) = torch.autograd.grad(network(images, LABELS)[1], images)
    sizes = gradient.flatten(1).abs().sum(dim=1)
    assert sizes[1] > 0
    assert sizes[[0, 2, 3]].tolist() == [0, 0, 0]


def test_trainable_numbers_are_counted_by_hand() -> None:
    """A linear layer of 3 x 4 + 4 and a batch norm of 2 x 4: 24; running means are not trainable."""
    assert parameter_count(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))) == 24


@pytest.mark.parametrize("count", [1, 4, 5, 9])
def test_batches_are_joined_in_order_and_without_gradients(count: int) -> None:
    """The function sees at most `batch_images` at a time; the answers come back in one piece."""
    seen = []

    def double(part: Tensor) -> Tensor:
        seen.append(len(part))
        return part * 2

    joined = in_batches(double, torch.arange(float(count)).requires_grad_(), batch_images=4)
    assert joined.tolist() == [2.0 * index for index in range(count)]
    assert sum(seen) == count
    assert max(seen) <= 4
    assert not joined.requires_grad
