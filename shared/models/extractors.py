"""Feature extractors: a row of `tables.EXTRACTORS` each. Images go in as they are stored, features come out."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.data.images import to_unit_range
from shared.data.resizing import resized
from shared.format.files import sha256
from shared.models.extractor import BATCH_IMAGES, Extractor
from shared.models.fitting import CLASSIFIER_FILE, load_classifier
from shared.models.inference import batch_for
from shared.models.pretrained.inception import from_state_dict
from shared.models.pretrained.weights import TORCHSCRIPT, FoundWeights, checked
from shared.store.artifacts import Artifact, named

INCEPTION_PX, LITE0_PX = 299, 224


def classifier(inputs: dict[str, Artifact], weights: Path, device: torch.device) -> Extractor:
    """Return the penultimate features of this experiment's own classifier, at its input size.

    They know this domain, which Inception's do not; they compare experiments only where the hash is the same.
    """
    # among the inputs is the first replicate's for all of them, since distances in the features of several networks
    # would not compare; with random splits each replicate's own, since the first one's saw the others' test images
    artifact = named(inputs, "classifier")
    network = load_classifier(artifact, device)
    size_px, resize_filter = network.input_format

    def apply(images: Tensor) -> tuple[Tensor, Tensor]:
        features = network.features(to_unit_range(resized(images, size_px, resize_filter).to(device)))
        return features, network.logits(features).softmax(dim=1)

    same = size_px == named(inputs, "real").dataset.size_px
    resizer = "none" if same else f"Pillow {resize_filter} to {size_px} px"
    return Extractor("classifier", sha256(artifact.read(CLASSIFIER_FILE)), resizer, apply, batch_for(size_px))


def inception_clean(inputs: dict[str, Artifact], weights: Path, device: torch.device) -> Extractor:
    """Return clean-fid's: FID's Inception behind Pillow's antialiased bicubic filter in float (Parmar et al. 2022)."""
    # clean-fid's own resizer, so that numbers compare with published ones to the last digit of the resizing
    from cleanfid.resize import build_resizer

    network = _inception(weights, device)
    resize = build_resizer("clean")

    def bring(images: Tensor) -> Tensor:
        arrays = [resize(image.transpose(1, 2, 0)) for image in _colour(images).numpy()]
        return torch.from_numpy(np.stack(arrays).transpose(0, 3, 1, 2).copy())

    def apply(images: Tensor) -> tuple[Tensor, Tensor]:
        return network.extract(bring(images.cpu()).to(device))

    resizer = "Pillow bicubic to 299 px in float (clean-fid)"
    return _extractor("inception_clean", network, resizer, apply)


def inception_legacy(inputs: dict[str, Artifact], weights: Path, device: torch.device) -> Extractor:
    """Return what TensorFlow's FID uses: the same Inception behind TensorFlow 1's bilinear filter, not antialiased."""
    network = _inception(weights, device)

    def apply(images: Tensor) -> tuple[Tensor, Tensor]:
        return network.extract(tensorflow_bilinear(_colour(images).to(device).float(), INCEPTION_PX))

    resizer = "TensorFlow 1 bilinear to 299 px, not antialiased"
    return _extractor("inception_legacy", network, resizer, apply)


def _extractor(
    name: str, network: "Inception", resizer: str, apply: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Extractor:
    """Return an extractor by FID's Inception, named after the weights rather than after the file that holds them."""
    found = network.weights
    return Extractor(name, found.identity, resizer, apply, network.batch_images, published=found.published)


def efficientnet_lite0(inputs: dict[str, Artifact], weights: Path, device: torch.device) -> Extractor:
    """Return EfficientNet-Lite0's 1,280 pooled features (Tan and Le 2019), trained on ImageNet, at 224 px."""
    import safetensors.torch
    from efficientnet_lite_pytorch import EfficientNet

    found = checked("efficientnet_lite0", weights)
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(safetensors.torch.load(found.path.read_bytes()))
    network = network.to(device).eval()

    def apply(images: Tensor) -> tuple[Tensor, Tensor]:
        # 127 and 128: the normalisation that these weights were trained with
        unit = (resized(_colour(images), LITE0_PX, "bicubic").to(device).float() - 127) / 128
        features = network.extract_features(unit).mean(dim=(2, 3))
        return features, network._fc(features).softmax(dim=1)

    resizer = f"Pillow bicubic to {LITE0_PX} px"
    return Extractor("efficientnet_lite0", found.identity, resizer, apply, published=found.published)


@dataclass(frozen=True)
class Inception:
    """FID's Inception: from scaled pixels to pooled features, and the weights (1008, 2048) of its head."""

    layers: Callable[[Tensor], Tensor]
    head: Tensor
    weights: FoundWeights
    batch_images: int

    def extract(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return pooled features (N, 2048) of float images 0..255 at 299 px, and class probabilities (N, 1008)."""
        # channels last is the layout that a CPU's convolutions are fastest in
        scaled = ((images - 128) / 128).contiguous(memory_format=torch.channels_last)
        features = self.layers(scaled).flatten(1)
        # without the head's bias, which the Inception Score's reference code leaves out: published scores do too
        return features, (features @ self.head.T).softmax(dim=1)


def _inception(weights: Path, device: torch.device) -> Inception:
    """Return FID's Inception from any file that it is published as.

    Its batch normalisations are folded into the convolutions: features differ by 4e-7 of the largest.
    """
    found = checked("inception", weights)
    layers, head = (_from_torchscript if found.layout == TORCHSCRIPT else from_state_dict)(found.path, device)
    # batches of 16 fit a CPU's cache better than those of 64
    return Inception(layers, head, found, 16 if device.type == "cpu" else BATCH_IMAGES)


def _from_torchscript(path: Path, device: torch.device) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Return the layers and the weights of the head of the published TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # deprecated, but TorchScript is what is published
        warnings.simplefilter("ignore", DeprecationWarning)
        network = torch.jit.load(str(path), map_location=device).eval()
        return torch.jit.freeze(network.layers), network.output.weight


def _colour(images: Tensor) -> Tensor:
    """Return images with three channels: grey ones three times."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def tensorflow_bilinear(images: Tensor, size_px: int) -> Tensor:
    """Return float images (N, C, S, S) at (N, C, size_px, size_px), as TensorFlow 1's resize_bilinear does.

    Pixel i of the result lies at i * S / size_px: corners of pixels, not their centres, and nothing is antialiased.
    """
    side = images.shape[-1]
    places = torch.arange(size_px, device=images.device, dtype=torch.float32) * (side / size_px)
    low = places.long().clamp(max=side - 1)
    high = (low + 1).clamp(max=side - 1)
    fraction = places - low
    rows = torch.lerp(images[:, :, low], images[:, :, high], fraction[:, None])
    return torch.lerp(rows[:, :, :, low], rows[:, :, :, high], fraction)
