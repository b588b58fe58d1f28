"""Images as a view: rows of sources, of which nothing is read before it is asked for."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.resizing import resized
from shared.runtime.devices import send
from shared.runtime.memory import LARGEST_SHARE, free_on_gpu

Shape = tuple[int, int, int, int]
"""Images, channels, height and width."""

Rows = range | NDArray[np.int64]
"""Numbers of rows, in any order; a range where they follow each other."""

Key = slice | range | Sequence[int] | Tensor | NDArray[np.int64] | NDArray[np.bool_]
"""Which images are meant: a slice, their numbers, or whether each one is."""

Residence = Literal["memory", "file", "streamed"]
"""Where decoded pixels are: in this process's memory, in a file, or nowhere: decoded each time they are asked for."""

BLOCK_BYTES = 8 << 20
"""Pixels that are in memory at a time where all of a view are gone through."""


class Readable(Protocol):
    """Pixels that can be read."""

    @property
    def shape(self) -> Shape:
        """How many images there are, and how large they are."""

    def read(self, rows: Rows) -> Tensor:
        """Return uint8 (N, channels, size, size) of the images at `rows`, which is not to be written to."""


class Source(Readable, Protocol):
    """Pixels that can be read, and had at another size."""

    @property
    def residence(self) -> Residence:
        """Where the pixels are."""

    def at(self, size_px: int, resize_filter: str) -> "Source":
        """Return the same images at another size."""


class InMemory:
    """Images in a tensor, on any device."""

    residence: Residence = "memory"

    def __init__(self, images: Tensor) -> None:
        self.images = images

    @property
    def shape(self) -> Shape:
        """The tensor's."""
        count, channels, height, width = self.images.shape
        return count, channels, height, width

    def read(self, rows: Rows) -> Tensor:
        """Return images; those that follow each other are not copied."""
        if isinstance(rows, range) and rows.step == 1:
            return self.images[rows.start : rows.stop]
        # index_select copies whole rows, where indexing goes through a general gather
        return self.images.index_select(0, send(torch.from_numpy(as_array(rows)), self.images.device))

    def at(self, size_px: int, resize_filter: str) -> Source:
        """Return the same images at another size, in memory."""
        return InMemory(resized(self.images, size_px, resize_filter))


class Pixels:
    """A view of uint8 images (N, channels, size, size): rows of one or more sources.

    `pixels[key]` reads the images that a slice, numbers or a mask choose, as a tensor that is not to be written to;
    `pixels[number]` reads one of them. All else moves numbers of rows, and reads nothing.
    """

    dtype = torch.uint8

    def __init__(self, sources: Sequence[Source], places: Rows | None = None) -> None:
        """`places` are rows of the sources, as if these were one; None for all of them."""
        sizes = {source.shape[1:] for source in sources}
        if len(sizes) != 1:
            raise ValueError(f"images of {len(sizes)} sizes ({sorted(sizes)}), want one")
        self.sources = tuple(sources)
        self._ends = np.cumsum([source.shape[0] for source in sources])
        self.places = range(int(self._ends[-1])) if places is None else places

    @classmethod
    def of(cls, images: "Pixels | Tensor") -> "Pixels":
        """Return a view of a tensor; of a view, itself."""
        return cls([InMemory(images)]) if isinstance(images, Tensor) else images

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> Shape:
        """The shape that all of it would have in memory."""
        return len(self), *self.sources[0].shape[1:]

    @property
    def residence(self) -> Residence:
        """Where its pixels are; of several sources the one that takes longest to read."""
        return max((source.residence for source in self.sources), key=get_args(Residence).index)

    @property
    def nbytes(self) -> int:
        """The bytes that all of it would take in memory."""
        count, channels, height, width = self.shape
        return count * channels * height * width

    @property
    def block_images(self) -> int:
        """The images of a block, of which one is in memory at a time."""
        return max(BLOCK_BYTES * len(self) // max(self.nbytes, 1), 1)

    def __getitem__(self, key: Key | int) -> Tensor:
        if isinstance(key, int):
            return self._read(self._chosen([key]))[0]
        return self._read(self._chosen(key))

    def __iter__(self) -> Iterator[Tensor]:
        for block in self.split(self.block_images):
            yield from block

    def split(self, images: int) -> Iterator[Tensor]:
        """Yield all of it in parts of `images` images, the last one smaller."""
        # one part of nothing, as tensors are split: what is joined from parts then has its shape
        for start in range(0, max(len(self), 1), images):
            yield self[start : start + images]

    def rows(self, key: Key) -> "Pixels":
        """Return the view of the images that `key` chooses, in its order."""
        return Pixels(self.sources, self._chosen(key))

    def __add__(self, other: "Pixels") -> "Pixels":
        sources = list(self.sources)
        before = [len(sources) for _ in other.sources]
        for number, source in enumerate(other.sources):
            # a source that is in both is one source: its images are read together
            same = next((place for place, known in enumerate(sources) if known is source), None)
            before[number] = len(sources) if same is None else same
            sources += [source] if same is None else []
        both = Pixels(sources)
        starts = (both._starts[before] - other._starts)[other._source_of(as_array(other.places))]
        return Pixels(sources, np.concatenate([as_array(self.places), as_array(other.places) + starts]))

    def at(self, size_px: int, resize_filter: str) -> "Pixels":
        """Return the same images at another size."""
        if self.shape[-2:] == (size_px, size_px):
            return self
        if all(type(source) is InMemory for source in self.sources):
            # of a few images of a tensor these alone are resized
            return Pixels.of(resized(self[:], size_px, resize_filter))
        return Pixels([source.at(size_px, resize_filter) for source in self.sources], self.places)

    def on(self, device: torch.device) -> "Pixels":
        """Return the same images in a GPU's memory, where it has room for them; else, and on a CPU, as they are.

        Few images that are in memory are put into one tensor, so that rows of them are read at once.
        """
        if device.type != "cuda" or self.nbytes > LARGEST_SHARE * free_on_gpu(device):
            return Pixels.of(self[:]) if self.residence == "memory" and self.nbytes <= BLOCK_BYTES else self
        # block by block, so that they are not in this machine's memory as well
        images = torch.empty(self.shape, dtype=torch.uint8, device=device)
        for start in range(0, len(self), self.block_images):
            stop = start + self.block_images
            images[start:stop] = send(self[start:stop], device)
        return Pixels.of(images)

    @property
    def _starts(self) -> NDArray[np.int64]:
        return self._ends - [source.shape[0] for source in self.sources]

    def _source_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the source of each place."""
        return np.searchsorted(self._ends, places, side="right")

    def _chosen(self, key: Key) -> Rows:
        """Return the places of the images that `key` chooses; IndexError for a number that is none of theirs."""
        if isinstance(key, slice):
            return self.places[key]
        if isinstance(key, range) and isinstance(self.places, range) and key.step > 0:
            if key and not (key[0] >= 0 and key[-1] < len(self)):
                raise IndexError(f"images {key[0]} to {key[-1]}, there are {len(self)}")
            return self.places[key.start : key.stop : key.step]
        numbers = np.asarray(key.cpu() if isinstance(key, Tensor) else key)
        if numbers.dtype == np.bool_:
            if len(numbers) != len(self):
                raise IndexError(f"a mask of {len(numbers)}, there are {len(self)} images")
            numbers = np.flatnonzero(numbers)
        numbers = numbers.astype(np.int64, copy=False)
        low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, -1)
        if low < -len(self) or high >= len(self):
            raise IndexError(f"images {low} to {high}, there are {len(self)}")
        if low < 0:
            numbers = np.where(numbers < 0, numbers + len(self), numbers)
        if isinstance(self.places, range) and self.places == range(len(self)):
            return numbers
        if isinstance(self.places, range):
            return self.places.start + self.places.step * numbers
        chosen: NDArray[np.int64] = self.places[numbers]
        return chosen

    def _read(self, places: Rows) -> Tensor:
        if len(self.sources) == 1:
            return self.sources[0].read(places)
        places = as_array(places)
        which = self._source_of(places)
        images = torch.empty((len(places), *self.shape[1:]), dtype=torch.uint8)
        for number in np.unique(which).tolist():
            mine = np.flatnonzero(which == number)
            rows = places[mine] - self._starts[number]
            images[torch.from_numpy(mine)] = self.sources[number].read(rows).cpu()
        return images


def as_array(rows: Rows) -> NDArray[np.int64]:
    """Return numbers of rows as an array."""
    # in order in memory: torch takes no array that goes backwards
    return np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else np.ascontiguousarray(rows)
