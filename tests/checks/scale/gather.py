"""What gathering takes: `python -m tests.checks.scale.gather --out DIR [--shards N,...]`.

The last part of a job reads the record of every shard and writes the pages. Records of made shards of 1,000 images and
1,000 classes are gathered in a process of its own, by the code of the jobs; seconds and peak memory for each number of
shards are written to `gather.json`. `plan` takes what one more shard costs from there.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tests.checks.scale.row import MEASURED, Measured, timed

CLASSES, SHARD_IMAGES, CLASSES_EACH = 1_000, 1_000, 632
"""Each shard has as many of the classes as 1,000 images of 1,000 classes in a random order have."""

PIECES = """
from pathlib import Path
from shared.format.manifest import Dataset, ShardInfo
from shared.format.shards import join, shard_name
from shared.store.work_shards import Shard, WorkShards
class Run:
    folder, shard, exclusive = Path(sys.argv[1]), Shard(0, 1), staticmethod(lambda: None)
count, classes, images, each = map(int, sys.argv[2:])
pieces = WorkShards(Run(), count)
"""

MAKE = (
    PIECES
    + """
counts = [1 if label else images - each + 1 for label in range(each)] + [0] * (classes - each)
for number in range(count):
    made = {"name": shard_name("train", number), "bytes": 1 << 20, "sha256": "0" * 64, "count": images}
    index = {"bytes": 20 * images + 16, "sha256": "1" * 64}
    pieces.done(number, ShardInfo(**made, index=index, class_counts=counts).model_dump(mode="json"))
"""
)

GATHER = (
    PIECES
    + """
split = join([ShardInfo.model_validate(record) for record in pieces.gather()], classes)
names = [f"class-{label:04d}" for label in range(classes)]
described = Dataset(classes=names, size_px=64, channels=3, preparation={}, splits={"train": split})
assert described.paged(Run.folder).splits["train"].count == count * images
"""
)


def gather(shards: int) -> Measured:
    """Return what gathering the records of `shards` shards takes, and writing their pages."""
    with tempfile.TemporaryDirectory() as folder:
        words = [folder, shards, CLASSES, SHARD_IMAGES, CLASSES_EACH]
        timed("-c", MEASURED + MAKE, *words)
        return timed("-c", MEASURED + GATHER, *words)


def main() -> None:
    """Measure every number of shards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", default="1000,10000")
    given = parser.parse_args()
    try:
        numbers = sorted({int(word) for word in given.shards.split(",")})
    except ValueError:
        parser.error(f"--shards {given.shards}: want whole numbers by comma")
    if len(numbers) < 2 or numbers[0] < 1:
        parser.error(f"--shards {given.shards}: want two numbers or more, of at least 1 shard")
    given.out.mkdir(parents=True, exist_ok=True)
    rows = {str(shards): gather(shards) for shards in numbers}
    (given.out / "gather.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
