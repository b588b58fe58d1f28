"""Whether a classifier can be fitted here, before any work: its shapes, its weights, and the memory of a step."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared.attributes import attributes_in
from shared.errors import BadInput
from shared.models.classifiers import build_classifier, spec_of
from shared.models.fit_options import FitConfig
from shared.models.inference import ADAM_NUMBERS, PROBED, kept_for_gradients
from shared.models.tables import Spec
from shared.models.zoo.own import described, given_network, logits_from
from shared.models.zoo.own_source import is_own
from shared.runtime.memory import check_step_fits


@dataclass(frozen=True)
class Probe:
    """What a step needs: bytes for each image, and for the weights."""

    image_bytes: int
    weight_bytes: int


def check_classifier(config: FitConfig, size_px: int, channels: int, classes: int, device: torch.device) -> list[str]:
    """Try the classifier of `config` on two made-up images; return what is to be said of its weights.

    Raises BadInput for a network of the user's that does not give logits, for a file whose weights do not fit, and for
    batches that would not fit in the memory.
    """
    classes = attributes_in(classes) or classes  # a network has an output for each attribute
    spec = spec_of(config, size_px=size_px, channels=channels, classes=classes)
    own = is_own(config.network)
    # nothing is computed on "meta", so that the largest network can be tried; a user's may need its numbers
    with torch.device("cpu" if own else "meta"):
        images = torch.zeros(PROBED, channels, size_px, size_px)
        if own:
            _check_own(spec, images)
        network = build_classifier(spec)
    probe = _step(config.network, network.train(), images, classes)
    check_step_fits(config.network, config.batch_images, size_px, probe.image_bytes, probe.weight_bytes, device)
    return pretrained_notes(config, spec)


def pretrained_notes(config: FitConfig, spec: Spec) -> list[str]:
    """Return what is to be said of the weights that a fit begins with; BadInput where they do not fit."""
    if not config.pretrained:
        return []
    from shared.models.zoo.pretrained_file import load_pretrained

    return load_pretrained(build_classifier(spec), Path(config.pretrained))


def _check_own(spec: Spec, images: Tensor) -> None:
    """Raise BadInput for a network of the user's that gives no logits while it trains, or that cannot be copied."""
    keywords = cast(dict[str, Any], spec)
    name, network = keywords["name"], given_network(**keywords)
    # not only in evaluation mode, as `own_network` sees to
    logits_from(name, network.train(), images, keywords["classes"])
    try:
        deepcopy(network)  # the best weights are kept in a copy
    except Exception as error:
        raise BadInput(f"--network {name}: copy.deepcopy of the network raised {described(name, error)}") from error


def _step(name: str, network: nn.Module, images: Tensor, classes: int) -> Probe:
    """Take the loss of a step and its gradients, in training mode; return what that needed."""
    with kept_for_gradients(network) as held:
        logits = logits_from(name, network, images, classes) if is_own(name) else network(images)
        loss = F.cross_entropy(logits, torch.zeros(len(images), dtype=torch.int64, device=images.device))
    if not loss.requires_grad:
        raise BadInput(f"--network {name}: its logits depend on no parameter, so there is nothing to train")
    loss.backward()
    numbers = sum(parameter.numel() for parameter in network.parameters())
    # the images themselves too, and the gradient of the largest of what was held
    total = sum(held.values()) + max(held.values(), default=0) + 4 * images.numel()
    return Probe(total // len(images), ADAM_NUMBERS * 4 * numbers)
