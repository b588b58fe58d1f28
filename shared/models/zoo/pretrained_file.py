"""Weights that the user has, in the layout of torchvision's state dicts, into a network of torchvision."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shared.errors import BadInput
from shared.format.files import sha256
from shared.models.networks import Classifier
from shared.models.pretrained.weights import state_dict
from shared.models.zoo.torchvision_rows import ZooClassifier

NAMED = 3
"""How many keys an error names."""

LEGACY = {".mlp.linear_1.": ".mlp.0.", ".mlp.linear_2.": ".mlp.3."}
"""Names in torchvision's published files of vision transformers, and what its layers are called since 0.13."""

WRAPPED = ("state_dict", "model")
"""The keys under which checkpoints of training scripts have the state dict."""

POSITIONS = "encoder.pos_embedding"


@torch.no_grad()
def load_pretrained(network: Classifier, path: Path) -> list[str]:
    """Copy the weights of a file into a network of torchvision; return what was changed on the way, in words.

    The head keeps its fresh weights where the file has another number of classes. For grey images the weights of the
    first convolution are summed over colours (a grey image as three equal colours gives the same sums). Position
    embeddings for another number of patches are interpolated (see `_resized`). Raises BadInput for a file that is no
    state dict, for missing and unexpected names and for other shapes.
    """
    assert isinstance(network, ZooClassifier)  # the options refuse a file for other networks
    given = read_weights(path)
    prefix, said = network.prefix, []
    wanted = {_name(network, key): tensor for key, tensor in network.state_dict().items()}
    _check_names(path, given, wanted)
    heads = {key for key in wanted if key.startswith(f"{prefix}.")}
    weight = f"{prefix}.weight"
    if given[weight].shape[1:] == wanted[weight].shape[1:] and len(given[weight]) != len(wanted[weight]):
        said.append(f"its head of {len(given[weight])} classes is replaced by a fresh one of {len(wanted[weight])}")
        given |= {key: wanted[key] for key in heads}
    first = f"{network.first}.weight"
    if wanted[first].shape[1] == 1 and given[first].dim() == 4 and given[first].shape[1] == 3:
        said.append("its first convolution is summed over colours, for grey images")
        given[first] = given[first].sum(dim=1, keepdim=True)
    if POSITIONS in wanted and given[POSITIONS].dim() == 3 and given[POSITIONS].shape != wanted[POSITIONS].shape:
        said.append(f"its {given[POSITIONS].shape[1] - 1} position embeddings are interpolated")
        given[POSITIONS] = _resized(given[POSITIONS], wanted[POSITIONS].shape[1], path)
    _check_shapes(path, given, wanted)
    for key, tensor in wanted.items():
        if key in given:  # in place: what the network has, but for counts of batches that old files lack
            tensor.copy_(given[key])
    return [f"{path} (sha256 {sha256(path.read_bytes())[:12]}...): {line}" for line in said or ["all its weights fit"]]


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a state dict in a .safetensors file or a pickled one, by torchvision's names of today."""
    import safetensors.torch

    try:
        safe = path.suffix == ".safetensors"
        tensors: Any = safetensors.torch.load_file(path) if safe else state_dict(path)
    except Exception as error:  # torch and safetensors raise many kinds for a file that is none
        first = " ".join(str(error).split())[:80]
        raise BadInput(
            f"--pretrained {path}: not a state dict that can be read safely ({first}...)\n"
            "want one of torchvision's layout, saved by torch.save(network.state_dict(), FILE), or as .safetensors"
        ) from error
    for key in WRAPPED:
        if isinstance(tensors, Mapping) and isinstance(tensors.get(key), Mapping):
            tensors = tensors[key]
    if not isinstance(tensors, Mapping) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise BadInput(f"--pretrained {path}: holds a {type(tensors).__name__}, want a state dict: tensors by name")
    return {_modern(str(key)): value for key, value in tensors.items()}


def _modern(key: str) -> str:
    key = key.removeprefix("module.")  # as saved from a network in DataParallel
    for old, new in LEGACY.items():
        key = key.replace(old, new)
    return key


def _name(network: ZooClassifier, key: str) -> str:
    """Return torchvision's name of a weight of ours."""
    part, _, rest = key.partition(".")
    return f"{network.prefix}.{rest}" if part == "head" else rest


def _check_names(path: Path, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    # files from before torch 0.4.1 count no batches, and no count is needed
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in wanted]
    parts = [f"{word} {_few(keys)}" for word, keys in (("missing", missing), ("unexpected", unexpected)) if keys]
    if parts:
        raise BadInput(
            f"--pretrained {path}: not the weights of this network: {'; '.join(parts)}\n"
            "want the file of the same network of torchvision"
        )


def _check_shapes(path: Path, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    other = [
        f"{key} is {tuple(given[key].shape)}, want {tuple(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in given and given[key].shape != tensor.shape
    ]
    if other:
        raise BadInput(f"--pretrained {path}: weights of other shapes: {_few(other)}")


def _few(items: list[str]) -> str:
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return ", ".join(items[:NAMED]) + more


def _resized(positions: Tensor, wanted: int, path: Path) -> Tensor:
    """Return position embeddings (1, 1 + patches, d) for another number of patches, the class token's unchanged.

    The grid of patches is interpolated bicubically, with corners aligned, as
    `torchvision.models.vision_transformer.interpolate_embeddings` does (Dosovitskiy et al. 2021, section 3.2).
    """
    token, grid = positions[:, :1], positions[:, 1:]
    old, new = (round((count - 1) ** 0.5) for count in (positions.shape[1], wanted))
    if old**2 != grid.shape[1]:
        raise BadInput(f"--pretrained {path}: {grid.shape[1]} position embeddings are no square of patches")
    planes = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2).float()
    larger = torch.nn.functional.interpolate(planes, size=(new, new), mode="bicubic", align_corners=True)
    return torch.cat([token.float(), larger.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
