"""Near-duplicates across splits: images that differ in little more than compression, brightness or a few pixels.

Equal files are in one split already. What is nearly equal, such as frames of a video or a picture that was saved twice,
is found by a perceptual hash, confirmed on pixels, and reported; nothing is moved, since only their owner knows what
they are. In memory are the hashes, 9 bytes an image, and blocks of the rest.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.cli.run import Run
from shared.data.near_duplicates import NEAR_DUPLICATES, NearDuplicate, write_pairs
from shared.disk.durable import make_folder, open_to_write, remove_tree
from shared.format.manifest import Dataset
from shared.format.shards import read_members, read_shard
from shared.sources.items import named
from shared.store.records.datasets import NearDuplicates
from shared.store.work_shards import FOLDER

THUMBNAIL_PX = 16
"""Side of the images that are kept of all, at most: they confirm what the hashes say."""

MOST_DISTANCE = 0.1
"""Distance of standardised thumbnails, sqrt(2 - 2r), of near-duplicates at most: a correlation of 0.995.

Hashes alone would report 4,092 pairs of 8,000 and 2,000 MNIST digits, all different; none of them is nearer than 0.13.
Copies in another contrast are at 0.005, slightly blurred ones of emoji at 0.08.
"""

BLOCK_PAIRS = 2**20
"""Pairs of hashes that are compared at a time: about 60 MB."""

BLOCK_THUMBNAILS = 2**12
"""Pairs of thumbnails that are compared at a time: 25 MB in colour."""

MOST_LISTED = 100_000
"""Pairs that are listed, the nearest ones; all are counted."""

MOST_BANDED = 10
"""The most bits that may differ where hashes are looked up by bands of them, which gains nothing beyond."""

PAIR = np.dtype([("distance", "<f8"), ("bits", "<u8"), ("one", "<i8"), ("i", "<i8"), ("other", "<i8"), ("j", "<i8")])
"""A pair: the numbers of the two splits in alphabetical order, and of the images in their splits."""

Pairs = NDArray[np.void]


@dataclass(frozen=True)
class Hashed:
    """The images of a split: hashes of 64 bits (N,), and the file of their standardised thumbnails, float32 (N, d)."""

    hashes: NDArray[np.uint64]
    thumbnails: Path

    def rows(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the thumbnails at these places; none of the file stays in memory."""
        flat = np.memmap(self.thumbnails, np.float32, mode="r")
        rows: NDArray[np.float32] = flat.reshape(len(self.hashes), -1)[places]
        return rows


class Nearest:
    """The nearest pairs of all that were found, at most MOST_LISTED, and how many of how many images there were."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.names = sorted(counts)
        self.pairs, self.total = np.zeros(0, PAIR), 0
        self.paired = {name: np.zeros(count, np.bool_) for name, count in counts.items()}

    @property
    def images(self) -> int:
        """How many images are in a pair."""
        return sum(int(marks.sum()) for marks in self.paired.values())

    def add(self, one: str, other: str, found: Pairs) -> None:
        """Add pairs of two splits."""
        found["one"], found["other"] = self.names.index(one), self.names.index(other)
        self.paired[one][found["i"]] = True
        self.paired[other][found["j"]] = True
        self.total += len(found)
        together = np.concatenate([self.pairs, found])
        # by the names of the images, which are numbered in their splits, where distance and bits are equal
        order = np.lexsort([together[name] for name in ("j", "other", "i", "one", "bits", "distance")])
        self.pairs = together[order[:MOST_LISTED]]

    def listed(self, folder: Path, dataset: Dataset) -> Iterator[NearDuplicate]:
        """Yield the pairs with what their images are called, the nearest first."""
        wanted = {
            name: np.unique(
                [*self.pairs["i"][self.pairs["one"] == number], *self.pairs["j"][self.pairs["other"] == number]]
            )
            for number, name in enumerate(self.names)
        }
        called = {name: dict(_called(folder, dataset, name, places)) for name, places in wanted.items() if len(places)}
        for distance, bits, one, i, other, j in self.pairs.tolist():
            (first, first_name), (second, second_name) = called[self.names[one]][i], called[self.names[other]][j]
            yield NearDuplicate(
                first=first,
                second=second,
                first_name=first_name,
                second_name=second_name,
                bits=bits,
                distance=distance,
            )


def find_near_duplicates(run: Run, dataset: Dataset, bits: int) -> NearDuplicates | None:
    """List the near-duplicates across the splits in the run's folder, warn of them, and return how many there are.

    Hashes may differ by up to `bits` bits; 0 looks for none, and None is returned.
    """
    if not bits:
        return None
    # where unfinished work is, which the commit removes
    scratch = run.folder / FOLDER / "thumbnails"
    remove_tree(scratch)
    make_folder(scratch, parents=True)
    counts = {name: split.count for name, split in dataset.splits.items()}
    with run.reporter.bar("look for near-duplicates", sum(counts.values()), "images") as bar:
        splits = {}
        for name in dataset.splits:
            splits[name] = hashed(run.folder, dataset, name, scratch)
            bar.advance(counts[name])
    nearest = Nearest(counts)
    for one, other in combinations(splits, 2):
        if (one, other) != ("train", "unlabelled"):  # both are learned from
            for found in pairs(splits[one], splits[other], bits):
                nearest.add(one, other, found)
    remove_tree(scratch, strict=True)
    if nearest.total:
        _say(run, nearest, write_pairs(run.folder / NEAR_DUPLICATES, nearest.listed(run.folder, dataset)))
    return NearDuplicates(bits=bits, pairs=nearest.total, images=nearest.images)


def _say(run: Run, nearest: Nearest, first: NearDuplicate) -> None:
    number = "1 pair" if nearest.total == 1 else f"{nearest.total:,} pairs of {nearest.images:,} images"
    of_many = f" for the nearest {MOST_LISTED:,}" if nearest.total > MOST_LISTED else ""
    run.reporter.info(
        f"warning: near-duplicates in different splits: {number}, "
        f"such as {first.first_name} and {first.second_name}, see "
        f"{NEAR_DUPLICATES}{of_many}; a test with them is too easy: keep related images together by --group-by or "
        "--group-column, or remove them"
    )


def hashed(folder: Path, dataset: Dataset, split: str, scratch: Path) -> Hashed:
    """Return what is compared of the images of a split; their thumbnails go into a file in `scratch`."""
    made = Hashed(np.zeros(dataset.splits[split].count, np.uint64), scratch / f"{split}.f32")
    place = 0
    with open_to_write(made.thumbnails) as stream:
        for shard in dataset.splits[split].shards:
            for sample in read_shard(folder / shard.name, shard):
                made.hashes[place] = perceptual_hash(sample.image)
                stream.write(thumbnail(sample.image).astype(np.float32).tobytes())
                place += 1
    return made


def _called(
    folder: Path, dataset: Dataset, split: str, places: NDArray[np.int64]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield each of the sorted `places` of a split with the key of its image and its name in the source."""
    start = 0
    for shard in dataset.splits[split].shards:
        here = set(places[slice(*np.searchsorted(places, [start, start + shard.count]))].tolist())
        for place, (key, members) in enumerate(read_members(folder / shard.name, shard), start) if here else ():
            if place in here:
                origin = json.loads(members["json"]).get("origin")
                yield place, (key, named(origin) if isinstance(origin, dict) else key)
        start += shard.count


def perceptual_hash(image: NDArray[np.uint8]) -> int:
    """Return 64 bits: which of the 8x8 lowest frequencies of the grey image's cosine transform exceed their median.

    This is pHash (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions", 3.2.1) without the
    constant term's weight in the median. The transform is of the whole prepared image, which is small already.
    """
    from scipy.fft import dctn

    lowest = dctn(image.mean(axis=2), norm="ortho")[:8, :8].ravel()
    return int.from_bytes(np.packbits(lowest > np.median(lowest[1:])).tobytes(), "big")


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the averaged-down pixels of an image at mean 0 and length 1; those of a flat image at length 0."""
    factor = max(image.shape[0] // THUMBNAIL_PX, 1)
    side = image.shape[0] // factor
    used = image[: side * factor, : side * factor].astype(np.float32)
    means = used.reshape(side, factor, side, factor, -1).mean(axis=(1, 3)).ravel()
    centred = means - means.mean()
    length = np.linalg.norm(centred)
    # two grey levels: what is left of a flat image is noise, and every two flat images would be near-duplicates
    standardised: NDArray[np.float32] = centred / length if length > 2 * np.sqrt(len(centred)) else centred * 0
    return standardised


def pairs(one: Hashed, other: Hashed, bits: int) -> Iterator[Pairs]:
    """Yield the pairs of two splits whose hashes differ by at most `bits` and whose thumbnails are near, in blocks."""
    for first, second, differing in candidates(one.hashes, other.hashes, bits):
        for start in range(0, len(first), BLOCK_THUMBNAILS):
            block = slice(start, start + BLOCK_THUMBNAILS)
            found = np.zeros(len(first[block]), PAIR)
            found["i"], found["j"], found["bits"] = first[block], second[block], differing[block]
            left, right = one.rows(first[block]), other.rows(second[block])
            # all at once with a margin for rounding; those that are left one by one, so that blocks change no digit
            near = np.einsum("nd,nd->n", left, right) >= 1 - (MOST_DISTANCE + 0.01) ** 2 / 2
            for row in np.flatnonzero(near).tolist():
                found["distance"][row] = np.sqrt(max(2 - 2 * float(left[row] @ right[row]), 0.0))
            near &= found["distance"] <= MOST_DISTANCE
            yield found[near]


def candidates(
    one: NDArray[np.uint64], other: NDArray[np.uint64], bits: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]]:
    """Yield blocks of the pairs (i, j) of hashes that differ by at most `bits`, and by how many; each pair once.

    Hashes that differ by b bits are equal in at least one of b + 1 bands (Manku et al. 2007, "Detecting near-duplicates
    for web crawling"): only those that share a band are compared.
    """
    edges = np.linspace(0, 64, bits + 2).round().astype(int).tolist() if bits <= MOST_BANDED else [0, 0]
    bands = [(np.uint64(low), np.uint64((1 << (high - low)) - 1)) for low, high in pairwise(edges)]
    for number, (shift, mask) in enumerate(bands):
        values = (other >> shift) & mask
        order = np.argsort(values, kind="stable")
        for first, place in _equal((one >> shift) & mask, values[order]):
            second = order[place]
            difference = one[first] ^ other[second]
            count = np.bitwise_count(difference)
            kept = count <= bits
            for earlier, width in bands[:number]:
                kept &= ((difference >> earlier) & width) != 0  # else it was found there
            if kept.any():
                yield first[kept], second[kept], count[kept]


def _equal(
    values: NDArray[np.uint64], ordered: NDArray[np.uint64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield blocks of the pairs (i, j) for which values[i] equals ordered[j], which is sorted."""
    left, right = np.searchsorted(ordered, values), np.searchsorted(ordered, values, side="right")
    ends = np.cumsum(right - left, dtype=np.int64)
    for start in range(0, int(ends[-1]) if len(ends) else 0, BLOCK_PAIRS):
        pair = np.arange(start, min(start + BLOCK_PAIRS, int(ends[-1])))
        i = np.searchsorted(ends, pair, side="right")
        yield i, (right[i] - (ends[i] - pair)).astype(np.int64)
