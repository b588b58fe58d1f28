"""The row about opening: what it takes to open a dataset of 100,000 shards and 1,000 classes."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.checks.scale.row import run

SHARDS, CLASSES, SHARD_IMAGES, PAGE_SHARDS = 100_000, 1_000, 1_000, 1_000

MOST = {"bytes": 10e6, "seconds": 1.0, "peak": 200e6}
"""What opening may take: bytes of files and names that are read, time, and memory of the whole process."""

OPEN = """
import time
from pathlib import Path
from shared.store.artifacts import open_artifact
folder = Path(sys.argv[1])
before, clock = counted("rchar"), time.perf_counter()
real = open_artifact(folder, "dataset", "preprocess")
seconds, read = time.perf_counter() - clock, counted("rchar") - before
train = real.dataset.splits["train"]
found = [len(real.shards("train")), train.count, len(train.class_counts)]
peak = peak_bytes()
# the kernel hands out names apart from what is read of files: 19 bytes, the name and its end, in steps of 8
names = sum((len(os.fsencode(name)) + 27) // 8 * 8 for name in os.listdir(folder))
answer(bytes=read + names, seconds=seconds, peak=peak, found=found)
"""


def opening(folder: Path) -> float:
    """Return the largest share of what opening may take that it takes, and print each."""
    make(folder, SHARDS, CLASSES)
    found = opened(folder)
    print(
        f"  {found['bytes'] / 1e6:.1f} MB, {found['seconds']:.2f} s, {found['peak'] / 1e6:.0f} MB of memory", flush=True
    )
    return max(found[name] / most for name, most in MOST.items())


def opened(folder: Path) -> dict[str, Any]:
    """Open the dataset in a process of its own; return what that took, and what it `found`."""
    return run(OPEN, folder)


def make(folder: Path, shards: int, classes: int, classes_each: int = 632) -> None:
    """Write a dataset of which the images are missing: manifest, pages, and empty files of the shards and indexes.

    It is written from the specification. Each shard has `classes_each` of the classes, as many as 1,000 images of 1,000
    classes in a random order have.
    """
    pages = []
    counts = dict.fromkeys(map(str, range(classes_each)), 1) | {"0": SHARD_IMAGES - classes_each + 1}
    record = {"bytes": 10_240, "sha256": "0" * 64, "count": SHARD_IMAGES, "class_counts": counts}
    rest = json.dumps(record | {"index": {"bytes": 20_016, "sha256": "1" * 64}}, separators=(",", ":"))[1:]
    for number, start in enumerate(range(0, shards, PAGE_SHARDS)):
        names = [f"train-{shard:05d}" for shard in range(start, min(start + PAGE_SHARDS, shards))]
        for name in names:
            (folder / f"{name}.tar").touch()
            (folder / f"{name}.idx").touch()
        payload = ("[\n" + ",\n".join(f'{{"name":"{name}.tar",{rest}' for name in names) + "\n]\n").encode()
        page = {"name": f"train-shards-{number:05d}.json", "bytes": len(payload), "sha256": sha256(payload).hexdigest()}
        (folder / page["name"]).write_bytes(payload)
        pages.append(page | {"shards": len(names), "count": SHARD_IMAGES * len(names)})
    totals = [shards * counts.get(str(label), 0) for label in range(classes)]
    split = {"count": SHARD_IMAGES * shards, "class_counts": totals, "shards": shards, "pages": pages}
    described = {"classes": [f"class-{label:04d}" for label in range(classes)], "size_px": 64, "channels": 3}
    manifest = {
        "format": "halfreal",
        "version": 2,
        "kind": "dataset",
        "job": "preprocess",
        "halfreal": "0",
        "options": {},
        "inputs": {},
        "files": [],
        "dataset": described | {"preparation": {}, "splits": {"train": split}},
        "facts": {},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
