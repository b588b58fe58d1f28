"""Run the benchmarks: `make bench`, or `python -m tests.bench NAME ...` for some of them.

Each row does the same work on the same data with halfreal and with the tool that a user would pick instead, in
alternating rounds after one warm-up each. The results of both are compared before anything is timed. Reported is
the median of the peer's time over halfreal's, and its range over the rounds.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """A benchmark: what is done, who the peer is, and a function that returns (ours, theirs, check)."""

    work: str
    peer: str
    make: Callable[[Path], tuple[Callable[[], Any], Callable[[], Any], Callable[[Any, Any], None]]]


def frechet(folder: Path) -> Any:
    """Fréchet distance of two sets of 2,048-d features, 4,096 images each; relative difference at most 1e-6."""
    from cleanfid.fid import frechet_distance as peer

    from jobs.evaluate.scores import frechet_distance, moments

    chance = np.random.default_rng(0)
    sides = [moments(chance.standard_normal((4096, 2048)) * chance.uniform(0.2, 2, 2048)) for _ in range(2)]

    def check(a: float, b: float) -> None:
        assert abs(a - b) <= 1e-6 * abs(b), (a, b)

    return lambda: frechet_distance(*sides[0], *sides[1]), lambda: peer(*sides[0], *sides[1]), check


def loader(folder: Path) -> Any:
    """4,096 images of 64x64 px in shards to shuffled float batches of 64, three epochs; equal sums of pixels."""
    os.environ["WDS_SECURE"] = "1"
    import torch
    import webdataset

    from shared.artifacts import open_artifact
    from shared.drafts import Request, draft
    from shared.format.manifest import Dataset
    from shared.format.sample import Sample, decode_image
    from shared.format.shards import write_split
    from shared.loading import batches, to_unit_range

    chance = np.random.default_rng(0)
    rough = [chance.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(4096)]
    samples = (
        Sample(key=f"s{i:08d}", image=image.repeat(8, 0).repeat(8, 1), label=i % 10, meta={})
        for i, image in enumerate(rough)
    )
    with draft(folder / "real", Request("bench", "dataset", {}), keep=False) as work:
        split = write_split(work.folder, "train", samples, class_count=10, shard_images=1000)
        names = [str(i) for i in range(10)]
        work.commit(
            facts={}, dataset=Dataset(classes=names, size_px=64, channels=3, preparation={}, splits={"train": split})
        )
    real = open_artifact(folder / "real", "dataset", "bench")
    steps = 3 * 4096 // 64

    def ours() -> float:
        stream = batches(real, "train", 64, seed=0)
        return sum(float(to_unit_range(next(stream)[0]).sum(dtype=torch.float64)) for _ in range(steps))

    def theirs() -> float:
        shards = [str(path) for path, _ in real.shards("train")]
        total = 0.0
        decode = {"png": decode_image, "cls": int}
        for _ in range(3):
            data = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=0).shuffle(4096, seed=0)
            loaded = data.map_dict(**decode).to_tuple("png", "cls").batched(64)
            for images, _labels in loaded:
                pixels = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).float() / 127.5 - 1
                total += float(pixels.sum(dtype=torch.float64))
        return total

    def check(a: float, b: float) -> None:
        assert abs(a - b) <= 1e-9 * 4096 * 3 * 64 * 64, (a, b)

    return ours, theirs, check


ROWS = {
    "frechet": Row("Fréchet distance, 2,048-d", "clean-fid (scipy sqrtm)", frechet),
    "loader": Row("shards to shuffled float batches, 64x64 px, 3 epochs", "webdataset", loader),
}


def measure(row: Row) -> dict[str, Any]:
    """Return the row's ratio, peer's time over ours: median and range over alternating rounds."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs, check = row.make(Path(folder))
        check(ours(), theirs())
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for number in range(ROUNDS):
            order = [("ours", ours), ("theirs", theirs)]
            for name, work in order if number % 2 else reversed(order):
                started = time.perf_counter()
                work()
                times[name].append(time.perf_counter() - started)
    ratios = [theirs / ours for ours, theirs in zip(times["ours"], times["theirs"], strict=True)]
    return {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios), "rounds": ROUNDS} | {
        f"{name}_s": statistics.median(values) for name, values in times.items()
    }


def main() -> None:
    """Measure the rows named on the command line, or all; print a table and write .bench/results.json."""
    names = sys.argv[1:] or list(ROWS)
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there are {', '.join(ROWS)}")
    results = {}
    for name in names:
        row = ROWS[name]
        results[name] = found = {"work": row.work, "peer": row.peer, **measure(row)}
        print(
            f"{name:10} {found['ratio']:7.1f}x [{found['low']:.1f} .. {found['high']:.1f}]  {row.work}, "
            f"against {row.peer}: {found['ours_s']:.2f} s, {found['theirs_s']:.2f} s",
            flush=True,
        )
    folder = Path(".bench")
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
