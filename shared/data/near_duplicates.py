"""The list of near-duplicates across splits that `preprocess` leaves next to the shards."""

import json
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.disk.durable import writing_whole
from shared.format.manifest import Dataset
from shared.format.shards import read_shard
from shared.store.records.base import Record, parse_record

NEAR_DUPLICATES = "near-duplicates.jsonl"


class NearDuplicate(Record):
    """Two images of different splits, by their keys and by what they are called in the source.

    `bits` differ between their hashes, `distance` is that of their standardised pixels.
    """

    first: str
    second: str
    first_name: str
    second_name: str
    bits: int
    distance: float


def write_pairs(path: Path, pairs: Iterable[NearDuplicate]) -> NearDuplicate:
    """Write a line for each pair, of which there is at least one, as they come; return the first."""
    rest = iter(pairs)
    first = next(rest)
    with writing_whole(path) as stream:
        for pair in chain([first], rest):
            stream.write(f"{json.dumps(pair.facts())}\n".encode())
    return first


def load_pairs(folder: Path, most: int) -> list[NearDuplicate]:
    """Return the first pairs of a dataset, the closest; none where there are none, or an earlier version wrote it."""
    path = folder / NEAR_DUPLICATES
    if not path.exists():
        return []
    with path.open() as lines:
        return [parse_record(NearDuplicate, json.loads(line), str(path)) for line in islice(lines, most)]


def images_of(folder: Path, dataset: Dataset, pairs: Sequence[NearDuplicate]) -> dict[str, NDArray[np.uint8]]:
    """Return the images (channels, size, size) of some pairs by their keys; reads the shards that have them."""
    wanted = {key for pair in pairs for key in (pair.first, pair.second)}
    found: dict[str, NDArray[np.uint8]] = {}
    for split in dataset.splits.values():
        for shard in split.shards:
            # nothing is read once all are there
            if wanted - found.keys():
                found |= {
                    s.key: s.image.transpose(2, 0, 1) for s in read_shard(folder / shard.name, shard) if s.key in wanted
                }
    return found
