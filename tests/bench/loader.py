"""Shards to shuffled float batches, against webdataset."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.rows import Row, Work

IMAGES, EPOCHS, BATCH = 4096, 3, 64


def _dataset(folder: Path) -> Any:
    """Write 4,096 coarse noise images of 64x64 px as shards."""
    from shared.artifacts import open_artifact
    from shared.drafts import Request, draft
    from shared.format.manifest import Dataset
    from shared.format.sample import Sample
    from shared.format.shards import write_split

    chance = np.random.default_rng(0)
    samples = (
        Sample(
            key=f"s{i:08d}",
            image=chance.integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1),
            label=i % 10,
            meta={},
        )
        for i in range(IMAGES)
    )
    with draft(folder / "real", Request("bench", "dataset", {}), keep=False) as work:
        split = write_split(work.folder, "train", samples, class_count=10, shard_images=1000)
        names = [str(i) for i in range(10)]
        work.commit(
            facts={}, dataset=Dataset(classes=names, size_px=64, channels=3, preparation={}, splits={"train": split})
        )
    return open_artifact(folder / "real", "dataset", "bench")


def _ours(real: Any) -> Work:
    """Return a reader of all epochs, the filling included."""
    import torch

    from shared.loading import batches, to_unit_range

    def work() -> float:
        stream = batches(real, "train", BATCH, seed=0)
        steps = EPOCHS * IMAGES // BATCH
        return sum(float(to_unit_range(next(stream)[0]).sum(dtype=torch.float64)) for _ in range(steps))

    return work


def _webdataset(real: Any) -> Work:
    import torch
    import webdataset

    def work() -> float:
        shards = [str(path) for path, _ in real.shards("train")]
        total = 0.0
        for epoch in range(EPOCHS):
            data = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=epoch).shuffle(IMAGES, seed=epoch)
            for images, _labels in data.decode("rgb8").to_tuple("png", "cls").batched(BATCH):
                pixels = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).float() / 127.5 - 1
                total += float(pixels.sum(dtype=torch.float64))
        return total

    return work


def _same_sum(ours: float, theirs: float) -> None:
    assert abs(ours - theirs) <= 1e-9 * IMAGES * EPOCHS * 3 * 64 * 64, (ours, theirs)


ROWS = {
    "loader": Row(
        "shards to shuffled float batches, 64x64 px, 3 epochs with the first",
        IMAGES * EPOCHS,
        "images",
        _dataset,
        _ours,
        {"webdataset": _webdataset},
        _same_sum,
    ),
}
