"""The row about memory: what the jobs that read images take at 8 times the images."""

import json
from functools import partial
from pathlib import Path

from tests.checks.scale.row import job
from tests.checks.scale.sets import dataset

FEW, TIMES, SIZE_PX = 20_000, 8, 64

JOBS = ("train_classifier", "evaluate", "train_mixed")


def growth(folder: Path, few: int = FEW) -> float:
    """Return the largest growth of a job's peak memory from `few` to 8 times as many real and synthetic images."""
    small, large = (peaks(folder / f"{count}", count) for count in (few, TIMES * few))
    ratios = {name: large[name] / small[name] for name in JOBS}
    for name, ratio in ratios.items():
        print(f"  {name}: {small[name] / 1e6:,.0f} MB, then {large[name] / 1e6:,.0f} MB: {ratio:.2f}", flush=True)
    return max(ratios.values())


def peaks(folder: Path, count: int) -> dict[str, int]:
    """Return the peak of each job's memory, in bytes, on `count` real and as many imported images."""
    folder.mkdir(parents=True)
    for name in ("real", "made"):
        dataset(folder / name, count, SIZE_PX)
    where = ["--recipe", "emoji", "--data-root", folder / "volume", "--experiment", "set"]
    size = ["--size-px", SIZE_PX, "--limit", 0, "--per-class", 0, "--near-duplicates-bits", 0]
    imported = ["--source", "webdataset", "--source-path"]
    ask = partial(job, HALFREAL_REPLICATES="1")
    ask("preprocess", *where, *size, *imported, folder / "real")
    ask("train_classifier", *where, "--steps", 10, "--measure-every", 10)
    ask("synthesize", *where, *imported, folder / "made")
    ask("evaluate", *where, "--scored", "synthetic", "--images", 500)
    ask("train_mixed", *where, "--steps", 10, "--measure-every", 10, "--fits", 1)
    return {name: peak_of(folder / "volume", name) for name in JOBS}


def peak_of(volume: Path, name: str) -> int:
    """Return the peak memory that a job recorded, in bytes; of several artifacts the largest."""
    found = [
        json.loads((path.parent / "run.json").read_bytes())["peak_bytes"]
        for path in volume.rglob("manifest.json")
        if json.loads(path.read_bytes())["job"] == name and (path.parent / "run.json").is_file()
    ]
    return int(max(found))
