"""Loaders that keep an index of their samples, and so can resume: litdata and mosaicml-streaming.

Each is written once from the same images, as raw pixels, which is the quickest that either of them reads, and read in
its own shuffled order by its own DataLoader in this process. With several ranks each process has the variables of a
launcher, as both of them expect.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

Batches = Iterator[tuple[Tensor, Tensor]]


def samples(real: Any) -> Iterator[dict[str, Any]]:
    """Yield each train sample as these libraries take it: uint8 image (3, S, S) and label."""
    from shared.format.sample import decode

    for key, members in real.members("train"):
        sample = decode(key, members, "")
        yield {"image": sample.image.transpose(2, 0, 1).copy(), "label": sample.label}


def write_litdata(real: Any) -> Path:
    """Write the images as litdata's chunks of 16 MB, its documentation's order of magnitude for small samples."""
    from litdata.streaming.writer import BinaryWriter

    folder: Path = real.folder.parent / "litdata"
    folder.mkdir()
    writer = BinaryWriter(str(folder), chunk_bytes=1 << 24)
    for place, sample in enumerate(samples(real)):
        writer.add_item(place, sample)
    writer.done()
    writer.merge()
    return folder


def write_streaming(real: Any) -> Path:
    """Write the images as MDS shards of 16 MB."""
    import streaming

    folder: Path = real.folder.parent / "mds"
    size_px = real.dataset.size_px
    columns = {"image": f"ndarray:uint8:3,{size_px},{size_px}", "label": "int"}
    with streaming.MDSWriter(out=str(folder), columns=columns, size_limit=1 << 24) as writer:
        for sample in samples(real):
            writer.write(sample)
    return folder


def litdata_loader(folder: Path, batch: int, seed: int) -> Any:
    """Return litdata's loader at the beginning of an epoch."""
    import litdata

    data = litdata.StreamingDataset(str(folder), shuffle=True, seed=seed)
    return litdata.StreamingDataLoader(data, batch_size=batch, num_workers=0)


def streaming_loader(folder: Path, batch: int, seed: int) -> Any:
    """Return mosaicml-streaming's loader at the beginning of an epoch."""
    import streaming
    from streaming.base.util import clean_stale_shared_memory

    logging.getLogger("streaming").setLevel(logging.ERROR)
    if "RANK" not in os.environ:
        clean_stale_shared_memory()  # of a loader of this process that was not read to its end
    data = streaming.StreamingDataset(local=str(folder), shuffle=True, batch_size=batch, shuffle_seed=seed)
    return streaming.StreamingDataLoader(data, batch_size=batch, num_workers=0)


Loader = Callable[[Path, int, int], Any]
"""Makes a loader of the set in a folder, for batches of a size, in the order of a seed."""


def read(loader: Any) -> Batches:
    """Yield what is left of an epoch: uint8 (N, 3, S, S) and labels (N,)."""
    for rows in loader:
        yield rows["image"], rows["label"]


def state_after(make: Loader, folder: Path, batch: int, done: int) -> dict[str, Any]:
    """Return the state of a loader that has read `done` batches of its first epoch."""
    loader = make(folder, batch, 0)
    stream = read(loader)
    for _ in range(done):
        next(stream)
    state: dict[str, Any] = loader.state_dict()
    stream.close()
    return state
