"""The user's own network as a classifier: any function that returns an nn.Module from images to logits."""

import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

from shared.errors import BadInput
from shared.format.files import sha256
from shared.models.networks import Classifier
from shared.models.zoo.own_source import source_file
from shared.models.zoo.torchvision_rows import replace_layer

_given: "WeakSet[nn.Module]" = WeakSet()
"""The networks that functions have given so far, as long as they live."""


class OwnClassifier(Classifier):
    """A user's network: `body` gives features, `head` logits.

    Where the network returns what its last linear layer gives, and uses the layer for nothing else, that is the head
    and its input the features; else the logits themselves are the features, and the head passes them on.
    """

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head  # type: ignore[assignment]


def own_network(*, name: str, size_px: int, channels: int, classes: int, source_sha256: str) -> Classifier:
    """Return the network of `given_network` as a classifier; BadInput where it gives no logits."""
    network = given_network(name=name, size_px=size_px, channels=channels, classes=classes, source_sha256=source_sha256)
    return _cut(name, network, torch.zeros(2, channels, size_px, size_px), classes)


def given_network(*, name: str, size_px: int, channels: int, classes: int, source_sha256: str) -> nn.Module:
    """Return what the function `name`, `module:function`, gives when called with classes, channels and size_px.

    Raises BadInput, which names the function, where that is no network with parameters, and where the file is not the
    one with this sha256.
    """
    path = source_file(name)
    digest = sha256(path.read_bytes())
    if digest != source_sha256:
        raise BadInput(
            f"--network {name}: {path} is not the file that the classifier was trained with\n"
            f"its sha256 begins with {digest[:12]}, want {source_sha256[:12]}\n"
            "train it again (halfreal train_classifier), or bring the file back"
        )
    function = _function(name, path)
    words = {"classes": classes, "channels": channels, "size_px": size_px}
    called = f"{name.partition(':')[2]}({', '.join(f'{word}={value}' for word, value in words.items())})"
    try:
        network = function(**words)
    except Exception as error:
        raise BadInput(f"--network {name}: {called} raised {described(name, error)}") from error
    _check_is_network(network, f"--network {name}: {called}")
    return network  # type: ignore[no-any-return]


def logits_from(name: str, network: nn.Module, images: Tensor, classes: int) -> Tensor:
    """Return the logits that a user's network gives; BadInput where it raises or gives something else."""
    said = f"--network {name}: for images {_shape(images)} the network"
    try:
        logits = network(images)
    except Exception as error:
        raise BadInput(f"{said} raised {described(name, error)}") from error
    wanted = (len(images), classes)
    if not isinstance(logits, Tensor) or tuple(logits.shape) != wanted or not logits.is_floating_point():
        got = f"a {logits.dtype} tensor {_shape(logits)}" if isinstance(logits, Tensor) else f"a {_type(logits)}"
        raise BadInput(f"{said} gave {got}, want float logits {wanted}: images, classes")
    return logits


def _function(name: str, path: Path) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        function = getattr(import_module(module), attribute, None)
    except Exception as error:
        raise BadInput(f"--network {name}: importing {path} raised {described(name, error)}") from error
    if not callable(function):
        came = "no" if function is None else f"a {_type(function)} in place of a"
        raise BadInput(f"--network {name}: {path} has {came} function {attribute}")
    return function  # type: ignore[no-any-return]


def _check_is_network(network: object, called: str) -> None:
    if not isinstance(network, nn.Module):
        raise BadInput(f"{called} gave a {_type(network)}, want a torch.nn.Module")
    if network in _given:
        raise BadInput(f"{called} gave the same network as before; want a new one at each call: fits must not share it")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise BadInput(f"{called} gave a network without parameters to train")
    _given.add(network)


@torch.no_grad()
def _cut(name: str, network: nn.Module, images: Tensor, classes: int) -> Classifier:
    """Return the network as body and head."""
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append((layer, inputs[0] if inputs else output, output))

    network.eval()
    # not all zeros, so that a layer that is called twice is told from one that is called once
    images = images + torch.rand(images.shape, generator=torch.Generator().manual_seed(0))
    linear: dict[nn.Module, str] = {
        layer: place for place, layer in network.named_modules() if isinstance(layer, nn.Linear) and place
    }
    hooks = [layer.register_forward_hook(note) for layer in linear]
    logits = logits_from(name, network, images, classes)
    for hook in hooks:
        hook.remove()
    if calls and calls[-1][2] is logits:  # equal numbers are not enough: their gradient may be another
        layer, features, _ = calls[-1]
        replace_layer(network, linear[layer], nn.Identity())
        if _gives(network, images, features):
            return OwnClassifier(network, layer).train()
        replace_layer(network, linear[layer], layer)
    return OwnClassifier(network, nn.Identity()).train()


def _gives(network: nn.Module, images: Tensor, features: Tensor) -> bool:
    """Whether the network without its last layer gives these features, (N, d), for these images."""
    try:
        found = network(images)
    except Exception:  # its forward asks more of the layer than to be called, such as its weights
        return False
    return isinstance(found, Tensor) and found.dim() == 2 and torch.equal(found, features)


def described(name: str, error: Exception) -> str:
    """Return what an exception says, in a line, and the line of the file of `module:function` that it came from."""
    path = source_file(name)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f" ({path}, line {lines[-1]})" if lines else ""
    said = " ".join(str(error).split())
    return f"{_type(error)}: {said[:160]}{'...' if len(said) > 160 else ''}{where}"


def _type(value: object) -> str:
    return type(value).__name__


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
