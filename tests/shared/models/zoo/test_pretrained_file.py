"""Weights from a file: what a network says with them, what is changed on the way, what is refused."""

import pickle
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.vision_transformer import interpolate_embeddings
from torchvision.transforms.v2.functional import normalize

from shared.errors import BadConfig, BadInput
from shared.models.classifiers import build_classifier, spec_of
from shared.models.fit_options import PRETRAINABLE, FitConfig
from shared.models.fitting import fit
from shared.models.networks import Classifier
from shared.models.zoo.pretrained_file import load_pretrained
from tests.shared.models.fits import shades

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
"""As torchvision's documentation says of each of its files."""

ROWS = [pytest.param(name, marks=pytest.mark.slow if name == "vit_b_16" else ()) for name in PRETRAINABLE]


@cache
def theirs(name: str, classes: int = 5, size_px: int = 64) -> Any:
    """Return torchvision's network with random weights, a head of random ones too, and used batch norms; read only."""
    torch.manual_seed(1)
    size = {"image_size": size_px} if name == "vit_b_16" else {}
    network = models.get_model(name, weights=None, num_classes=classes, **size)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1  # what one batch gives
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.05)
    with torch.no_grad():
        network.train()(torch.randn(8, 3, size_px, size_px))
    return network.eval()


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    """Keep torchvision's networks for the tests of this file alone: the largest takes a second to draw, and 350 MB."""
    yield
    theirs.cache_clear()


def ours(name: str, path: Path, *, channels: int = 3, classes: int = 5, size_px: int = 64) -> tuple[Any, list[str]]:
    """Return the classifier that begins with the weights of a file, and what is said of it."""
    config = FitConfig(network=name, pretrained=str(path))
    torch.manual_seed(2)
    network = build_classifier(spec_of(config, size_px=size_px, channels=channels, classes=classes)).eval()
    return network, load_pretrained(network, path)


def save(folder: Path, tensors: Mapping[str, object], name: str = "weights.pth") -> Path:
    """Write a state dict as torchvision publishes it."""
    torch.save(dict(tensors), folder / name)
    return folder / name


def images(channels: int = 3) -> Tensor:
    """Return four images in [-1, 1]."""
    return torch.rand(4, channels, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def close(found: Tensor, wanted: Tensor) -> bool:
    """Whether logits are the same but for rounding."""
    return bool((found - wanted).abs().max() < 1e-3 * wanted.abs().max())


@pytest.mark.parametrize("name", ROWS)
def test_a_network_says_what_torchvisions_does(name: str, tmp_path: Path) -> None:
    """With the weights of its file, on images normalised as torchvision's documentation says."""
    network = theirs(name)
    found, said = ours(name, save(tmp_path, network.state_dict()))
    wanted = network(normalize((images() + 1) / 2, MEAN, STD))
    assert close(found(images()), wanted)
    assert said[0].endswith("all its weights fit")
    assert not close(network(images()), wanted)


@pytest.mark.parametrize("suffix", ["safetensors", "pt", "wrapped", "parallel"])
def test_a_file_of_any_kind_gives_the_same_weights(suffix: str, tmp_path: Path) -> None:
    """As .safetensors, under another suffix, inside a checkpoint of a training script, from DataParallel."""
    tensors = theirs("mobilenet_v3_small").state_dict()
    path = tmp_path / f"weights.{suffix}"
    if suffix == "safetensors":
        safetensors.torch.save_file(tensors, path)
    elif suffix == "wrapped":
        torch.save({"epoch": 3, "state_dict": tensors}, path)
    else:
        torch.save({f"module.{key}" if suffix == "parallel" else key: value for key, value in tensors.items()}, path)
    found, _ = ours("mobilenet_v3_small", path)
    wanted, _ = ours("mobilenet_v3_small", save(tmp_path, tensors))
    assert torch.equal(found(images()), wanted(images()))


@pytest.mark.parametrize("name", ROWS)
def test_another_number_of_classes_replaces_the_head(name: str, tmp_path: Path) -> None:
    """All but the head is the file's, the head is the fresh one, and that is said."""
    network = theirs(name, classes=5)
    path = save(tmp_path, network.state_dict())
    found, said = ours(name, path, classes=3)
    config = FitConfig(network=name, pretrained=str(path))
    torch.manual_seed(2)
    fresh = build_classifier(spec_of(config, size_px=64, channels=3, classes=3))
    assert torch.equal(found.head.weight, fresh.head.weight)
    assert torch.equal(found.head.bias, fresh.head.bias)
    same, _ = ours(name, path, classes=5)
    assert torch.equal(found.features(images()), same.features(images()))
    assert any("its head of 5 classes is replaced by a fresh one of 3" in line for line in said)
    assert path.name in said[0]


@pytest.mark.parametrize("name", ROWS)
def test_grey_images_give_what_equal_colours_give(name: str, tmp_path: Path) -> None:
    """The first convolution is summed over colours: the same as three equal colours, normalised by the means."""
    network = theirs(name)
    found, said = ours(name, save(tmp_path, network.state_dict()), channels=1)
    grey = images(channels=1)
    equal = ((grey + 1) / 2 - sum(MEAN) / 3) / (sum(STD) / 3)
    assert close(found(grey), network(equal.expand(-1, 3, -1, -1)))
    assert any("its first convolution is summed over colours" in line for line in said)


@pytest.mark.slow
def test_position_embeddings_are_interpolated_as_torchvision_does(tmp_path: Path) -> None:
    """Weights of a ViT for 224 px in one for 64 px."""
    tensors = theirs("vit_b_16", size_px=224).state_dict()
    tensors["encoder.pos_embedding"] = torch.randn_like(tensors["encoder.pos_embedding"])
    wanted = interpolate_embeddings(64, 16, tensors.copy())["encoder.pos_embedding"]
    found, said = ours("vit_b_16", save(tmp_path, tensors))
    assert torch.allclose(found.body.encoder.pos_embedding, wanted, atol=1e-5)
    assert any("its 196 position embeddings are interpolated" in line for line in said)


@pytest.mark.slow
def test_names_of_published_vision_transformers_are_known(tmp_path: Path) -> None:
    """Torchvision's file calls the layers of the MLP linear_1 and linear_2; its own class renames them, as we do."""
    network = theirs("vit_b_16")
    old = {
        key.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): value
        for key, value in network.state_dict().items()
    }
    assert old.keys() != network.state_dict().keys()
    found, _ = ours("vit_b_16", save(tmp_path, old))
    assert close(found(images()), network(normalize((images() + 1) / 2, MEAN, STD)))


def test_files_that_count_no_batches_are_read(tmp_path: Path) -> None:
    """As those from before torch 0.4.1."""
    tensors = {key: value for key, value in theirs("resnet18").state_dict().items() if "num_batches" not in key}
    assert ours("resnet18", save(tmp_path, tensors))[1][0].endswith("all its weights fit")


def changed(tensors: dict[str, Any], what: str) -> object:
    """Return what a file might hold in place of a ResNet-18."""
    if what == "missing":
        return {key: value for key, value in tensors.items() if not key.startswith("layer4")}
    if what == "unexpected":
        return tensors | {"extra.weight": torch.ones(1)}
    if what == "shape":
        return tensors | {"layer1.0.conv1.weight": torch.ones(64, 64, 5, 5)}
    return {"no tensors": {"weights": [1.0]}, "no names": list(tensors.values()), "a network": theirs("resnet18")}[what]


REFUSED = {
    "missing": r"not the weights of this network: missing layer4.0.conv1.weight, layer4.0.bn1.weight, "
    r"layer4.0.bn1.bias and 22 more",
    "unexpected": "unexpected extra.weight\n",
    "shape": r"weights of other shapes: layer1.0.conv1.weight is \(64, 64, 5, 5\), want \(64, 64, 3, 3\)",
    "no tensors": "holds a dict, want a state dict: tensors by name",
    "no names": "holds a list, want a state dict: tensors by name",
    "a network": "not a state dict that can be read safely",
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_does_not_fit_is_refused(what: str, tmp_path: Path) -> None:
    """The first of what is missing, unexpected or of another shape is named."""
    torch.save(changed(theirs("resnet18").state_dict(), what), tmp_path / "weights.pth")
    with pytest.raises(BadInput, match=REFUSED[what]) as caught:
        ours("resnet18", tmp_path / "weights.pth")
    lines = str(caught.value).splitlines()
    assert str(tmp_path / "weights.pth") in lines[0]
    assert len(lines) <= 3
    assert all(len(line) <= 200 + len(str(tmp_path)) for line in lines)


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", ["pth", "pt", "safetensors"])
def test_nothing_in_a_file_is_run(suffix: str, tmp_path: Path) -> None:
    """A pickle that would run code is refused before it does."""
    path, trace = tmp_path / f"weights.{suffix}", tmp_path / "ran"
    torch.save({"fc.weight": Evil(trace)}, path)
    with pytest.raises(BadInput, match="not a state dict that can be read safely"):
        ours("resnet18", path)
    path.write_bytes(pickle.dumps(Evil(trace)))
    with pytest.raises(BadInput, match="not a state dict that can be read safely"):
        ours("resnet18", path)
    assert not trace.exists()


def test_a_fit_begins_with_the_weights(tmp_path: Path) -> None:
    """With a learning rate of nearly 0 a fit ends with the file's convolutions, and not without the file."""
    tensors = theirs("mobilenet_v3_small").state_dict()
    path = str(save(tmp_path, tensors))
    config = FitConfig(
        network="mobilenet_v3_small", pretrained=path, steps=1, measure_every=1, batch_images=4, learning_rate=1e-12
    )

    def fitted(config: FitConfig) -> Classifier:
        return fit(shades(12), shades(6), 3, config, seed=0, device=torch.device("cpu")).network

    key = "features.4.block.0.0.weight"
    assert torch.allclose(fitted(config).state_dict()[f"body.{key}"], tensors[key], atol=1e-6)
    other = FitConfig(network="mobilenet_v3_small", steps=1, measure_every=1, batch_images=4, learning_rate=1e-12)
    assert not torch.allclose(fitted(other).state_dict()[f"body.{key}"], tensors[key], atol=1e-3)


@pytest.mark.parametrize(
    ("network", "why"), [("small_cnn", "it has no such weights"), ("mine:build", "your own function loads")]
)
def test_other_networks_take_no_file(network: str, why: str) -> None:
    """The advice names those that do."""
    with pytest.raises(BadConfig, match=rf"--pretrained w.pth: not with --network {network}: {why}.*\n.*resnet18"):
        FitConfig(network=network, pretrained="w.pth")
