"""What becomes decoded pixels, in pieces: the shards of a split, or such pixels at another size."""

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.decoded.samples import checked_sample
from shared.data.decoded.streamed import OnTheFly, Streamed
from shared.data.pixels import BLOCK_BYTES, Readable, Shape
from shared.data.resizing import resized
from shared.errors import FormatError
from shared.format.files import json_bytes, sha256
from shared.store.artifacts import Artifact

VERSION = 1
"""The version of the files: a build with another one makes files of its own."""

Block = tuple[Tensor, NDArray[np.int64] | None]
"""Images that follow each other, uint8 (n, channels, size, size), and their labels (n,) where they have any here."""


class Work(Protocol):
    """Pieces of decoded pixels, each of which can be made without the others."""

    @property
    def dataset(self) -> Artifact:
        """What the pixels are of."""

    @property
    def identity(self) -> dict[str, object]:
        """What the pixels depend on: equal ones have equal pixels."""

    @property
    def shape(self) -> Shape:
        """How many images all pieces have together, and how large they are."""

    @property
    def labelled(self) -> bool:
        """Whether blocks have labels."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first image of each piece, and the end of the last one, (pieces + 1,)."""

    def read(self, piece: int) -> Iterator[Block]:
        """Yield the images of a piece in order, in blocks of about BLOCK_BYTES."""

    def streamed(self) -> tuple[Readable, NDArray[np.int64] | None]:
        """Return the same images, made each time they are asked for, and their labels where they have any here."""


def name_of(work: Work) -> str:
    """Return the name of the folder of the pixels, which depends on all that these depend on."""
    return sha256(json_bytes(work.identity))[:32]


def image_bytes(shape: Shape) -> int:
    """Return the bytes of one image."""
    return shape[1] * shape[2] * shape[3]


def block_images(shape: Shape) -> int:
    """Return the images of a block."""
    return max(BLOCK_BYTES // image_bytes(shape), 1)


class SplitWork:
    """The images of a split, a piece for each shard, whose hash is checked as it is read."""

    labelled = True

    def __init__(self, dataset: Artifact, split: str) -> None:
        self.dataset, self.split = dataset, split
        self.shards = dataset.shards(split)

    @property
    def shape(self) -> Shape:
        """As the manifest has it."""
        info = self.dataset.dataset
        return info.splits[self.split].count, info.channels, info.size_px, info.size_px

    @property
    def identity(self) -> dict[str, object]:
        """The manifest, by the hash that stays when numbers are added to it, and the split."""
        return {"version": VERSION, "dataset": self.dataset.identity, "split": self.split, "shape": [*self.shape]}

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first image of each shard, and the number of all images."""
        return np.cumsum([0, *(info.count for _, info in self.shards)])

    def read(self, piece: int) -> Iterator[Block]:
        """Yield the images of a shard and their labels; FormatError where they are not what the manifest says."""
        samples = iter(self.dataset.shard_members(*self.shards[piece]))
        while some := list(islice(samples, block_images(self.shape))):
            images = np.empty((len(some), *self.shape[1:]), np.uint8)
            labels = np.empty(len(some), np.int64)
            for place, (key, members) in enumerate(some):
                images[place], labels[place] = checked_sample(self.dataset, key, members)
            yield torch.from_numpy(images), labels

    def streamed(self) -> tuple[Readable, NDArray[np.int64] | None]:
        """Return the images, each read by its place in its shard, and their labels."""
        source = Streamed(self.dataset, self.split, self.shape, self.starts)
        return source, source.labels()


class ResizedWork:
    """The images of a source at another size."""

    labelled = False

    def __init__(self, source: Readable, work: Work, size_px: int, resize_filter: str) -> None:
        """`work` is what the source was made by."""
        self.source, self.work = source, work
        self.size_px, self.filter = size_px, resize_filter

    @property
    def dataset(self) -> Artifact:
        """That of the source."""
        return self.work.dataset

    @property
    def shape(self) -> Shape:
        """The source's, at the other size."""
        return *self.work.shape[:2], self.size_px, self.size_px

    @property
    def identity(self) -> dict[str, object]:
        """The source's, the size and the filter."""
        return {"of": self.work.identity, "size_px": self.size_px, "filter": self.filter}

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first image of each block, and the number of all images."""
        step = max(BLOCK_BYTES // max(image_bytes(self.shape), image_bytes(self.work.shape)), 1)
        return np.array([*range(0, self.shape[0], step), self.shape[0]])

    def read(self, piece: int) -> Iterator[Block]:
        """Yield the images of one block."""
        images = self.source.read(range(*self.starts[piece : piece + 2].tolist()))
        yield resized(images, self.size_px, self.filter), None

    def streamed(self) -> tuple[Readable, NDArray[np.int64] | None]:
        """Return the images, resized each time."""
        return OnTheFly(self.source, self.size_px, self.filter), None


def checked(work: Work, piece: int) -> Iterator[tuple[int, Block]]:
    """Yield the first image of each block of a piece, and the block; FormatError where they are too many or few."""
    at, end = work.starts[piece : piece + 2].tolist()
    for block in work.read(piece):
        if at + len(block[0]) > end:
            break
        yield at, block
        at += len(block[0])
    else:
        if at == end:
            return
    raise FormatError(f"{work.dataset.folder}: piece {piece} of its images has other images than its manifest says")
