"""Scores of all pairs of images, measured: `python -m tests.checks.scale.pairs [--images N] [--widths 64,2048] ...`.

For each width PRDC and the copy test of N made features against N others, and the copy test on the pixels of
`SYNTHETIC` images against N, each in a process of its own: processor seconds, and the peak of its memory, of which the
sets themselves (float32, uint8) are named apart. Features of more than `HELD_BYTES` are on disk, read block by block.
What is promised of 100,000 images is at most 2 GB. `--before CHECKOUT` measures the code of another checkout next to
it, on the same sets, and prints how much longer that takes.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.checks.scale.row import ROOT, run

IMAGES, WIDTH, SIZE_PX = 100_000, 64, 32

MOST_GB = 2.0

HELD_BYTES = 256 << 20
"""Features of a set, at most, that are in memory."""

BEGIN = """
import time
import numpy as np
import torch
torch.set_num_threads(int(sys.argv[1]))
count, width, on_disk = map(int, sys.argv[2:])
def features(seed):
    if not on_disk:
        return torch.from_numpy(made(seed, width))
    from pathlib import Path
    from tempfile import gettempdir
    from shared.metrics.features.stored import StoredRows
    rows, chance = StoredRows(Path(gettempdir())), np.random.default_rng(seed)
    for start in range(0, count, 1000):
        rows.append(chance.standard_normal((min(1000, count - start), width), np.float32))
    return rows
def made(seed, *shape, kind=np.float32):
    # row by row in place: numbers of another type would be held first, and be the peak
    whole, chance = np.empty((count, *shape), kind), np.random.default_rng(seed)
    for row in whole.reshape(count, -1):
        numbers = chance.standard_normal(row.size, np.float32)
        row[:] = numbers if kind is np.float32 else (40 * numbers + 128).clip(0, 255)
    return whole
"""

END = """
taken = time.process_time() - clock
answer(seconds=taken, gb=peak_bytes() / 1e9, held_gb=sum(getattr(each, "nbytes", 0) for each in sets) / 1e9)
"""

PRDC = """
from shared.metrics.features.prdc import prdc
sets = [features(seed) for seed in (1, 2)]
sets = sets if on_disk else [each.numpy() for each in sets]
clock = time.process_time()
prdc(*sets)
"""

COPIES = """
from shared.metrics.copies import copy_test
sets = [features(seed) for seed in (1, 2)]
clock = time.process_time()
copy_test(sets[0], sets[0][torch.arange(count - 2000, count).flip(0)], sets[1])
"""

SYNTHETIC = 2_000
"""Synthetic images whose pixels are compared, and held-out ones: what grows is the train split, which is read in
blocks. For 100,000 of them it would take hours, each against every shift of every other."""

PIXELS = f"""
from shared.data.images import Images
from shared.metrics.copies import pixel_copies
# in squares: of noise without them no projection says anything, as of no picture that people have
side = width // 8
sets = [made(seed, 3, 8, 8, kind=np.uint8).repeat(side, 2).repeat(side, 3) for seed in (1, 2)]
drawn, others = (torch.from_numpy(each) for each in (sets[0][:{SYNTHETIC}], sets[0][-{SYNTHETIC}:]))
held_out, train = (Images(each, torch.zeros(len(each)).long()) for each in (others, torch.from_numpy(sets[1])))
clock = time.process_time()
pixel_copies(drawn, held_out, train)
"""

SCORES = {"prdc": PRDC, "copies": COPIES, "pixels": PIXELS}


@dataclass(frozen=True)
class Took:
    """Processor seconds of a score, the peak of its process, and what of that the sets themselves are, in GB."""

    seconds: float
    gb: float
    held_gb: float

    @property
    def words(self) -> str:
        """All of it in words."""
        return (
            f"{self.seconds:,.1f} s of a processor, peak {self.gb:.2f} GB, of which the sets are {self.held_gb:.2f} GB"
        )


def measured(score: str, images: int, width: int, threads: int = 1, checkout: Path | None = None) -> Took:
    """Return what a score of `images` against as many takes; `width` is of features, or of images in pixels.

    Another `checkout` has all sets in memory.
    """
    on_disk = int(checkout is None and score != "pixels" and 4 * images * width > HELD_BYTES)
    where = {"OMP_NUM_THREADS": f"{threads}", "PYTHONPATH": str(checkout or ROOT)}
    return Took(**run(BEGIN + SCORES[score] + END, threads, images, width, on_disk, **where))


def largest_peak(_: Path) -> float:
    """Return the largest peak of the scores at the size that is promised, in GB."""
    found = {}
    for score, width in {"prdc": WIDTH, "copies": WIDTH, "pixels": SIZE_PX}.items():
        took = measured(score, IMAGES, width, threads=2)
        found[score] = took.gb
        print(f"  {score}: {took.words}", flush=True)
    return max(found.values())


def main() -> int:
    """Measure; return 1 where a peak is above MOST_GB."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--widths", default="64,2048", help="of features, joined by commas")
    parser.add_argument("--size-px", type=int, default=SIZE_PX, help="of images")
    parser.add_argument("--scores", default=",".join(SCORES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--before", type=Path, help="another checkout, measured next to this one")
    asked = parser.parse_args()
    kept = True
    for score in asked.scores.split(","):
        widths = [asked.size_px] if score == "pixels" else [int(width) for width in asked.widths.split(",")]
        for width in widths:
            took = measured(score, asked.images, width, asked.threads)
            kept &= took.gb <= MOST_GB
            few = SYNTHETIC if score == "pixels" else asked.images
            print(f"{score}, {few:,} against {asked.images:,}, width {width}: {took.words}", flush=True)
            if asked.before is not None:
                before = measured(score, asked.images, width, asked.threads, asked.before)
                print(f"  before: {before.words}; {before.seconds / took.seconds:.2f}x", flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
