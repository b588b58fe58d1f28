"""Run preprocess on generated sources and read its output; shared by the tests of sources."""

from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

from jobs.preprocess.__main__ import main
from shared.format.sample import Sample
from shared.format.shards import read_shard
from shared.store.artifacts import Artifact, open_artifact


def preprocess(root: Path, *words: str) -> Result:
    """Run the command on `root` with small defaults."""
    common = ["--data-root", str(root), "--experiment", "e", "--size-px", "8", "--channels", "3"]
    return CliRunner().invoke(main, [*common, *words])


def done(root: Path, *words: str) -> Artifact:
    """Run the command, which must succeed, and open its artifact."""
    result = preprocess(root, *words)
    assert result.exit_code == 0, result.output
    return open_artifact(root / "e" / "real", "dataset", "preprocess")


def samples(artifact: Artifact, split: str) -> list[Sample]:
    """Return the samples of a split."""
    return [sample for path, info in artifact.shards(split) for sample in read_shard(path, info)]


def everything(artifact: Artifact) -> dict[str, list[Sample]]:
    """Return the samples of every split."""
    return {split: samples(artifact, split) for split in ("train", "val", "test")}


def picture(number: int, size: tuple[int, int] = (8, 8)) -> Image.Image:
    """Return a picture unique to this number."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8))


def fill(folder: Path, classes: dict[str, int], suffix: str = ".png") -> None:
    """Write distinct pictures, the given number for each class."""
    for place, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            picture(1000 * place + index).save(folder / name / f"{index:03d}{suffix}")
