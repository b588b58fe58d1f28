"""Snapshots of a generator: find one in a `gan` artifact, load it, draw images from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from shared.data.images import load_split, to_uint8
from shared.models.gans.build import build_generator
from shared.models.gans.members import GeneratorOfMembers
from shared.models.inference import in_batches
from shared.models.networks import Generator
from shared.runtime.seeding import make_generator
from shared.store.artifacts import Artifact
from shared.store.checkpoints import load
from shared.store.records.base import parse_record
from shared.store.records.gan import GeneratorRecord, SnapshotHeader

GRID_SEED = 20_240_229
"""Seeds the latents of every sample grid, so that grids of different epochs and runs compare."""


GRID_COLUMNS = 10
"""Images of each class in a sample grid."""


def snapshot_name(epoch: int) -> str:
    """Return the file name of the snapshot after `epoch` epochs."""
    return f"snapshots/epoch-{epoch:05d}.safetensors"


class SnapshotFiles(Protocol):
    """Where the files of snapshots are: an artifact, or a folder of unfinished work."""

    @property
    def folder(self) -> Path:
        """The folder that names of files are relative to."""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""


@dataclass(frozen=True)
class Unfinished:
    """Files of a GAN that is no artifact yet, so that no hash is known."""

    folder: Path

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return (self.folder / name).read_bytes()


def load_snapshot(gan: SnapshotFiles, name: str, device: torch.device) -> Generator:
    """Return the averaged generator in file `name` of a `gan` artifact, ready to sample.

    A snapshot of several generators holds no weights: it names a snapshot of each of them.
    """
    tensors, stored = load(gan.read(name), str(gan.folder / name))
    header = parse_record(SnapshotHeader, stored, f"{gan.folder / name}: its header")
    network = build_generator(header.spec)
    if header.members is not None and isinstance(network, GeneratorOfMembers):
        for member, file in zip(network.members, header.members, strict=True):
            member.load_state_dict(load(gan.read(file), str(gan.folder / file))[0])
    else:
        network.load_state_dict(tensors)
    # channels last on a CPU too: without a backward it is the better layout there, see `devices.layout`
    return network.to(device).to(memory_format=torch.channels_last).eval()


def latents_of(seeds: list[int], latent: int, truncation: float | None = None) -> Tensor:
    """Return latents (N, latent) from N(0, 1), each from a seed of its own.

    With `truncation` they come from N(0, 1) cut off there; see `truncated`.
    """
    # a seed each, not one for all: any single image can be drawn again, in any batch and by any process
    drawn = torch.stack([torch.randn(latent, generator=make_generator(seed)) for seed in seeds])
    return drawn if truncation is None else truncated(drawn, truncation)


def truncated(latents: Tensor, limit: float) -> Tensor:
    """Return latents from N(0, 1) as latents from N(0, 1) given that |z| <= `limit`, which is above 0.

    BigGAN's truncation trick (Brock et al. 2019, section 3.1): a lower limit gives more typical and less diverse
    images. They draw again what falls outside; here each number moves to its quantile of the truncated
    distribution, Phi^-1(Phi(-limit) + Phi(z) (Phi(limit) - Phi(-limit))), which is distributed alike, and a seed keeps
    its image, more or less, as the limit falls.
    """
    # float64: in float32 Phi(z) is 1 for z above 5.4, and its inverse infinite
    tail = torch.special.ndtr(torch.tensor(-limit, dtype=torch.float64))
    place = tail + torch.special.ndtr(latents.double()) * (1 - 2 * tail)
    moved: Tensor = torch.special.ndtri(place)
    return moved.clamp(-limit, limit).to(latents.dtype)


def draw_images(network: Generator, latents: Tensor, labels: Tensor) -> Tensor:
    """Return uint8 images (N, channels, size, size) on the CPU, as they would be stored."""
    device = next(network.parameters()).device

    def draw(part: Tensor) -> Tensor:
        return to_uint8(network(latents[part].to(device), labels[part].to(device))).cpu()

    # small batches on a CPU, so that a layer's output stays in its cache
    return in_batches(draw, torch.arange(len(labels)), batch_images=64 if device.type == "cpu" else 256).contiguous()


def grid_images(network: Generator, labels: Sequence[int], latent: int, per_class: int = GRID_COLUMNS) -> Tensor:
    """Return the sample grid: `per_class` images of each class in `labels`, from latents that never change.

    A class has the same latents whichever others are drawn.
    """
    places = [label * per_class + column for label in labels for column in range(per_class)]
    latents = latents_of([GRID_SEED + place for place in places], latent)
    return draw_images(network, latents, torch.tensor([place // per_class for place in places]))


def real_next_to_generated(
    real: Artifact, gan: Artifact[GeneratorRecord], name: str, labels: Sequence[int], per_class: int = 5
) -> Tensor:
    """Return a row for each class in `labels`: `per_class` real test images, a blank, as many by snapshot `name`."""
    held_out = load_split(real, "test")
    network = load_snapshot(gan, name, torch.device("cpu"))
    generated = grid_images(network, labels, gan.record.latent, per_class)
    own = [held_out.first_of(label, per_class) for label in labels]
    return side_by_side(own, generated.split(per_class))


def side_by_side(left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
    """Return rows of images: those of `left`, a blank, those of `right`; both sides are white up to the longest one."""
    width = max(len(images) for images in (*left, *right))

    def white(count: int) -> Tensor:
        return torch.full((count, *right[0].shape[1:]), 255, dtype=right[0].dtype)

    rows = []
    for first, second in zip(left, right, strict=True):
        rows += [first, white(width - len(first) + 1), second, white(width - len(second))]
    return torch.cat(rows)
