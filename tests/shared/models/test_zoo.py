"""Classifiers from torchvision: its numbers, its parameters, and the whole way from a fit to features."""

import pytest
import torch
from torchvision import models

from shared.data.images import Images, to_unit_range
from shared.errors import BadConfig
from shared.models.classifiers import build_classifier, parameter_count, spec_of
from shared.models.fit_options import FitConfig
from shared.models.fitting import classifier_spec, features_of, fit, logits_of, probabilities_of
from shared.models.sizes import LEAST_PX
from shared.models.tables import CLASSIFIERS, WITH_WIDTH
from tests.shared.models.fits import same_weights, shades

ZOO = {
    "resnet18": 512,
    "mobilenet_v3_small": 1024,
    "efficientnet_b0": 1280,
    "convnext_tiny": 768,
    "vit_b_16": 768,
}
"""The networks of torchvision, and how many features each has."""


ROWS = [pytest.param(name, marks=pytest.mark.long if name == "vit_b_16" else ()) for name in ZOO]


def test_every_other_network_takes_a_width() -> None:
    """The networks are those of torchvision and those that take a width."""
    assert {*ZOO, *WITH_WIDTH} == {*CLASSIFIERS}


PARAMETERS = {
    "resnet18": 11_689_512,
    "mobilenet_v3_small": 2_542_856,
    "efficientnet_b0": 5_288_548,
    "convnext_tiny": 28_589_128,
    "vit_b_16": 86_567_656,
}
"""As torchvision's documentation lists them, for 1,000 classes and images of 224 px in colour."""


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters_are_those_that_torchvision_publishes(name: str, parameters: int) -> None:
    """With 1,000 classes and colour there are as many parameters as torchvision's documentation says."""
    spec = {"name": name, "size_px": 224, "channels": 3, "classes": 1000}
    with torch.device("meta"):  # counted, not drawn
        assert parameter_count(build_classifier(spec)) == parameters


@pytest.mark.parametrize("name", ZOO)
def test_logits_are_torchvisions(name: str) -> None:
    """With the same weights a network says what torchvision's own does, to the last bit."""
    torch.manual_seed(0)
    size = {"image_size": 64} if name == "vit_b_16" else {}
    theirs = models.get_model(name, weights=None, num_classes=5, **size).to(memory_format=torch.channels_last).eval()
    torch.manual_seed(0)
    ours = build_classifier({"name": name, "size_px": 64, "channels": 3, "classes": 5}).eval()
    images = torch.rand(4, 3, 64, 64) * 2 - 1
    assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize(("name", "features"), ZOO.items())
@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_those_before_the_head(name: str, features: int, channels: int) -> None:
    """A grey image has one channel in the first convolution; features are what the head's linear map sees."""
    network = build_classifier({"name": name, "size_px": 32, "channels": channels, "classes": 5}).eval()
    first = next(layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))
    assert first.in_channels == channels
    pixels = torch.randint(0, 256, (6, channels, 32, 32), dtype=torch.uint8)
    found = torch.from_numpy(features_of(network, pixels))
    assert found.shape == (6, features)
    assert torch.allclose(network.head(found), logits_of(network, pixels), atol=1e-5)
    seen: list[torch.Tensor] = []
    network.head.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(to_unit_range(pixels))
    assert torch.allclose(seen[0], found, atol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_a_fit_learns_and_is_repeatable(name: str) -> None:
    """A network of torchvision learns, the same twice, dropout and stochastic depth included."""
    config = FitConfig(network=name, steps=12, measure_every=6, batch_images=12)
    size_px = LEAST_PX.get(name, 16)
    train, val = shades(24, size_px=size_px), shades(12, seed=1, size_px=size_px)
    fits = [fit(train, val, 3, config, seed=4, device=torch.device("cpu")) for _ in range(2)]
    assert same_weights(fits[0].network, fits[1].network)
    assert fits[0].curve[-1].train_loss < fits[0].curve[0].train_loss
    assert classifier_spec(train, 3, config).keys() == {"name", "size_px", "channels", "classes"}
    assert probabilities_of(fits[0].network, val.images).sum(dim=1).allclose(torch.ones(len(val)))


@pytest.mark.parametrize(("channels", "classes"), [(1, 2), (3, 7)])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_network_takes_a_step(name: str, channels: int, classes: int) -> None:
    """At 32 px, grey and in colour, with any number of classes, a network takes a step and answers."""
    config = FitConfig(network=name, steps=1, measure_every=1, batch_images=4)
    chance = torch.Generator().manual_seed(1)
    images = Images(
        torch.randint(0, 256, (8, channels, 32, 32), dtype=torch.uint8, generator=chance), torch.arange(8) % classes
    )
    fitted = fit(images, images, classes, config, seed=0, device=torch.device("cpu"))
    before = build_classifier(spec_of(config, size_px=32, channels=channels, classes=classes))
    assert logits_of(fitted.network, images.images).shape == (8, classes)
    assert [weight.shape for weight in before.parameters()] == [weight.shape for weight in fitted.network.parameters()]
    assert fitted.network.head.weight.shape[0] == classes
    assert fitted.network.head.weight.abs().max() > 0  # vision transformers begin with a head of zeros


@pytest.mark.parametrize("name", ZOO)
def test_a_width_is_refused(name: str) -> None:
    """Networks of torchvision have their own widths: an option that changes nothing is refused."""
    with pytest.raises(BadConfig, match=f"--width 32: the network {name} has its own widths"):
        FitConfig(network=name, width=32)
