"""An Inception of the right architecture with generated weights, in the published file's format, and its twins."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

NAME = "inception-2015-12-05.pt"


class Published(nn.Module):
    """What NVIDIA's TorchScript file holds: `layers` from pixels to pooled features, `output` to 1,008 classes."""

    def __init__(self, layers: nn.Sequential, output: nn.Linear) -> None:
        super().__init__()
        self.layers, self.output = layers, output

    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        """Return features (N, 2048) or probabilities of images 0..255 of any size."""
        grown = nn.functional.interpolate(images, size=(299, 299), mode="bilinear", align_corners=False)
        features = self.layers((grown - 128) / 128).flatten(1)
        return features if return_features else self.output(features).softmax(dim=1)


def make_weights(folder: Path) -> Path:
    """Write a state dict as torch-fidelity and pytorch-fid read it, from a fixed seed; the activations stay finite."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    captured: dict[str, Any] = {}

    def capture(network: nn.Module, state: Any) -> None:
        captured["state"] = network.state_dict()

    path = folder / "weights.pth"
    torch.save({}, path)
    original = FeatureExtractorInceptionV3.load_state_dict
    FeatureExtractorInceptionV3.load_state_dict = capture
    try:
        torch.manual_seed(0)
        FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path))
    finally:
        FeatureExtractorInceptionV3.load_state_dict = original
    state = captured["state"]
    chance = torch.Generator().manual_seed(1)
    for name, value in state.items():
        if name.endswith("conv.weight"):
            fan_in = value[0].numel()
            state[name] = torch.randn(value.shape, generator=chance) * (2 / fan_in) ** 0.5
        elif name.endswith("running_mean"):
            state[name] = torch.randn(value.shape, generator=chance) * 0.1
    torch.save(state, path)
    return path


def torch_fidelitys(weights: Path) -> Any:
    """Return torch-fidelity's extractor on these weights."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    return FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights)
    ).eval()


def publish(weights: Path, folder: Path) -> Path:
    """Write the same network as TorchScript, as the published file is, into `folder`."""
    network = torch_fidelitys(weights)
    order = [
        *(
            "Conv2d_1a_3x3",
            "Conv2d_2a_3x3",
            "Conv2d_2b_3x3",
            "MaxPool_1",
            "Conv2d_3b_1x1",
            "Conv2d_4a_3x3",
            "MaxPool_2",
        ),
        *("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
        *("Mixed_7a", "Mixed_7b", "Mixed_7c", "AvgPool"),
    ]
    layers = nn.Sequential(*(getattr(network, name) for name in order))
    published = Published(layers, network.fc).eval().requires_grad_(False)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = {"forward": torch.zeros(1, 3, 299, 299)}
        torch.jit.save(torch.jit.trace_module(published, example, check_trace=False), str(folder / NAME))
    return folder / NAME


def make_small(folder: Path) -> Path:
    """Write a network of a few weights in the same TorchScript layout: 2,048 features in a moment, for whole jobs."""
    torch.manual_seed(0)
    layers = nn.Sequential(nn.AdaptiveAvgPool2d(16), nn.Conv2d(3, 8, 1), nn.ReLU())
    small = Published(layers, nn.Linear(2048, 1008)).eval().requires_grad_(False)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = {"forward": torch.zeros(1, 3, 299, 299)}
        torch.jit.save(torch.jit.trace_module(small, example, check_trace=False), str(folder / "small.pt"))
    return folder / "small.pt"
