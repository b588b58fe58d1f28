"""Where the pixels of a split are: in memory where they are small, else in a file that processes share, or nowhere."""

import os

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.decoded.files import DecodedFile, open_whole
from shared.data.decoded.filling import make
from shared.data.decoded.marks import Unusable
from shared.data.decoded.places import Place, make_room, places_for
from shared.data.decoded.work import ResizedWork, SplitWork, Work, checked, image_bytes, name_of
from shared.data.pixels import InMemory, Readable, Residence, Rows, Shape, Source
from shared.runtime.memory import allowed_bytes
from shared.runtime.observe.observation import count, preparing
from shared.store.artifacts import Artifact

SMALL_BYTES = 8 << 20
"""Pixels up to this size are in memory: they are decoded in less time than a file takes to be made and found."""


class Decoded:
    """Decoded pixels, which can be had at another size: those are held as these are."""

    def __init__(self, held: Readable, work: Work, asked: Residence | None, residence: Residence) -> None:
        """`residence` is where they are, `asked` where they were asked to be."""
        self._held, self._work, self._asked = held, work, asked
        self.residence: Residence = residence

    @property
    def shape(self) -> Shape:
        """How many images there are, and how large they are."""
        return self._held.shape

    def read(self, rows: Rows) -> Tensor:
        """Return uint8 images at `rows`."""
        return self._held.read(rows)

    def at(self, size_px: int, resize_filter: str) -> Source:
        """Return the same images at another size."""
        return _held(ResizedWork(self._held, self._work, size_px, resize_filter), self._asked)[0]


def decoded(dataset: Artifact, split: str, residence: Residence | None = None) -> tuple[Decoded, Tensor]:
    """Return the pixels of a split, in the order of its shards, and its labels int64 (N,).

    `residence` overrides the choice. A shard is checked against the manifest when it is decoded: FormatError.
    """
    source, labels = _held(SplitWork(dataset, split), residence)
    assert labels is not None  # those of a split have labels
    return source, torch.from_numpy(labels)


@preparing()
def _held(work: Work, residence: Residence | None) -> tuple[Decoded, NDArray[np.int64] | None]:
    """Return the pixels of `work` where they are to be, and the labels if it has any."""
    size_bytes = work.shape[0] * image_bytes(work.shape)
    if residence == "file" or (residence is None and size_bytes > SMALL_BYTES):
        file = _from_file(work)
        if file is not None:
            return Decoded(file, work, residence, "file"), file.labels() if work.labelled else None
    if residence == "streamed" or (residence != "memory" and size_bytes > max(allowed_bytes(), SMALL_BYTES)):
        source, labels = work.streamed()
        return Decoded(source, work, residence, "streamed"), labels
    images, labels = _in_memory(work)
    return Decoded(InMemory(images), work, residence, "memory"), labels


def _from_file(work: Work) -> DecodedFile | None:
    """Return the pixels of `work` from the best place that has, or can take, a file of them; None without one."""
    places = list(places_for(work.dataset))
    for place in places:
        if found := open_whole(place.folder, work):
            count("cache_hits_total", work.shape[0])
            return found
    for place in places:
        try:
            if make_room(place.folder, needed_bytes(work), name_of(work)):
                return make(place.folder, work, *_among(place))
        except Unusable:
            continue
    return None


def needed_bytes(work: Work) -> int:
    """Return what a file of the pixels of `work` takes, with its labels and marks."""
    return work.shape[0] * (image_bytes(work.shape) + 4) + 8 * len(work.starts)


def _among(place: Place) -> tuple[int, int]:
    """Return which of how many processes this is that a launcher started, of those that share a place."""
    own = "" if place.shared else "LOCAL_"
    return int(os.environ.get(f"{own}RANK", "0")), int(os.environ.get(f"{own}WORLD_SIZE", "1"))


def _in_memory(work: Work) -> tuple[Tensor, NDArray[np.int64] | None]:
    # filled in place, since a list would need the memory twice
    images = torch.empty(work.shape, dtype=torch.uint8)
    all_labels = np.empty(work.shape[0], np.int64) if work.labelled else None
    for piece in range(len(work.starts) - 1):
        for first, (block, labels) in checked(work, piece):
            images[first : first + len(block)] = block
            if labels is not None and all_labels is not None:
                all_labels[first : first + len(block)] = labels
    count("cache_misses_total", work.shape[0])
    return images, all_labels
