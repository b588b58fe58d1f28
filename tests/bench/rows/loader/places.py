"""Where a loader goes on after a stop, and what each of several processes reads: ours and peers with an index."""

import os
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench.row import Row, Work
from tests.bench.rows.loader.epochs import BATCH, IMAGES, INDEXED, dataset
from tests.bench.rows.loader.streams import (
    Loader,
    litdata_loader,
    read,
    state_after,
    streaming_loader,
    write_litdata,
    write_streaming,
)
from tests.bench.rows.ranks import RANKS, Ranks

DONE = 98 * IMAGES // BATCH // 100
"""Batches of an epoch that were used before a stop, in the row about resuming."""


def _ours_resumed(real: Any) -> Work:
    """Open the set and return whether the first batch is the one that an undisturbed run has there."""
    from shared.data.batches import BatchPlan, batches
    from shared.store.artifacts import open_artifact

    stream = batches(real, "train", BatchPlan(batch_images=BATCH, seed=0))
    expected = [next(stream)[1].tolist() for _ in range(DONE + 1)][DONE]

    def work() -> bool:
        opened = open_artifact(real.folder, "dataset", "bench")
        labels = next(batches(opened, "train", BatchPlan(batch_images=BATCH, seed=0, start=DONE)))[1]
        return bool(labels.tolist() == expected)

    return work


def _peer_resumed(write: Callable[[Any], Path], make: Loader, real: Any) -> Work:
    """Return the same by a peer's own state."""
    folder = write(real)
    state = state_after(make, folder, BATCH, DONE)
    expected = [labels.tolist() for _, labels in read(make(folder, BATCH, 0))][DONE]

    def work() -> bool:
        loader = make(folder, BATCH, 0)
        loader.load_state_dict(state)
        return bool(next(read(loader))[1].tolist() == expected)

    return work


def _webdataset_resumed(real: Any) -> Work:
    """Read the epoch again and skip what was used: webdataset keeps no place."""
    import webdataset

    def first(skipped: int) -> Any:
        shards = [str(path) for path, _ in real.shards("train")]
        data = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=0).shuffle(IMAGES, seed=0)
        return next(islice(data.batched(BATCH), skipped, None))

    expected = first(DONE)["cls"]
    return lambda: bool(first(DONE)["cls"] == expected)


def _same_place(ours: bool, theirs: bool) -> None:
    """Both go on where they were stopped."""
    assert ours
    assert theirs


def _read_ours(folder: Path, epoch: int) -> int:
    """Read this process's part of an epoch of ours."""
    from shared.data.batches import BatchPlan, batches
    from shared.store.artifacts import open_artifact

    rank = int(os.environ["RANK"])
    plan = BatchPlan(batch_images=BATCH * RANKS, seed=0, rank=rank, world=RANKS, start=epoch * IMAGES // BATCH // RANKS)
    stream = batches(open_artifact(folder, "dataset", "bench"), "train", plan)
    return sum(len(labels) for _, labels in islice(stream, IMAGES // BATCH // RANKS))


def _read_litdata(folder: Path, epoch: int) -> int:
    return sum(len(labels) for _, labels in read(litdata_loader(folder, BATCH, epoch)))


def _read_streaming(folder: Path, epoch: int) -> int:
    return sum(len(labels) for _, labels in read(streaming_loader(folder, BATCH, epoch)))


def _ranks(part: Callable[[Path, int], int], write: Callable[[Any], Path], real: Any) -> Work:
    return Ranks(part, write(real)).epoch


def _halves(ours: list[int], theirs: list[int]) -> None:
    """Every process reads its half, and all of them the whole."""
    assert ours == [IMAGES // RANKS] * RANKS
    assert theirs == ours


RESUMED = {name: partial(_peer_resumed, write, make) for name, (write, make) in INDEXED.items()}

PARTS = {
    "litdata": partial(_ranks, _read_litdata, write_litdata),
    "mosaicml-streaming": partial(_ranks, _read_streaming, write_streaming),
}

ROWS = {
    "load-resume": Row(
        "from a stop at 98 % of an epoch to the next batch",
        1,
        "resumed runs",
        dataset,
        _ours_resumed,
        {"webdataset, PNG": _webdataset_resumed} | RESUMED,
        _same_place,
    ),
    "load-ranks": Row(
        "an epoch of batches in two processes",
        IMAGES,
        "images",
        dataset,
        partial(_ranks, _read_ours, lambda real: real.folder),
        PARTS,
        _halves,
        processes=True,
    ),
}
