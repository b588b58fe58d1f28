"""A tiny experiment on imported images: real pictures, two sets of synthetic ones in folders, and no GAN."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.pipeline import EVALUATE, IMPORT, PREPROCESS, TRAIN_CLASSIFIER
from shared.store.artifacts import Artifact, open_output
from tests.experiment.tiny import CLASSES, OPTIONS, call

FILE_PX = 24
"""The side of the images in the folders: they have to be brought to the real ones' size."""

COUNTS = {"fakes": (20, 12, 8), "others": (15, 12, 9)}
"""The images of each class in the two sets; what the second one calls left is in the middle, and so on."""

BROKEN = "left/broken.png"
"""A file of the first set that is no image."""

REAL_FILTER = "box"
"""Not the default, so that a use of another filter is noticed."""

EVALUATED = 38
"""Images that are scored: fewer than the first set has, more than the second."""

PLAIN: dict[str, list[object]] = {
    **OPTIONS,
    "preprocess": [*OPTIONS["preprocess"], "--resize-filter", REAL_FILTER],
    "train_classifier": [*OPTIONS["train_classifier"], "--steps", 150, "--width", 8],
    "synthesize": ["--shard-images", 15],
    "evaluate": ["--images", EVALUATED],
    "report": [],
}


def picture(label: int, rng: np.random.Generator) -> Image.Image:
    """Return a noisy colour picture with the bar of its class."""
    pixels = rng.integers(0, 120, (FILE_PX, FILE_PX, 3), dtype=np.uint8)
    pixels[:, 8 * label : 8 * label + 6] += 120
    return Image.fromarray(pixels)


def write_set(folder: Path, counts: tuple[int, ...], seed: int, shift: int = 0) -> Path:
    """Write a folder of pictures for each class; return the folder of them all.

    With a `shift` the pictures in a folder are those of another class.
    """
    rng = np.random.default_rng(seed)
    for label, count in enumerate(counts):
        name = CLASSES[label]
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture((label + shift) % len(CLASSES), rng).save(folder / name / f"{number:03d}.png")
    return folder


def job(name: str, root: Path, *words: object) -> Any:
    """Return the result of a job of the experiment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OPTIONS, name, PLAIN[name])
        return call(name, root, *words)


def imports(*paths: Path) -> list[object]:
    """Return the words by which synthesize imports these sets, one for each replicate."""
    given = str(paths[0]) if len(paths) == 1 else json.dumps(list(map(str, paths)))
    return ["--source", "folder", "--source-path", given, "--max-rejected", 0.1]


@dataclass(frozen=True)
class ImportedExperiment:
    """The volume, the folders of the two sets, and the artifacts: those of replicates in order."""

    root: Path
    sets: list[Path]
    real: Artifact
    classifiers: list[Artifact]
    synthetic: list[Artifact]
    scores: list[Artifact]
    said: dict[str, str]

    @property
    def folder(self) -> Path:
        """The experiment's folder."""
        return self.root / "tiny"


def made_without_gan(root: Path, recipe: Path) -> ImportedExperiment:
    """Run preprocess, train_classifier, synthesize and evaluate for two replicates, and return what came out."""
    sets = [write_set(root / "sets" / name, counts, seed, seed) for seed, (name, counts) in enumerate(COUNTS.items())]
    (sets[0] / BROKEN).write_text("no image", encoding="utf-8")
    (sets[0] / "README.txt").write_text("about", encoding="utf-8")
    said = {}
    words = {"synthesize": imports(*sets), "evaluate": ["--scored", "synthetic"]}
    for name in ("preprocess", "train_classifier", "synthesize", "evaluate"):
        result = job(name, root, "--recipe", recipe, *words.get(name, []))
        assert result.exit_code == 0, result.output
        said[name] = result.output
    made = {
        row.writes: [open_output(row, root / "tiny", number) for number in range(2)]
        for row in (PREPROCESS, TRAIN_CLASSIFIER, IMPORT, EVALUATE)
    }
    return ImportedExperiment(root, sets, made["real"][0], made["classifier"], made["synthetic"], made["scores"], said)
