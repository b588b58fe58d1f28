"""Rows about reading a split: how classes mix, who reads how much of it, what a second reader has to do."""

from pathlib import Path

from tests.checks.scale.row import ended, run, started
from tests.checks.scale.sets import dataset

IMAGES, SIZE_PX = 24_000, 32

READ = """
from pathlib import Path
from shared.data.batches import BatchPlan, batches
from shared.store.artifacts import open_artifact
folder, rank, world, start, steps = Path(sys.argv[1]), *map(int, sys.argv[2:6])
taken, preadv = [0], os.preadv
def counting_preadv(*words):
    read = preadv(*words)
    taken[0] += read
    return read
os.preadv = counting_preadv  # of decoded pixels, which are no bytes of the split: the system has them in its cache
before = counted("rchar")
real = open_artifact(folder, "dataset", "scale")
plan = BatchPlan(batch_images=64 * world, seed=0, rank=rank, world=world, start=start)
stream = batches(real, "train", plan)
classes, rows = [], 0
for _ in range(steps):
    images, labels = next(stream)
    classes.append(len(set(labels.tolist())))
    rows += images.numel()
"""

COUNT = READ + 'answer(read=counted("rchar") - before - taken[0], rows=rows, classes=sum(classes) / len(classes))'

DECODED = (
    """
import shared.data.images, shared.format.sample
from shared.format import sample
calls, decode = [0], sample.decode_image
def counting(member):
    calls[0] += 1
    return decode(member)
for module in list(sys.modules.values()):
    if getattr(module, "decode_image", None) is decode:
        module.decode_image = counting
"""
    + READ
    + "answer(decoded=calls[0])"
)


def size_of(folder: Path) -> int:
    """Return the bytes of a dataset's shards."""
    return sum(path.stat().st_size for path in folder.glob("*.tar"))


def mixed_classes(folder: Path) -> float:
    """Return the mean number of classes in the first 60 batches of 64 of a class-ordered set that is streamed."""
    dataset(folder / "real", IMAGES, SIZE_PX, ordered=True)
    return float(run(COUNT, folder / "real", 0, 1, 0, 60, HALFREAL_CACHE_GB="0", HALFREAL_MEMORY="64MB")["classes"])


def read_by_rank(folder: Path) -> float:
    """Return the largest share of a split's bytes that one of 4 processes reads in an epoch, each in turn."""
    dataset(folder / "real", IMAGES, SIZE_PX)
    steps = IMAGES // 256
    cache = {"HALFREAL_CACHE_DIR": str(folder / "cache"), "LOCAL_WORLD_SIZE": "4"}
    ranks = [started(COUNT, folder / "real", rank, 4, 0, steps, LOCAL_RANK=str(rank), **cache) for rank in range(4)]
    return max(ended(rank)["read"] for rank in ranks) / size_of(folder / "real")


def read_on_resume(folder: Path) -> float:
    """Return the share of the split's bytes that a run which resumes at 98 % of an epoch reads for its first batch."""
    dataset(folder / "real", IMAGES, SIZE_PX)
    cache = {"HALFREAL_CACHE_DIR": str(folder / "cache")}
    run(COUNT, folder / "real", 0, 1, 0, 1, **cache)
    found = run(COUNT, folder / "real", 0, 1, 98 * IMAGES // 6400, 1, **cache)
    return float((found["read"] + found["rows"]) / size_of(folder / "real"))


def decoded_again(folder: Path) -> float:
    """Return how many pictures a second process decodes for an epoch of a split that another one has read."""
    dataset(folder / "real", IMAGES, SIZE_PX)
    cache = {"HALFREAL_CACHE_DIR": str(folder / "cache")}
    first, second = (run(DECODED, folder / "real", 0, 1, 0, IMAGES // 64, **cache)["decoded"] for _ in range(2))
    if not first:
        raise RuntimeError("the first process decoded no picture: the count is broken")
    return float(second)
