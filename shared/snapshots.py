"""Snapshots of a generator: find one in a `gan` artifact, load it, draw images from it."""

from typing import Any

import torch
from torch import Tensor

from shared.artifacts import Artifact
from shared.chance import generator as chance
from shared.checkpoints import load
from shared.loading import to_uint8
from shared.networks.classifiers import in_batches
from shared.networks.generators import build_generator

GRID_SEED = 20_240_229
"""Seeds the latents of every sample grid, so that grids of different epochs and runs compare."""


def snapshot_name(epoch: int) -> str:
    """Return the file name of the snapshot after `epoch` epochs."""
    return f"snapshots/epoch-{epoch:05d}.safetensors"


def load_snapshot(gan: Artifact, name: str, device: torch.device) -> Any:
    """Return the averaged generator in file `name` of a `gan` artifact, ready to sample."""
    tensors, facts = load(gan.read(name), str(gan.folder / name))
    network = build_generator(facts["spec"])
    network.load_state_dict(tensors)
    return network.to(device).eval()


def latents_of(seeds: list[int], latent: int) -> Tensor:
    """Return latents (N, latent) from N(0, 1), each from a seed of its own, so that each image can be drawn alone."""
    return torch.stack([torch.randn(latent, generator=chance(seed)) for seed in seeds])


def draw_images(network: Any, latents: Tensor, labels: Tensor) -> Tensor:
    """Return uint8 images (N, channels, size, size) on the CPU, as they would be stored."""
    device = next(network.parameters()).device
    rows = torch.arange(len(labels))
    return in_batches(
        lambda part: to_uint8(network(latents[part].to(device), labels[part].to(device))).cpu(), rows, batch_images=256
    )


def grid_images(network: Any, classes: int, latent: int, per_class: int = 10) -> Tensor:
    """Return the sample grid: `per_class` images of each class in class order, from latents that never change."""
    labels = torch.arange(classes).repeat_interleave(per_class)
    seeds = [GRID_SEED + index for index in range(len(labels))]
    return draw_images(network, latents_of(seeds, latent), labels)


def labels_like(class_counts: list[int], total: int) -> Tensor:
    """Return `total` labels in the proportions of `class_counts` (largest remainder), spread evenly."""
    quotas = torch.tensor(class_counts, dtype=torch.float64) * total / sum(class_counts)
    counts = quotas.floor().long()
    missing = total - int(counts.sum())
    counts[(quotas - counts).argsort(descending=True, stable=True)[:missing]] += 1
    places = torch.cat([(torch.arange(int(count)) + 0.5) / count for count in counts.tolist() if count])
    labels = torch.arange(len(class_counts)).repeat_interleave(counts)
    return labels[places.argsort(stable=True)]
