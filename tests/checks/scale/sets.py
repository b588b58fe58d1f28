"""Generated sets: coarse noise, as quick to make and to compress as drawings."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.format.manifest import Dataset
from shared.format.png import encode_png
from shared.format.sample import Sample
from shared.format.shards import write_split
from shared.store.artifacts import Artifact, open_artifact
from shared.store.staging import BuildKey, stage

CLASSES = 10


def picture(number: int, size_px: int) -> NDArray[np.uint8]:
    """Return picture `number`: uint8 (size_px, size_px, 3), in squares of a quarter of the side."""
    chance = np.random.default_rng(number)
    side = size_px // 4
    return chance.integers(0, 256, (4, 4, 3), np.uint8).repeat(side, 0).repeat(side, 1)


def folders(place: Path, count: int, size_px: int, classes: int = CLASSES) -> Path:
    """Write `count` PNG files in a folder for each class: a source that is ordered by class."""
    for label in range(classes):
        (place / f"class-{label:04d}").mkdir(parents=True)
    for number in range(count):
        path = place / f"class-{number % classes:04d}" / f"{number:08d}.png"
        path.write_bytes(encode_png(picture(number, size_px)))
    return place


def dataset(place: Path, count: int, size_px: int, *, ordered: bool = False) -> Artifact:
    """Write a dataset with a train split of `count` images, and return it; `ordered` by class as a folder is."""
    labels = np.arange(count) % CLASSES
    if ordered:
        labels.sort()

    def samples() -> Iterator[Sample]:
        for number, label in enumerate(labels.tolist()):
            image = picture(number % 997, size_px)
            # no two alike
            image[0, :4].reshape(-1)[:4] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
            yield Sample(key=f"s{number:08d}", image=image, label=label, meta={})

    with stage(place, BuildKey("scale", "dataset", {}), resumable=False) as work:
        split = write_split(work.folder, "train", samples(), class_count=CLASSES, shard_images=1000)
        names = [f"class-{label}" for label in range(CLASSES)]
        work.commit(
            dataset=Dataset(classes=names, size_px=size_px, channels=3, preparation={}, splits={"train": split})
        )
    return open_artifact(place, "dataset", "scale")
