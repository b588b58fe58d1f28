"""Draw images from an experiment's generator, with quality figures, for `sample` and the playground."""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from shared.data.images import Images, load_split
from shared.errors import BadConfig, MissingArtifact
from shared.format.manifest import MANIFEST
from shared.format.shards import write_split
from shared.metrics.copies import nearest_images
from shared.metrics.pixels import CATEGORIES, class_qualities, compared
from shared.models.labelled_generator import LabelledGenerator, Synthetic
from shared.plots.image_grid import enlarged_png, tile
from shared.runtime.seeding import Stream, derive_seed
from shared.store.artifacts import input_of
from shared.store.job import Job
from shared.store.lineage import chosen_replicate, open_inputs

READS: Job = Job("sample", "", "", "", (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE), replicated=True)
"""The artifacts that are read."""

LIMITS = {name: limit for limit, name in CATEGORIES if math.isfinite(limit)}
"""The largest distance from 1 that a category allows for the ratios."""

SHEET_PX = 256
"""A grid of small images is enlarged, by a whole factor, up to this size."""


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What to draw; `label` is None where the generator knows no classes, `truncation` where nothing is cut off."""

    label: int | None
    count: int
    seed: int
    snapshot: str
    truncation: float | None = None

    @property
    def name(self) -> str:
        """A file name for the drawing, different for different requests."""
        cut = "" if self.truncation is None else f"-truncation-{self.truncation}".replace(".", "_")
        label = "any" if self.label is None else self.label
        return f"class-{label}-{Path(self.snapshot).stem}-seed-{self.seed}-count-{self.count}{cut}"


@dataclass(frozen=True, kw_only=True)
class DrawingFigures:
    """The figures of a drawing: the request, qualities next to those of real test images, predicted classes.

    `class_name` is None where no class can be asked for. `sample` prints it as JSON.
    """

    snapshot: str
    count: int
    seed: int
    truncation: float | None
    asked: bool
    class_name: str | None
    qualities: dict[str, float] | None
    ratios: dict[str, float] | None
    category: str | None
    real_qualities: dict[str, float] | None
    predicted: dict[str, int]
    mean_confidence: float


@dataclass(frozen=True)
class Drawing:
    """The images of a request with their figures: qualities next to those of real test images, predicted classes."""

    request: SampleRequest
    source: LabelledGenerator
    drawn: Synthetic
    figures: DrawingFigures

    def sheet(self) -> bytes:
        """Return the images as a PNG: a grid about as wide as it is high."""
        images = self.drawn.images
        return enlarged_png(tile(images, columns=max(round(len(images) ** 0.5), 1)), SHEET_PX)

    def write_shard(self, folder: Path, name: str, classes: list[str]) -> Path:
        """Write the images, at the generator's size, as one shard of the dataset format, `<name>-00000.tar`; return it.

        The json of a sample says which generator drew it, from which latent, and how sure the annotator is.
        """
        samples = self.source.samples(self.drawn, self.drawn.images)
        split = write_split(folder, name, samples, class_count=len(classes), shard_images=self.request.count)
        return folder / split.shards[0].name


class Experiment:
    """A replicate of a finished experiment to draw from: the best on val where none is named.

    Raises BadInput where an artifact is absent, unfinished or out of step.
    """

    def __init__(self, folder: Path, replicate: int | None = None) -> None:
        self.folder = folder
        self.replicate = chosen_replicate(folder, EVALUATE, replicate)
        # checked here once, so that drawing itself cannot meet a missing artifact
        self.inputs = open_inputs(READS, folder, self.replicate)
        self.real, self.classifier = input_of(self.inputs, PREPROCESS), input_of(self.inputs, TRAIN_CLASSIFIER)
        self.gan, self.scores = input_of(self.inputs, TRAIN_GAN), input_of(self.inputs, EVALUATE)
        self.classes: list[str] = self.real.dataset.classes
        self.conditional = self.gan.record.conditional
        self.chosen = self.scores.record.chosen.epoch
        self.snapshots = {snapshot.epoch: snapshot.file for snapshot in self.gan.record.snapshots}

    @property
    def hashes(self) -> list[str]:
        """The hashes of the artifacts: equal hashes mean the same experiment."""
        return [artifact.sha256 for artifact in self.inputs.values()]

    @cached_property
    def train(self) -> Images:
        """The real train split."""
        return load_split(self.real, "train")

    @cached_property
    def test(self) -> Images:
        """The real test split."""
        return load_split(self.real, "test")

    def label(self, wanted: str | None) -> int | None:
        """Return the label of a class given by its name, or by its number where no class is called that.

        None where the generator knows no classes; BadConfig for a class that is not there, or missing.
        """
        if not self.conditional:
            if wanted is not None:
                raise BadConfig(f"--class {wanted!r}: this generator was trained without classes; leave --class out")
            return None
        # the name first: a class may be called 7 and have the label 3
        if wanted in self.classes:
            return self.classes.index(wanted)
        if wanted is not None and wanted.isdecimal() and int(wanted) < len(self.classes):
            return int(wanted)
        came = "--class is missing" if wanted is None else f"--class {wanted!r}: no such class"
        raise BadConfig(f"{came}; there are {', '.join(self.classes)}")

    def snapshot(self, epoch: int | None) -> str:
        """Return the file of the snapshot after `epoch`, by default of the one that evaluate chose."""
        wanted = self.chosen if epoch is None else epoch
        if wanted not in self.snapshots:
            raise BadConfig(f"--epoch {wanted}: no such snapshot; there are {', '.join(map(str, self.snapshots))}")
        return self.snapshots[wanted]

    def draw(self, request: SampleRequest) -> Drawing:
        """Return the images of `request` with their figures; qualities are None for fewer than 3 images.

        They are compared with the real test images of the class, or with all where no class can be asked for.
        """
        # on the CPU: a few images, and the same ones on every machine
        source = LabelledGenerator(self.gan, request.snapshot, self.classifier, torch.device("cpu"))
        seeds = [derive_seed(request.seed, Stream.SAMPLE_LATENTS, index) for index in range(request.count)]
        drawn = source.draw(seeds, torch.full((request.count,), request.label or 0), request.truncation)
        # the whole drawing is one class here, also where an unconditional generator drew several
        real_qualities, qualities = (
            class_qualities(images, torch.zeros(len(images)), 1)
            for images in (self.real_test(request.label), drawn.images)
        )
        (quality,) = compared(qualities, real_qualities, [""])
        named = [self.classes[index] for index in drawn.given.tolist()]
        figures = DrawingFigures(
            snapshot=request.snapshot,
            count=request.count,
            seed=request.seed,
            truncation=request.truncation,
            asked=self.conditional,
            class_name=None if request.label is None else self.classes[request.label],
            qualities=quality.qualities,
            ratios=quality.ratios,
            category=quality.category,
            real_qualities=real_qualities[0],
            predicted={name: named.count(name) for name in dict.fromkeys(named)},
            mean_confidence=float(drawn.confidence.mean()),
        )
        return Drawing(request, source, drawn, figures)

    def real_test(self, label: int | None) -> Tensor:
        """Return the real test images of a class, or all of them."""
        test = self.test
        return test.images if label is None else test.images[test.labels == label]

    def nearest_train(self, images: Tensor) -> tuple[list[float], Images]:
        """Return the distance of each image to its nearest training image, in pixels of [0, 1], and that image."""
        distances, which = nearest_images(images, self.train.images)
        return distances.tolist(), self.train.subset(which)


class ExperimentIndex:
    """The experiments under a data root, of each the same replicate, or the best on val where none is named.

    The one opened last stays in memory until its artifacts change.
    """

    def __init__(self, data_root: Path, replicate: int | None = None) -> None:
        self.data_root, self.replicate = data_root, replicate
        self._kept: Experiment | None = None

    def names(self) -> list[str]:
        """Return the names of the experiments that have real images, finished or not."""
        names = (path.parent.parent.name for path in self.data_root.glob(f"*/{PREPROCESS.writes}/{MANIFEST}"))
        return sorted(name for name in names if not name.startswith("."))

    def open(self, name: str) -> Experiment:
        """Return an experiment; BadInput where it is absent or unfinished."""
        if name not in self.names():
            there = ", ".join(self.names()) or "none; run first: halfreal run"
            raise MissingArtifact(f"{self.data_root / name}: no experiment there; there are {there}")
        # opening reads manifests alone; the images that the kept one has loaded stay as long as the hashes do
        opened, kept = Experiment(self.data_root / name, self.replicate), self._kept
        if kept is None or (kept.folder, kept.hashes) != (opened.folder, opened.hashes):
            self._kept = kept = opened
        return kept
