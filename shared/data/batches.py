"""Shards to batches: an endless sequence of epochs in which every sample comes exactly once.

The order of an epoch depends on (seed, epoch) alone, wherever the images are and however many processes read them: any
number of processes has the same global batches, and a run that goes on, on as many processes or others, reads on where
the stopped one was, and nothing before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import count
from operator import add

import torch
from torch import Tensor

from shared.data.images import load_split
from shared.data.order import Order
from shared.data.pixels import Residence
from shared.errors import FormatError
from shared.store.artifacts import Artifact


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
    residence: Residence | None = None,
    label: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield this process's part of endless global batches: uint8 (n, channels, size, size), int64 (n,).

    Batches run across the ends of epochs, so no tail is dropped and every global batch is full. `residence` overrides
    where the images are. With `label` only samples of that class count. With several splits an epoch has all
    images; labels of unlabelled images are NO_LABEL.
    """
    splits = (split,) if isinstance(split, str) else tuple(split)
    for name in splits:
        if not dataset.shards(name):
            raise FormatError(f"{dataset.folder}: split {name!r} has no images")
    data = reduce(add, (load_split(dataset, name, residence) for name in splits))
    if label is not None:
        data = data.subset((data.labels == label).nonzero().flatten())
    device = device or torch.device("cpu")
    data, order = data.to(device), Order(len(data), plan.seed)
    chosen = (order.at(position, plan.share) for position in count(plan.first, plan.batch_images))
    return data.batches_of(chosen, device)
