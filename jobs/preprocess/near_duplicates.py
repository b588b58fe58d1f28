"""Near-duplicates across splits: images that differ in little more than compression, brightness or a few pixels.

Equal files are in one split already. What is nearly equal, such as frames of a video or a picture that was saved twice,
is found by a perceptual hash, confirmed on pixels, and reported; nothing is moved, since only their owner knows what
they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.cli.run import Run
from shared.data.near_duplicates import NEAR_DUPLICATES, NearDuplicate, write_pairs
from shared.format.manifest import Dataset
from shared.format.shards import read_shard
from shared.sources.items import named
from shared.store.records.datasets import NearDuplicates

THUMBNAIL_PX = 16
"""Side of the images that are kept of all, at most: they confirm what the hashes say."""

MOST_DISTANCE = 0.1
"""Distance of standardised thumbnails, sqrt(2 - 2r), of near-duplicates at most: a correlation of 0.995.

Hashes alone would report 4,092 pairs of 8,000 and 2,000 MNIST digits, all different; none of them is nearer than 0.13.
Copies in another contrast are at 0.005, slightly blurred ones of emoji at 0.08.
"""

BLOCK_PAIRS = 2**24
"""Pairs of hashes that are compared at a time: 128 MB of differing bits."""


@dataclass(frozen=True)
class Hashed:
    """The images of a split: keys, names in the source, hashes (N,) of 64 bits, standardised thumbnails (N, d)."""

    keys: list[str]
    names: list[str]
    hashes: NDArray[np.uint64]
    thumbnails: NDArray[np.float32]


def find_near_duplicates(run: Run, dataset: Dataset, bits: int) -> NearDuplicates | None:
    """List the near-duplicates across the splits in the run's folder, warn of them, and return how many there are.

    Hashes may differ by up to `bits` bits; 0 looks for none, and None is returned.
    """
    if not bits:
        return None
    total = sum(split.count for split in dataset.splits.values())
    with run.reporter.bar("look for near-duplicates", total, "images") as bar:
        splits = {}
        for name in dataset.splits:
            splits[name] = hashed(run.folder, dataset, name)
            bar.advance(dataset.splits[name].count)
    compared = [sides for sides in combinations(splits, 2) if sides != ("train", "unlabelled")]  # both are learned from
    found = [pair for one, other in compared for pair in pairs(splits[one], splits[other], bits)]
    found.sort(key=lambda pair: (pair.distance, pair.bits, pair.first, pair.second))
    if found:
        write_pairs(run.folder / NEAR_DUPLICATES, found)
    counted = NearDuplicates(
        bits=bits, pairs=len(found), images=len({key for pair in found for key in (pair.first, pair.second)})
    )
    if found:
        number = "1 pair" if counted.pairs == 1 else f"{counted.pairs:,} pairs of {counted.images:,} images"
        run.reporter.info(
            f"warning: near-duplicates in different splits: {number}, "
            f"such as {found[0].first_name} and {found[0].second_name}, see "
            f"{NEAR_DUPLICATES}; a test with them is too easy: keep related images together by --group-by or "
            "--group-column, or remove them"
        )
    return counted


def hashed(folder: Path, dataset: Dataset, split: str) -> Hashed:
    """Return what is compared of the images of a split."""
    keys, names, hashes, thumbnails = [], [], [], []
    for shard in dataset.splits[split].shards:
        for sample in read_shard(folder / shard.name, shard):
            keys.append(sample.key)
            origin = sample.meta.get("origin")
            names.append(named(origin) if isinstance(origin, dict) else sample.key)
            hashes.append(perceptual_hash(sample.image))
            thumbnails.append(thumbnail(sample.image))
    return Hashed(keys, names, np.array(hashes, dtype=np.uint64), np.array(thumbnails, dtype=np.float32))


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


def pairs(one: Hashed, other: Hashed, bits: int) -> Iterator[NearDuplicate]:
    """Yield the pairs of two splits whose hashes differ by at most `bits` and whose thumbnails are near."""
    rows = max(BLOCK_PAIRS // max(len(other.keys), 1), 1)
    for start in range(0, len(one.keys), rows):
        differing = np.bitwise_count(one.hashes[start : start + rows, None] ^ other.hashes[None])
        first, second = np.nonzero(differing <= bits)
        for i, j in zip((first + start).tolist(), second.tolist(), strict=True):
            distance = float(np.sqrt(max(2 - 2 * float(one.thumbnails[i] @ other.thumbnails[j]), 0.0)))
            if distance <= MOST_DISTANCE:
                yield NearDuplicate(
                    first=one.keys[i],
                    second=other.keys[j],
                    first_name=one.names[i],
                    second_name=other.names[j],
                    bits=int(differing[i - start, j]),
                    distance=distance,
                )
