"""Shards to batches: resident uint8 images where they fit, a webdataset stream where they do not.

Both give the same thing, an endless sequence of epochs in which every sample comes exactly once, for any number
of processes; only the order differs. The order of an epoch depends on (seed, epoch) alone, so a resumed run reads
on where the stopped one was.
"""

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import count, islice
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shared.data.images import NO_LABEL, Images, checked_label, checked_sample, load_split
from shared.data.specs import UNLABELLED
from shared.errors import FormatError
from shared.runtime.devices import send
from shared.runtime.memory import allowed_bytes
from shared.runtime.seeding import derive_seed, make_generator
from shared.store.artifacts import Artifact

SHUFFLE_IMAGES = 8192
"""Samples in the shuffle buffer of a stream."""


def fits_in_memory(dataset: Artifact, *splits: str) -> bool:
    """Whether the uint8 images of the splits take at most half of this machine's memory."""
    info = dataset.dataset
    total = sum(shard.count for split in splits for _, shard in dataset.shards(split))
    # uint8, as `load_split` holds them
    size_bytes = total * info.channels * info.size_px**2
    # bytes, since images stay uint8 until a batch needs them as floats
    return size_bytes <= allowed_bytes()


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """Endless global batches of `batch_images`, in an order that depends on `seed`, and which part is this process's.

    Each is cut into `world` equal parts, of which this process reads the one of its `rank`; FormatError where they do
    not divide. `start` is the number of global batches that an earlier run used.
    """

    batch_images: int
    seed: int
    rank: int = 0
    world: int = 1
    start: int = 0

    def __post_init__(self) -> None:
        if self.batch_images % self.world:
            raise FormatError(f"batch of {self.batch_images} images does not divide into {self.world} equal parts")

    @property
    def share(self) -> int:
        """The images of a batch that this process reads."""
        return self.batch_images // self.world

    @property
    def first(self) -> int:
        """The place of this process's first image in the endless order."""
        return self.start * self.batch_images + self.rank * self.share


def batches(
    dataset: Artifact,
    split: str | Sequence[str],
    plan: BatchPlan,
    *,
    device: torch.device | None = None,
    resident: bool | None = None,
    label: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield this process's part of endless global batches: uint8 (n, channels, size, size), int64 (n,).

    Batches run across the ends of epochs, so no tail is dropped and every global batch is full. `resident` overrides
    the choice by memory. With `label` only samples of that class count. With several splits an epoch has all images;
    labels of unlabelled images are NO_LABEL.
    """
    splits = (split,) if isinstance(split, str) else tuple(split)
    for name in splits:
        if not dataset.shards(name):
            raise FormatError(f"{dataset.folder}: split {name!r} has no images")
    if fits_in_memory(dataset, *splits) if resident is None else resident:
        data = reduce(add, (load_split(dataset, name) for name in splits))
        if label is not None:
            data = data.subset((data.labels == label).nonzero().flatten())
        return _resident_batches(data, plan, device)
    return _stream_batches(_Stream(dataset, splits, plan.seed, label), plan, device)


def _resident_batches(data: Images, plan: BatchPlan, device: torch.device | None) -> Iterator[tuple[Tensor, Tensor]]:
    data = data.to(device) if device else data
    order = _Order(len(data), plan.seed)
    for position in count(plan.first, plan.batch_images):
        chosen = send(order.at(position, plan.share), data.labels.device)
        # index_select copies whole rows, where indexing goes through a general gather
        yield data.images.index_select(0, chosen), data.labels[chosen]


class _Order:
    """The endless order of samples: one permutation of `total` after another, each from (seed, epoch)."""

    def __init__(self, total: int, seed: int) -> None:
        self.total, self.seed = total, seed
        self._epochs: dict[int, Tensor] = {}

    def at(self, position: int, length: int) -> Tensor:
        """Return the indexes of `length` samples from `position` on."""
        parts = []
        while length > 0:
            epoch, offset = divmod(position, self.total)
            part = self._epoch(epoch)[offset : offset + length]
            parts.append(part)
            position, length = position + len(part), length - len(part)
        return torch.cat(parts)

    def _epoch(self, epoch: int) -> Tensor:
        if epoch not in self._epochs:
            # a batch runs into the next epoch at most: earlier orders are of no use any more
            recent = {number: order for number, order in self._epochs.items() if number >= epoch - 1}
            self._epochs = recent | {epoch: torch.randperm(self.total, generator=make_generator(self.seed, epoch))}
        return self._epochs[epoch]


@dataclass(frozen=True)
class _Stream:
    """Splits, or one class of them, that are read again for each epoch."""

    dataset: Artifact
    splits: tuple[str, ...]
    seed: int
    label: int | None

    @property
    def total(self) -> int:
        """The samples of an epoch."""
        splits = [self.dataset.dataset.splits[name] for name in self.splits]
        return sum(split.count if self.label is None else split.class_counts[self.label] for split in splits)

    def epoch(self, number: int) -> Iterator[tuple[str, dict[str, bytes], bool]]:
        """Yield (key, members, whether its label counts) of every sample of an epoch.

        Shards come in a new order each time, their samples shuffled in a buffer.
        """
        # before the import, which reads it: without it webdataset unpickles members and runs `pipe:` URLs
        os.environ["WDS_SECURE"] = "1"
        import webdataset

        shards = [(*shard, name != UNLABELLED) for name in self.splits for shard in self.dataset.shards(name)]
        rng = random.Random(derive_seed(self.seed, number))
        # shards first: through a buffer alone, images of shards far apart would never meet in a batch
        rng.shuffle(shards)
        members = (
            (*pair, labelled)
            for path, info, labelled in shards
            for pair in self.dataset.shard_members(path, info)
            if self._takes(pair)
        )
        return iter(webdataset.DataPipeline(lambda: members, webdataset.shuffle(SHUFFLE_IMAGES, rng=rng)))

    def _takes(self, pair: tuple[str, dict[str, bytes]]) -> bool:
        key, members = pair
        if self.label is None:
            return True
        classes = len(self.dataset.dataset.classes)
        return checked_label(members, classes, f"{self.dataset.folder}: sample {key!r}") == self.label


def _stream_batches(stream: _Stream, plan: BatchPlan, device: torch.device | None) -> Iterator[tuple[Tensor, Tensor]]:
    """Read the stream epoch after epoch; decode this process's samples only."""
    start_epoch, skip = divmod(plan.first, stream.total)
    # a resumed run skips undecoded samples of one epoch at most, and reads no earlier epoch
    samples = (pair for epoch in count(start_epoch) for pair in stream.epoch(epoch))
    mine = _every(islice(samples, skip, None), plan.share, plan.batch_images)
    while True:
        images, labels = [], []
        for key, members, labelled in islice(mine, plan.share):
            image, label = checked_sample(stream.dataset, key, members)
            images.append(image)
            labels.append(label if labelled else NO_LABEL)
        batch = torch.from_numpy(np.stack(images)), torch.tensor(labels)
        yield (send(batch[0], device), send(batch[1], device)) if device else batch


def _every(samples: Iterable[Any], share: int, batch_images: int) -> Iterator[Any]:
    """Yield the first `share` of each `batch_images` samples."""
    return (sample for index, sample in enumerate(samples) if index % batch_images < share)
