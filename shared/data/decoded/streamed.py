"""Pixels that are decoded each time they are asked for: where neither disk nor memory has room for all of them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.decoded.samples import checked_sample
from shared.data.pixels import Readable, Rows, Shape, as_array
from shared.data.resizing import resized
from shared.format.index import INDEX_ROW, read_at
from shared.runtime.observe.observation import count
from shared.store.artifacts import Artifact


class Streamed:
    """The images of a split, each read from its place in its shard, and checked by the index.

    All of the index is in memory, 20 bytes for an image. That of a dataset of version 1, which has none, is made by
    reading all shards once.
    """

    def __init__(self, dataset: Artifact, split: str, shape: Shape, starts: NDArray[np.int64]) -> None:
        """Read the index; `starts` are the first image of each shard, and the end of the last one."""
        self.dataset, self.shape, self._starts = dataset, shape, starts
        self._shards = dataset.shards(split)
        self._index = np.empty(shape[0], INDEX_ROW)
        for number in range(len(starts) - 1):
            self._index[starts[number] : starts[number + 1]] = dataset.index(split, number)

    def labels(self) -> NDArray[np.int64]:
        """Return the labels of all images (N,)."""
        return self._index["label"].astype(np.int64)

    def read(self, rows: Rows) -> Tensor:
        """Return the images at `rows`, shard by shard; FormatError where one is not as it was written."""
        numbers = as_array(rows)
        shards = np.searchsorted(self._starts, numbers, side="right") - 1
        images = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        count("read_bytes_total", int(self._index["bytes"][numbers].sum(dtype=np.int64)))
        count("cache_misses_total", len(numbers))
        for place in np.lexsort((numbers, shards)).tolist():
            path, _ = self._shards[int(shards[place])]
            with self.dataset.remedy():
                key, members = read_at(path, self._index[numbers[place]])
            images[place], _ = checked_sample(self.dataset, key, members)
        return torch.from_numpy(images)


class OnTheFly:
    """The images of a source at another size, resized each time they are asked for."""

    def __init__(self, source: Readable, size_px: int, resize_filter: str) -> None:
        self.source, self.size_px, self.filter = source, size_px, resize_filter

    @property
    def shape(self) -> Shape:
        """The source's, at the other size."""
        return *self.source.shape[:2], self.size_px, self.size_px

    def read(self, rows: Rows) -> Tensor:
        """Return the images at `rows`."""
        return resized(self.source.read(rows), self.size_px, self.filter)
