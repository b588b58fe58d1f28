"""Which files of shards a dataset has in its folder, compared with those that its manifest lists."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from shared.errors import FormatError
from shared.format.manifest import Dataset, Manifest
from shared.format.pages import PAGE_NAMES
from shared.format.records import INDEX, TAR, ShardInfo, index_name
from shared.objects.fetching import is_remote

OF_SHARDS = (f"*{TAR}", f"*{INDEX}", PAGE_NAMES)
"""What matches the files that a manifest lists by its splits alone: shards, their indexes, pages."""


def names_of(dataset: Dataset) -> set[str]:
    """Return the names of the shards, indexes and pages of a dataset; reads all of its pages where there are any."""
    return {page.name for page in dataset.pages} | {
        name for split in dataset.splits.values() for shard in split.shards for name, _ in _files_of(shard)
    }


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Raise FormatError unless the files that the manifest lists are there with their sizes.

    Shards and indexes of a large dataset (see `is_large`) are left out: a job that opens 100,000 shards is not to ask
    for the size of each. Their sizes are compared when they are read.
    """
    listed = [(info.name, info.bytes) for info in manifest.files]
    if is_remote(folder):  # compared when it is fetched
        listed = [(name, size_bytes) for name, size_bytes in listed if (folder / name).exists()]
    dataset = manifest.dataset if not is_remote(folder) else None
    if dataset is not None:
        listed += [(page.name, page.bytes) for page in dataset.pages]
        if not is_large(dataset):
            listed += [file for split in dataset.splits.values() for shard in split.shards for file in _files_of(shard)]
    for name, size_bytes in listed:
        path = folder / name
        actual_bytes = path.stat().st_size if path.is_file() else None
        if actual_bytes != size_bytes:
            came = "missing" if actual_bytes is None else f"{actual_bytes} bytes"
            raise FormatError(f"{path}: {came}, its manifest says {size_bytes} bytes")


def compare_names(folder: Path, manifest: Manifest) -> tuple[list[str], list[str]]:
    """Return the shards and indexes that the manifest lists and are not there, and those that it does not list, sorted.

    One pass over the names in the folder. In a large dataset their number for each split is compared, and pages are
    read only where that differs: a name that took the place of another is found when the shard is read.
    """
    dataset = manifest.dataset
    suffixes = (TAR,) if manifest.version == 1 else (TAR, INDEX)  # version 1 knows no indexes
    there = _present(folder, suffixes)
    if dataset is not None and is_large(dataset) and _counted(there) == _wanted(dataset):
        return [], []
    if is_remote(folder):  # what is not there is in an object store
        return [], []
    listed = {name for name in names_of(dataset) if name.endswith(suffixes)} if dataset else set()
    return sorted(listed.difference(there)), sorted(set(there) - listed)


def is_large(dataset: Dataset) -> bool:
    """Whether a split has more than one page of shards."""
    return any(len(split.pages) > 1 for split in dataset.splits.values())


def _wanted(dataset: Dataset) -> Counter[str]:
    """Return how many files each split has, as `_counted`."""
    return +Counter(
        {f"{name}{end}": len(split.shards) for name, split in dataset.splits.items() for end in (TAR, INDEX)}
    )


def _counted(names: Sequence[str]) -> Counter[str]:
    """Return how many of the names are those of each split's shards, and of its indexes: train.tar, train.idx."""
    return Counter(f"{name[:-4].rpartition('-')[0]}{name[-4:]}" for name in names)


def _present(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    # not by `iterdir`: 200,000 paths take longer than all the rest
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.name.endswith(suffixes)]


def _files_of(shard: ShardInfo) -> list[tuple[str, int]]:
    """Return (name, bytes) of a shard and of its index, if it has one."""
    files = [(shard.name, shard.bytes)]
    return files + ([(index_name(shard.name), shard.index.bytes)] if shard.index else [])
