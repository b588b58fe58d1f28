"""The row about ranks that share a machine: what two of them hold of its memory next to what one holds."""

import ctypes
import mmap
import shutil
from pathlib import Path

from tests.checks.scale.reading import READ
from tests.checks.scale.row import ended, started
from tests.checks.scale.sets import dataset

IMAGES, SIZE_PX = 200_000, 64

PROPORTIONAL = (
    READ
    + """
print("ready", flush=True)
sys.stdin.readline()
with open("/proc/self/smaps_rollup") as lines:
    answer(pss=1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:")))
"""
)


def memory_together(folder: Path, images: int = IMAGES) -> float:
    """Return the memory of 2 ranks over that of one, after an epoch of a set that is much larger than a process.

    Memory is the proportional set of each rank, and what the system's cache has of the decoded pixels, once for all.
    """
    dataset(folder / "real", images, SIZE_PX)
    alone, both = (together(folder, world, images) for world in (1, 2))
    return both / alone


def together(folder: Path, world: int, images: int) -> int:
    """Return the bytes of memory that `world` ranks hold after each has read its part of an epoch."""
    cache, steps = folder / "cache", images // 64 // world
    ranks = [
        started(PROPORTIONAL, folder / "real", rank, world, 0, steps, HALFREAL_CACHE_DIR=str(cache))
        for rank in range(world)
    ]
    for rank in ranks:
        assert rank.stdout is not None
        if rank.stdout.readline() != "ready\n":  # every rank has read its part before any is measured
            ended(rank)
    shared = sum(cached_bytes(path) for path in cache.rglob("pixels"))
    own = 0
    for rank in ranks:
        assert rank.stdin is not None
        rank.stdin.write("\n")
        rank.stdin.flush()
        own += ended(rank)["pss"]
    print(f"  {world} ranks: {own / 1e6:,.0f} MB of their own, {shared / 1e6:,.0f} MB of decoded pixels", flush=True)
    shutil.rmtree(cache)
    return own + shared


def cached_bytes(path: Path) -> int:
    """Return how many bytes of a file are in the system's cache."""
    size = path.stat().st_size
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as mapped:
        pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
        start = ctypes.c_char.from_buffer(mapped)
        failed = ctypes.CDLL(None, use_errno=True).mincore(
            ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(size), pages
        )
        del start  # a map that is pointed to cannot be closed
    if failed:
        raise RuntimeError(f"{path}: mincore: error {ctypes.get_errno()}")
    return mmap.PAGESIZE * sum(page & 1 for page in pages)
