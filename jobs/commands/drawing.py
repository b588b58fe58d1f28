"""Draw images from an experiment's generator, with quality figures, for `sample` and the playground."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.pipeline import EVALUATE, PREPROCESS, SYNTHESIZE, TRAIN_CLASSIFIER, TRAIN_GAN
from shared.cli.options import nearest
from shared.errors import BadConfig, BadInput
from shared.stats.class_choice import listed
from shared.store.job import Job
from shared.store.lineage import chosen_replicate, open_inputs
from shared.store.replicates import existing, why_shown

# torch takes seconds to import: a replicate, snapshot or class that is not there is refused before
if TYPE_CHECKING:
    from torch import Tensor

    from shared.data.images import Images
    from shared.models.labelled_generator import LabelledGenerator, Synthetic
    from shared.store.records.datasets import SyntheticRecord

READS: Job = Job("sample", "", "", "", (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE), replicated=True)
"""The artifacts that are read."""

SHEET_PX, SHEET_OF_CLASSES_PX = 256, 1024
"""A grid of small images is enlarged, by a whole factor, up to this size; one with several classes up to the second."""

MOST_COLUMNS, MOST_NAMED = 16, 8
"""Images of a class in a row of a grid of several classes; classes whose numbers are in the name of a file."""

MOST_IMAGES, MOST_SEED, LEAST_TRUNCATION, MOST_SCALE = 10_000, 2**31 - 1, 0.05, 10.0
"""Limits of what can be drawn; truncation is in standard deviations of the latents, of which the scale is one."""


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What to draw; `label` is None where the generator knows no classes, `truncation` where nothing is cut off.

    `latent_scale` is the standard deviation of the latents.
    Raises BadConfig for numbers beyond the limits.
    """

    label: int | None
    count: int
    seed: int
    snapshot: str
    truncation: float | None = None
    latent_scale: float = 1.0

    def __post_init__(self) -> None:
        limits = {"count": (1, MOST_IMAGES), "seed": (0, MOST_SEED)}
        for name, (least, most) in limits.items():
            if not least <= (value := getattr(self, name)) <= most or value % 1:
                raise BadConfig(f"{name} {value}: want a whole number from {least} to {most}")
        if self.truncation is not None and not LEAST_TRUNCATION <= self.truncation < math.inf:
            raise BadConfig(f"truncation {self.truncation}: want {LEAST_TRUNCATION} standard deviations or more")
        if not 0 < self.latent_scale <= MOST_SCALE:
            raise BadConfig(f"latent scale {self.latent_scale}: want a number above 0, at most {MOST_SCALE:g}")

    @property
    def latent_seeds(self) -> list[int]:
        """The seed of each image's latent: equal for requests of equal seeds, and of any other class or snapshot."""
        from shared.runtime.seeding import Stream, derive_seed

        return [derive_seed(self.seed, Stream.SAMPLE_LATENTS, index) for index in range(self.count)]

    @property
    def name(self) -> str:
        """A file name for the drawing, different for different requests."""
        cut = "" if self.truncation is None else f"-truncation-{self.truncation}".replace(".", "_")
        wide = "" if self.latent_scale == 1 else f"-scale-{self.latent_scale}".replace(".", "_")
        label = "any" if self.label is None else self.label
        return f"class-{label}-{Path(self.snapshot).stem}-seed-{self.seed}-count-{self.count}{cut}{wide}"


@dataclass(frozen=True, kw_only=True)
class DrawingFigures:
    """The figures of a drawing: qualities next to those of real test images, the classes that are predicted.

    `class_name` is None where no class can be asked for; `reasons` says by name why a value is None. `sample` prints
    them as JSON.
    """

    class_name: str | None
    count: int
    qualities: dict[str, float | None]
    real_qualities: dict[str, float | None]
    ratios: dict[str, float | None]
    category: str | None
    reasons: dict[str, str]
    predicted: dict[str, int]
    mean_confidence: float


@dataclass(frozen=True)
class Drawing:
    """The images of a request with their figures: qualities next to those of real test images, predicted classes."""

    request: SampleRequest
    source: "LabelledGenerator"
    drawn: "Synthetic"
    figures: DrawingFigures

    def sheet(self) -> bytes:
        """Return the images as a PNG: a grid about as wide as it is high."""
        from shared.plots.image_grid import enlarged_png, tile

        images = self.drawn.images
        return enlarged_png(tile(images, columns=max(round(len(images) ** 0.5), 1)), SHEET_PX)

    def write_shard(self, folder: Path, name: str, classes: list[str]) -> Path:
        """Write the images, at the generator's size, as one shard of the dataset format, `<name>-00000.tar`; return it.

        The json of a sample says which generator drew it, from which latent, and how sure the annotator is.
        """
        from shared.format.shards import write_split

        samples = self.source.samples(self.drawn, self.drawn.images)
        count = self.request.count
        split = write_split(folder, name, samples, class_count=len(classes), shard_images=count, indexed=False)
        return folder / split.shards[0].name


def sheet_of_classes(drawings: Sequence[Drawing]) -> bytes:
    """Return drawings of equal counts as one PNG: each begins a row of its own, in their order."""
    import numpy as np

    from shared.plots.image_grid import enlarged_png, tile

    if len(drawings) == 1:
        return drawings[0].sheet()
    count = drawings[0].request.count
    columns = min(count, MOST_COLUMNS)
    blank = np.full((-count % columns, *drawings[0].drawn.images.shape[1:]), 255, np.uint8)
    rows = [each for drawing in drawings for each in (drawing.drawn.images.numpy(), blank)]
    return enlarged_png(tile(np.concatenate(rows), columns), SHEET_OF_CLASSES_PX)


def file_name(requests: Sequence[SampleRequest]) -> str:
    """Return a file name, without its suffix, for requests that differ in their class alone."""
    first, labels = requests[0], [str(request.label) for request in requests]
    if len(labels) == 1:
        return first.name
    # a name can have no more than 255 bytes
    named = "+".join(labels) if len(labels) <= MOST_NAMED else sha256("+".join(labels).encode()).hexdigest()[:16]
    return first.name.replace(f"class-{labels[0]}-", f"classes-{named}-", 1)


class Experiment:
    """A replicate of a finished experiment to draw from: the best on val where none is named.

    Raises BadInput where an artifact is absent, unfinished or out of step.
    """

    def __init__(self, folder: Path, replicate: int | None = None) -> None:
        self.folder = folder
        self.replicate = chosen_replicate(folder, EVALUATE, replicate)
        # checked here once, so that drawing itself cannot meet a missing artifact
        from shared.store.artifacts import input_of, open_output

        if (
            self.replicate in existing(folder, EVALUATE)
            and open_output(EVALUATE, folder, self.replicate).record.imported
        ):
            raise BadInput(f"{folder}: its synthetic images were imported; there is no generator to draw from")
        self.inputs = open_inputs(READS, folder, self.replicate)
        self.real, self.classifier = input_of(self.inputs, PREPROCESS), input_of(self.inputs, TRAIN_CLASSIFIER)
        self.gan, self.scores = input_of(self.inputs, TRAIN_GAN), input_of(self.inputs, EVALUATE)
        self.classes: list[str] = self.real.dataset.classes
        self.conditional = self.gan.record.conditional
        self.chosen = self.scores.record.chosen_snapshot.epoch
        self.snapshots = {snapshot.epoch: snapshot.file for snapshot in self.gan.record.snapshots}

    @property
    def replicates(self) -> list[int]:
        """The replicates that can be drawn from now: those that are scored."""
        return existing(self.folder, EVALUATE)

    @property
    def why_chosen(self) -> str:
        """Why this replicate is the one where none is named: "the best on val", or "the first" without such scores."""
        from shared.store.artifacts import open_output

        return why_shown([open_output(EVALUATE, self.folder, number).record for number in self.replicates])

    @property
    def synthetic(self) -> "SyntheticRecord | None":
        """What is said of the replicate's synthetic images; None where there are none yet."""
        from shared.store.artifacts import open_output

        there = self.replicate in existing(self.folder, SYNTHESIZE)
        return open_output(SYNTHESIZE, self.folder, self.replicate).record if there else None

    @property
    def latent_scale(self) -> float:
        """The standard deviation of latents that the replicate's synthetic images are drawn with; 1 without any."""
        synthetic = self.synthetic
        return 1.0 if synthetic is None or synthetic.latent_scale is None else synthetic.latent_scale

    @property
    def hashes(self) -> list[str]:
        """The hashes of the artifacts: equal hashes mean the same experiment."""
        return [artifact.sha256 for artifact in self.inputs.values()]

    @cached_property
    def train(self) -> "Images":
        """The real images that the generator learned from: the train split, and unlabelled ones where there are any."""
        from shared.data.images import load_learned

        return load_learned(self.real)

    @cached_property
    def test(self) -> "Images":
        """The real test split."""
        from shared.data.images import load_split

        return load_split(self.real, "test")

    def label(self, wanted: str | None) -> int | None:
        """Return the label of a class given by its name, or by its number where no class is called that.

        None where the generator knows no classes; BadConfig for a class that is not there, or missing.
        """
        if not self.conditional:
            if wanted is not None:
                raise BadConfig(
                    f"--class {wanted!r}: this generator was trained without classes and cannot be asked for one\n"
                    "leave --class out: the figures name the class that the classifier sees; halfreal export gives the "
                    "synthetic images with that class"
                )
            return None
        # the name first: a class may be called 7 and have the label 3
        if wanted in self.classes:
            return self.classes.index(wanted)
        if wanted is not None and wanted.isdecimal() and int(wanted) < len(self.classes):
            return int(wanted)
        there = f"there are {listed(self.classes)}"
        if wanted is None:
            raise BadConfig(f"--class is missing; {there}")
        raise BadConfig(f"--class {wanted!r}: no such class{nearest(wanted, self.classes)}; {there}")

    def labels(self, wanted: Sequence[str]) -> list[int | None]:
        """Return the label of each class as `label` does, once each; of none, what `label` makes of that."""
        return list(dict.fromkeys(map(self.label, wanted))) if wanted else [self.label(None)]

    def snapshot(self, epoch: int | None) -> str:
        """Return the file of the snapshot after `epoch`, by default of the one that evaluate chose."""
        return self.gan.record.snapshot_after(self.chosen if epoch is None else epoch).file

    def generator(self, snapshot: str) -> "LabelledGenerator":
        """Return the generator in the file of a snapshot, and the annotator of the replicate."""
        import torch

        from shared.models.labelled_generator import LabelledGenerator

        # on the CPU: a few images, and the same ones on every machine
        return LabelledGenerator(self.gan, snapshot, self.classifier, torch.device("cpu"))

    def images(self, request: SampleRequest, source: "LabelledGenerator | None" = None) -> "Synthetic":
        """Return the images of `request`, labelled; `source` is the generator of its snapshot, where that is loaded."""
        import torch

        source = source or self.generator(request.snapshot)
        asked = torch.full((request.count,), request.label or 0)
        return source.draw(request.latent_seeds, asked, request.truncation, request.latent_scale)

    def draw(self, request: SampleRequest) -> Drawing:
        """Return the images of `request` with their figures.

        They are compared with the real test images of the class, or with all where no class can be asked for.
        """
        from shared.metrics.pixels import compare_few

        source = self.generator(request.snapshot)
        drawn = self.images(request, source)
        # the whole drawing is one class here, also where an unconditional generator drew several
        found = compare_few(drawn.images, self.real_test(request.label))
        named = [self.classes[index] for index in drawn.given.tolist()]
        figures = DrawingFigures(
            class_name=None if request.label is None else self.classes[request.label],
            count=request.count,
            qualities=found.qualities,
            real_qualities=found.real_qualities,
            ratios=found.ratios,
            category=found.category,
            reasons=found.reasons,
            predicted={name: named.count(name) for name in dict.fromkeys(named)},
            mean_confidence=float(drawn.confidence.mean()),
        )
        return Drawing(request, source, drawn, figures)

    def real_test(self, label: int | None) -> "Tensor":
        """Return the real test images of a class, or all of them."""
        test = self.test
        return test.images if label is None else test.pixels[test.labels == label]
