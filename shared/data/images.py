"""Images and their labels: views of splits, of which nothing is read before it is asked for."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from shared.data.decoded.residence import decoded
from shared.data.pixels import Pixels, Residence
from shared.data.specs import UNLABELLED
from shared.runtime.devices import send
from shared.runtime.observe.observation import preparing
from shared.store.artifacts import Artifact

Batch = tuple[Tensor, Tensor]
"""Images, uint8 (n, channels, size_px, size_px), and their labels (n,)."""

READERS, AHEAD = 2, 4
"""Threads that decode what is streamed, and the batches that they are ahead of who takes them."""

NO_LABEL = -1
"""The label of an image that has none, or whose label nothing may use."""


class Images:
    """A view of uint8 images (N, channels, size_px, size_px), and their int64 labels (N,), NO_LABEL for none.

    `pixels` is the view. `images` reads all of it into memory, for few images: of a split take blocks or rows.
    """

    def __init__(self, images: Pixels | Tensor, labels: Tensor) -> None:
        self.pixels, self.labels = Pixels.of(images), labels

    @property
    def images(self) -> Tensor:
        """All images, in memory."""
        return self.pixels[:]

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indexes: ArrayLike | Tensor) -> "Images":
        """Return the images at `indexes`, in that order."""
        chosen = torch.as_tensor(np.asarray(indexes), dtype=torch.int64)
        return Images(self.pixels.rows(chosen), self.labels[chosen])

    def first_of(self, label: int, most: int) -> Tensor:
        """Return the first images of a class, `most` at most; no others are read."""
        return self.pixels[(self.labels == label).nonzero()[:most, 0]]

    def taken(self, chosen: ArrayLike | Tensor, device: torch.device) -> Batch:
        """Return the images and the labels at the numbers `chosen`, on `device`."""
        numbers = chosen if isinstance(chosen, Tensor) else torch.from_numpy(np.asarray(chosen))
        return send(self.pixels[numbers], device), self.labels[send(numbers, self.labels.device)]

    def batches_of(self, chosen: Iterable[ArrayLike | Tensor], device: torch.device) -> Iterator[Batch]:
        """Yield what `taken` gives for each of `chosen`; pixels that are streamed are decoded ahead of their time."""
        numbers = iter(chosen)
        if self.pixels.residence != "streamed":
            yield from (self.taken(each, device) for each in numbers)
            return
        with ThreadPoolExecutor(READERS, thread_name_prefix="decoding") as pool:
            waiting = deque(pool.submit(self.taken, each, device) for each in islice(numbers, AHEAD))
            try:
                while waiting:
                    yield waiting.popleft().result()
                    waiting.extend(pool.submit(self.taken, each, device) for each in islice(numbers, 1))
            finally:
                pool.shutdown(cancel_futures=True)

    def __add__(self, other: "Images") -> "Images":
        return Images(self.pixels + other.pixels, torch.cat([self.labels, other.labels]))

    def at(self, size_px: int, resize_filter: str) -> "Images":
        """Return the same images at another size."""
        return Images(self.pixels.at(size_px, resize_filter), self.labels)

    @preparing()
    def to(self, device: torch.device) -> "Images":
        """Return the same images in the memory of `device`, if that has room for them, and their labels in any case."""
        return Images(self.pixels.on(device), self.labels.to(device))


def to_unit_range(images: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 in [-1, 1]: what networks see."""
    return images.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Map [-1, 1] to uint8 0..255 by rounding half to even, values outside clipped: what is stored and scored."""
    # rounded, not truncated: truncation would darken every image by half a level
    return images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def load_split(dataset: Artifact, split: str, residence: Residence | None = None) -> Images:
    """Return a split, in shard order; every shard is checked against the manifest when it is decoded.

    `residence` overrides where the pixels are held. The labels of unlabelled images are NO_LABEL, although their
    samples hold true ones: this is what every job reads.
    """
    pixels, labels = decoded(dataset, split, residence)
    if split == UNLABELLED:
        labels.fill_(NO_LABEL)
    return Images(Pixels([pixels]), labels)


def learned_splits(dataset: Artifact) -> tuple[str, ...]:
    """Return the splits that a generator learns from: train, and the unlabelled images where there are any."""
    return ("train", UNLABELLED) if UNLABELLED in dataset.dataset.splits else ("train",)


def load_learned(dataset: Artifact) -> Images:
    """Read all images that a generator learns from: those of train with their labels, then the unlabelled ones."""
    parts = [load_split(dataset, split) for split in learned_splits(dataset)]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]
