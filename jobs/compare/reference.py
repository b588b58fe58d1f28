"""The chosen snapshots of several experiments under one protocol: against the real images of a reference experiment.

Original and tuned experiments differ in crop, size or extractor, so that their own scores do not compare. Here every
chosen snapshot draws as many fresh images, which are brought to the reference's size and channels by its own filter,
and scored against its test images by one extractor.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jobs.compare.experiments import Experiment
from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER
from shared import __version__
from shared.cli.progress import Reporter
from shared.data.images import Images, load_split
from shared.data.resizing import converted
from shared.data.sampling import apportion, spread, stratified
from shared.errors import BadInput
from shared.format.files import json_bytes, sha256, write_whole
from shared.metrics import feature_cache
from shared.metrics.compare import Scored
from shared.metrics.scorer import Scorer
from shared.models.extractor import FeatureSet
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.models.tables import EXTRACTORS
from shared.runtime.memory import check_images_fit
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, derive_seed, replicate_seed
from shared.store.artifacts import Artifact, input_of, open_output
from shared.store.job import Job
from shared.store.lineage import check_lineage, open_places
from shared.store.records.gan import GanRecord
from shared.store.records.scores import Protocol, ScoresRecord
from shared.store.replicates import existing, place

FEWEST, USUAL = 4, 2000
"""The fewest real test images, and how many are drawn where the reference has no scores of its own."""

CACHE = "scores"
"""The folder of scores below that of all comparisons: any of them may be deleted at any time."""


@dataclass(frozen=True)
class Settings:
    """How a reference is used: its extractor and the number of images (None: those of its own scores), seed, device."""

    extractor: str | None
    images: int | None
    seed: int
    device: str


@dataclass(frozen=True)
class Referenced:
    """What comes out: the scores of each experiment, those of the reference's own real train images as the scale.

    `notes` say where an experiment's images were made differently from the reference's. `computed` of `total` scores
    were not found on the volume.
    """

    name: str
    scored: dict[str, Scored]
    real: dict[str, float]
    protocol: Protocol
    preparation: str
    notes: list[str]
    computed: int
    total: int


class Reference:
    """The real images of the experiment in `folder`, and a scorer with the extractor that is used."""

    def __init__(self, folder: Path, settings: Settings, chosen_by: str, weights: Path) -> None:
        scores = own_scores(folder)
        name = settings.extractor or chosen_by_extractor(scores, chosen_by)
        places: dict[str, Job[Any]] = {place(PREPROCESS, None): PREPROCESS}
        if name == "classifier":
            places[place(TRAIN_CLASSIFIER, 0)] = TRAIN_CLASSIFIER
        inputs = open_places(places, folder)
        check_lineage(inputs)
        self.name = folder.name
        self.real = input_of(inputs, PREPROCESS)
        self.info = self.real.dataset
        self.resize_filter = self.real.preparation.resize_filter
        drawn = scores.on_test.test_protocols if scores and scores.on_test else {}
        self.images = settings.images or max((used.n_synthetic for used in drawn.values()), default=USUAL)
        check_images_fit("--images", self.images, self.info.size_px, self.info.channels)
        self.group, self.seed = ProcessGroup(settings.device), settings.seed
        self.weights = weights
        self.scorer = Scorer(EXTRACTORS[name].get()(inputs, weights, self.group.device), self.group, self.seed)
        self._features: dict[str, FeatureSet] = {}

    def features(self, split: str) -> FeatureSet:
        """Return the features of the real images of a split, of train as many as are drawn at most."""
        if split not in self._features:
            data, part = load_split(self.real, split), split
            if len(data) < FEWEST:
                raise BadInput(f"{self.real.folder}: {split} has {len(data)} images, want at least {FEWEST}")
            if split == "train":
                count = min(len(data), self.images)
                data = data.subset(stratified(data.labels.numpy(), count, self.seed))
                part = f"train, {count} drawn from {self.seed}"
            self._features[split] = self._extracted(data, part)
        return self._features[split]

    def _extracted(self, data: Images, part: str) -> FeatureSet:
        extractor = self.scorer.extractor
        path = feature_cache.reference_path(self.weights, extractor, self.real.sha256, part)
        cached = None if extractor.name == "classifier" else feature_cache.load(path)
        if cached:
            return FeatureSet(cached, data.labels.numpy())
        extracted = self.scorer.extract(data.images, data.labels)
        if extractor.name != "classifier":
            feature_cache.store(path, extracted.extracted)
        return extracted

    def key(self, of: dict[str, object]) -> dict[str, object]:
        """Return what scores depend on, `of` being what is scored."""
        return {"halfreal": __version__, "format": self.preparation, "protocol": self.protocol.facts(), **of}

    def real_scores(self) -> dict[str, float]:
        """Return the scores of the reference's own train images: the scale of all others."""
        return self.scorer.overall(self.features("train"), self.features("test")).scores

    def asked(self, experiment: Experiment) -> Tensor:
        """Return the classes that a conditional generator is asked for: in the reference's proportions if it has them.

        Distances compare whole distributions, the classes' shares included.
        """
        same = experiment.real.dataset.classes == self.info.classes
        info = self.info if same else experiment.real.dataset
        return torch.from_numpy(spread(apportion(info.splits["train"].class_counts, self.images)))

    @property
    def protocol(self) -> Protocol:
        """What the scores depend on."""
        return self.scorer.protocol("test", self.real.sha256, self.info.splits["test"].count, self.images)

    @property
    def preparation(self) -> str:
        """How generated images are brought to the reference's format, in words."""
        channels = "grey" if self.info.channels == 1 else "colour"
        return f"{self.info.size_px} px {channels}, resized by Pillow's {self.resize_filter} filter"


@dataclass(frozen=True)
class Generator:
    """The chosen snapshot of a replicate, the classes that it is asked for, and the reference that it is scored by."""

    reference: Reference
    gan: Artifact[GanRecord]
    file: str
    number: int
    asked: Tensor

    @classmethod
    def of(cls, reference: Reference, experiment: Experiment, number: int) -> "Generator":
        """Return the generator of the experiment's replicate `number`."""
        chosen = experiment.records[number].chosen_snapshot.file
        return cls(reference, experiment.gans[number], chosen, number, reference.asked(experiment))

    @property
    def key(self) -> dict[str, object]:
        """What its scores depend on."""
        return {"generator": [self.gan.sha256, self.file, self.number], "asked": sha256(self.asked.numpy().tobytes())}

    def scores(self) -> dict[str, float]:
        """Return its scores against the reference's test images."""
        features = self.reference.scorer.extract(self.drawn(), self.asked)
        return self.reference.scorer.overall(features, self.reference.features("test")).scores

    def drawn(self) -> Tensor:
        """Return its images, uint8, in the reference's format."""
        # a seed for each image and a stream of its own: neither the latents on val nor those on test
        seed, info = replicate_seed(self.reference.seed, self.number), self.reference.info
        seeds = [derive_seed(seed, Stream.REFERENCE_LATENTS, index) for index in range(len(self.asked))]
        network = load_snapshot(self.gan, self.file, self.reference.group.device)
        images = draw_images(network, latents_of(seeds, self.gan.record.latent), self.asked)
        return converted(images, info.size_px, info.channels, self.reference.resize_filter)


def own_scores(folder: Path) -> ScoresRecord | None:
    """Return the scores of the first scored replicate of an experiment; None where none is scored."""
    numbers = existing(folder, EVALUATE)
    return open_output(EVALUATE, folder, numbers[0]).record if numbers else None


def chosen_by_extractor(scores: ScoresRecord | None, chosen_by: str) -> str:
    """Return the extractor that chose the reference's own snapshots, else that of the score `chosen_by`."""
    return scores.extractor if scores else chosen_by.split("_", 1)[1]


def score_under(
    reference: Reference, experiments: Mapping[str, Experiment], cache: Path, reporter: Reporter
) -> Referenced:
    """Return the scores of every experiment's chosen snapshots under the reference's protocol.

    Scores are kept in the folder `cache`, named after all that they depend on, so that a stopped comparison goes on.
    """
    work = [(name, number) for name, experiment in experiments.items() for number in experiment.scores]
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in experiments}
    computed = 0
    for name, number in reporter.each(work, f"score against {reference.name}", len(work), "generators"):
        generator = Generator.of(reference, experiments[name], number)
        found, fresh = kept(cache, reference.key(generator.key), generator.scores)
        scores[name].append(found)
        computed += fresh
    real, _ = kept(cache, reference.key({"real": "train"}), reference.real_scores)
    test, drawn = reference.features("test"), reference.images
    notes = reference.scorer.warnings(drawn, {"test": len(test)}, test.features.shape[1])
    chosen_by = reference.scorer.extractor.distance
    return Referenced(
        name=reference.name,
        scored={
            name: Scored(values, {reference.protocol.extractor: reference.protocol}, chosen_by)
            for name, values in scores.items()
        },
        real=real,
        protocol=reference.protocol,
        preparation=reference.preparation,
        notes=[*notes, *(note for each in experiments.values() for note in differences(reference, each))],
        computed=computed,
        total=len(work),
    )


def kept(cache: Path, key: dict[str, object], compute: Callable[[], dict[str, float]]) -> tuple[dict[str, float], bool]:
    """Return the scores that are kept in `cache` under `key`, else compute and keep them; and whether they were new."""
    path = cache / f"{sha256(json_bytes(key))[:24]}.json"
    stored = load(path, key)
    if stored is not None:
        return stored, False
    scores = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json_bytes({"key": key, "scores": scores}))
    return scores, True


def load(path: Path, key: dict[str, object]) -> dict[str, float] | None:
    """Return the scores that are kept at `path` under `key`; None where there are none."""
    try:
        kept = json.loads(path.read_bytes())
        return {str(name): float(value) for name, value in kept["scores"].items()} if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def differences(reference: Reference, experiment: Experiment) -> list[str]:
    """Say in what an experiment's real images were made differently from the reference's: that shows in its scores."""
    ours, theirs = experiment.real.dataset, reference.info
    facts = {
        "size": (f"{ours.size_px} px", f"{theirs.size_px} px"),
        "channels": (str(ours.channels), str(theirs.channels)),
        **{
            name: (str(ours.preparation.get(name)), str(theirs.preparation.get(name)))
            for name in sorted(ours.preparation.keys() | theirs.preparation.keys())
        },
    }
    differ = [f"{name} {mine} (reference: {other})" for name, (mine, other) in facts.items() if mine != other]
    if ours.classes != theirs.classes:
        differ.append("other classes, in its own proportions")
    return [f"{experiment.name} was made with {', '.join(differ)}; its scores include that"] if differ else []
