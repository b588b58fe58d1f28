"""A split in memory: uint8 images and their labels."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from shared.data.resizing import resized
from shared.data.specs import UNLABELLED
from shared.errors import FormatError
from shared.format.sample import decode_image, decode_label
from shared.store.artifacts import Artifact

NO_LABEL = -1
"""The label of an image that has none, or whose label nothing may use."""


@dataclass(frozen=True)
class Images:
    """A split in memory: uint8 (N, channels, size_px, size_px) and int64 labels (N,), NO_LABEL where there is none."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indexes: ArrayLike | Tensor) -> "Images":
        """Return the images at `indexes`, in that order."""
        chosen = torch.as_tensor(np.asarray(indexes), dtype=torch.int64)
        return Images(self.images[chosen], self.labels[chosen])

    def __add__(self, other: "Images") -> "Images":
        return Images(torch.cat([self.images, other.images]), torch.cat([self.labels, other.labels]))

    def at(self, size_px: int, resize_filter: str) -> "Images":
        """Return the same images at another size."""
        return Images(resized(self.images, size_px, resize_filter), self.labels)

    def to(self, device: torch.device) -> "Images":
        """Return the same images on `device`."""
        return Images(self.images.to(device), self.labels.to(device))


def to_unit_range(images: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 in [-1, 1]: what networks see."""
    return images.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Map [-1, 1] to uint8 0..255 by rounding half to even, values outside clipped: what is stored and scored."""
    # rounded, not truncated: truncation would darken every image by half a level
    return images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def load_split(dataset: Artifact, split: str) -> Images:
    """Read a whole split into memory, in shard order, every shard checked against the manifest.

    The labels of unlabelled images are NO_LABEL, although their samples hold true ones: this is what every job reads.
    """
    info = dataset.dataset
    total = info.splits[split].count if split in info.splits else 0
    # uint8, since floats would take four times the memory; filled in place, since a list would need it twice
    images = np.empty((total, info.channels, info.size_px, info.size_px), np.uint8)
    labels = np.empty(total, np.int64)
    for index, (key, members) in enumerate(dataset.members(split)):
        images[index], labels[index] = checked_sample(dataset, key, members)
    if split == UNLABELLED:
        labels.fill(NO_LABEL)
    return Images(torch.from_numpy(images), torch.from_numpy(labels))


def learned_splits(dataset: Artifact) -> tuple[str, ...]:
    """Return the splits that a generator learns from: train, and the unlabelled images where there are any."""
    return ("train", UNLABELLED) if UNLABELLED in dataset.dataset.splits else ("train",)


def load_learned(dataset: Artifact) -> Images:
    """Read all images that a generator learns from: those of train with their labels, then the unlabelled ones."""
    parts = [load_split(dataset, split) for split in learned_splits(dataset)]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def checked_sample(dataset: Artifact, key: str, members: dict[str, bytes]) -> tuple[NDArray[np.uint8], int]:
    """Return image and label of a sample, as `_checked_image` and `checked_label`."""
    info, where = dataset.dataset, f"{dataset.folder}: sample {key!r}"
    with dataset.remedy():
        image = _checked_image(members, info.size_px, info.channels, where)
        return image, checked_label(members, len(info.classes), where)


def _checked_image(members: dict[str, bytes], size_px: int, channels: int, where: str) -> NDArray[np.uint8]:
    """Return uint8 (channels, size_px, size_px), a view; FormatError if the image is not as the manifest says."""
    try:
        image = decode_image(members["png"])
    except (KeyError, ValueError, OSError) as error:
        raise FormatError(f"{where}: no image can be decoded ({error})") from error
    if image.shape != (size_px, size_px, channels):
        raise FormatError(f"{where}: image is {image.shape}, the manifest says {(size_px, size_px, channels)}")
    return image.transpose(2, 0, 1)


def checked_label(members: dict[str, bytes], class_count: int, where: str) -> int:
    """Return the label of a sample; FormatError unless it is an index of one of `class_count` classes."""
    try:
        label = decode_label(members["cls"])
    except (KeyError, ValueError) as error:
        raise FormatError(f"{where}: no label can be read ({error})") from error
    if label >= class_count:
        raise FormatError(f"{where}: label {label}, but the manifest knows classes 0..{class_count - 1}")
    return label
