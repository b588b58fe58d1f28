"""Inception features of 32 images at 299 px with made weights, which all tools load; the same features everywhere."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.bench.row import Row, Work

COUNT = 32


@dataclass(frozen=True)
class Made:
    """A folder of weights in both published formats, and uint8 images that need no resizing."""

    folder: Path
    images: Tensor


def _prepare(folder: Path) -> Made:
    from shared.format.files import sha256
    from shared.models.pretrained.weights import UNPUBLISHED
    from tests.shared.models.inception import make_weights, publish

    state = make_weights(folder)
    path = publish(state, folder)
    os.environ[UNPUBLISHED] = sha256(path.read_bytes())
    chance = torch.Generator().manual_seed(0)
    small = torch.rand(COUNT, 3, 16, 16, generator=chance)
    images = torch.nn.functional.interpolate(small, size=299, mode="bilinear").mul(255).round().to(torch.uint8)
    return Made(folder, images)


def _ours(made: Made) -> Work:
    from shared.models.extractors import _inception
    from shared.models.inference import in_batches

    network = _inception(made.folder, torch.device("cpu"))
    return lambda: in_batches(lambda part: network.extract(part.float())[0], made.images, network.batch_images)


def _in_batches(network: Any, images: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(part) for part in images.split(32)])


def _clean_fid(made: Made) -> Work:
    from cleanfid.inception_torchscript import InceptionV3W

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = InceptionV3W(str(made.folder), download=False, resize_inside=False).eval()
    return lambda: _in_batches(lambda part: network(part.float()), made.images)


def _torch_fidelity(made: Made) -> Work:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = str(made.folder / "weights.pth")
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=path)
    network.eval()
    return lambda: _in_batches(lambda part: network(part)[0], made.images)


def _torchmetrics(made: Made) -> Work:
    from torchmetrics.image.fid import FrechetInceptionDistance

    path = str(made.folder / "weights.pth")
    network = FrechetInceptionDistance(feature=2048, feature_extractor_weights_path=path).inception.eval()
    return lambda: _in_batches(network, made.images)


def _pytorch_fid(made: Made) -> Work:
    """Return pytorch-fid with its own network, of the same weights, on pixels scaled as FID does."""
    from pytorch_fid import inception

    state = torch.load(made.folder / "weights.pth", weights_only=True)
    original = inception.load_state_dict_from_url
    inception.load_state_dict_from_url = lambda *_, **__: state
    try:
        network = inception.InceptionV3([3], resize_input=False).eval()
    finally:
        inception.load_state_dict_from_url = original
    return lambda: _in_batches(lambda part: network(part.float() / 256)[0].flatten(1), made.images)


def _close(ours: Tensor, theirs: Tensor) -> None:
    error = float((ours - theirs).abs().max() / theirs.abs().max())
    assert error < 1e-4, error


ROWS = {
    "inception": Row(
        "Inception features, 299 px, no resizing",
        COUNT,
        "images",
        _prepare,
        _ours,
        {
            "clean-fid": _clean_fid,
            "torch-fidelity": _torch_fidelity,
            "torchmetrics": _torchmetrics,
            "pytorch-fid": _pytorch_fid,
        },
        _close,
    ),
}
