"""The chosen snapshots of several experiments under one protocol: against the real images of a reference experiment.

Original and tuned experiments differ in crop, size or extractor, so that their own scores do not compare. Here every
chosen snapshot draws as many fresh images, which are brought to the reference's size and channels by its own filter,
and scored against its test images by one extractor.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jobs.compare.experiments import Experiment
from jobs.pipeline import EVALUATE, PREPROCESS, TRAIN_CLASSIFIER
from shared import __version__
from shared.data.images import Images, load_split
from shared.data.resizing import converted
from shared.data.sampling import apportion, spread, stratified
from shared.errors import BadInput
from shared.metrics.features import cache as feature_cache
from shared.metrics.scorer import Scorer
from shared.models.extractor import FeatureSet
from shared.models.tables import EXTRACTORS
from shared.runtime.memory import check_images_fit
from shared.runtime.process_group import ProcessGroup
from shared.store.artifacts import input_of, open_output
from shared.store.job import Job
from shared.store.lineage import check_lineage, experiment_label, open_places
from shared.store.records.scores import Protocol, ScoresRecord
from shared.store.replicates import as_there, existing, place

FEWEST, USUAL = 4, 2000
"""The fewest real test images, and how many are drawn where the reference has no scores of its own."""


@dataclass(frozen=True)
class Settings:
    """How a reference is used: its extractor and the number of images (None: those of its own scores), seed, device."""

    extractor: str | None
    images: int | None
    seed: int
    device: str


class Reference:
    """The real images of the experiment in `folder`, and a scorer with the extractor that is used."""

    def __init__(self, folder: Path, settings: Settings, chosen_by: str, weights: Path) -> None:
        scores = own_scores(folder)
        name = settings.extractor or chosen_by_extractor(scores, chosen_by)
        places: dict[str, Job[Any]] = {place(as_there(PREPROCESS, folder), None): PREPROCESS}
        if name == "classifier":
            places[place(TRAIN_CLASSIFIER, 0)] = TRAIN_CLASSIFIER
        inputs = open_places(places, folder)
        check_lineage(inputs)
        self.name = experiment_label(folder)
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
        extracted = self.scorer.extract(data.pixels, data.labels)
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

    def in_its_format(self, images: Tensor) -> Tensor:
        """Return uint8 images at the size and with the channels of the reference's own."""
        return converted(images, self.info.size_px, self.info.channels, self.resize_filter)

    @property
    def protocol(self) -> Protocol:
        """What the scores depend on."""
        return self.scorer.protocol("test", self.real.sha256, self.info.splits["test"].count, self.images)

    @property
    def preparation(self) -> str:
        """How generated images are brought to the reference's format, in words."""
        channels = "grey" if self.info.channels == 1 else "colour"
        return f"{self.info.size_px} px {channels}, resized by Pillow's {self.resize_filter} filter"


def own_scores(folder: Path) -> ScoresRecord | None:
    """Return the scores of the first scored replicate of an experiment; None where none is scored."""
    numbers = existing(folder, EVALUATE)
    return open_output(EVALUATE, folder, numbers[0]).record if numbers else None


def chosen_by_extractor(scores: ScoresRecord | None, chosen_by: str) -> str:
    """Return the extractor that chose the reference's own snapshots, else that of the score `chosen_by`."""
    return scores.extractor if scores else chosen_by.split("_", 1)[1]
