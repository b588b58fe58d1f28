"""Every score of one extractor: two sets of images in, numbers by name out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.data.pixels import Pixels
from shared.metrics.metric import FEATURE_METRICS, Compute, FeatureMetric, FeaturePair
from shared.models.extractor import Extractor, Features, FeatureSet
from shared.runtime.process_group import ProcessGroup
from shared.store.records.scores import Protocol, Scores


@dataclass(frozen=True)
class Scorer:
    """An extractor, the processes that share its work, and the seed of what its scores draw."""

    extractor: Extractor
    group: ProcessGroup
    seed: int

    def extract(self, images: Tensor | Pixels, labels: Tensor) -> FeatureSet:
        """Return the features of uint8 images (N, C, S, S); each process extracts those of its share."""
        total = len(images)
        mine = self.group.shard(total)
        # a process without a share extracts one image all the same, to know how wide the features are
        extracted = self.extractor.extract(Pixels.of(images).rows(mine if len(mine) else range(1)))
        features, probabilities = (
            self.group.gather(torch.from_numpy(part[: len(mine)]), total).numpy()
            for part in (extracted.features, extracted.probabilities)
        )
        return FeatureSet(Features(features, probabilities), labels.numpy())

    def distances(self, synthetic: FeatureSet, real: FeatureSet) -> Scores:
        """Return the metrics that every snapshot is scored with."""
        return self._compute([row for row in FEATURE_METRICS if row.per_snapshot], synthetic, real, [])

    def scores(self, synthetic: FeatureSet, real: FeatureSet, classes: list[str]) -> Scores:
        """Return every metric, named after the extractor."""
        return self._compute(FEATURE_METRICS, synthetic, real, classes)

    def overall(self, synthetic: FeatureSet, real: FeatureSet) -> Scores:
        """Return every metric that asks no image for its class: for sets whose labels do not mean the same."""
        return self._compute([row for row in FEATURE_METRICS if not row.by_class], synthetic, real, [])

    def class_scores(self, sets: Sequence[FeatureSet], real: FeatureSet, classes: list[str]) -> list[Scores]:
        """Return the distances by class of each set, every one with as many images of a class as the smallest has."""
        # a Fréchet distance grows as images get fewer: only equal numbers show which set is nearer
        rows = [row for row in FEATURE_METRICS if row.by_class]
        return [self._compute(rows, images, real, classes) for images in equal_classes(sets)]

    def protocol(self, reference: str, reference_sha256: str, n_real: int, n_synthetic: int) -> Protocol:
        """Return what its scores against a split `reference` of the dataset with this manifest depend on."""
        return Protocol(
            extractor=self.extractor.name,
            extractor_sha256=self.extractor.sha256,
            resizer=self.extractor.resizer,
            reference=reference,
            reference_sha256=reference_sha256,
            n_real=n_real,
            n_synthetic=n_synthetic,
            seed=self.seed,
            unpublished=None if self.extractor.published else True,
        )

    def _compute(
        self,
        rows: "tuple[FeatureMetric, ...] | list[FeatureMetric]",
        synthetic: FeatureSet,
        real: FeatureSet,
        classes: list[str],
    ) -> Scores:
        """Return the value of each row by the name that it is stored under; what rows share is computed once."""
        pair = FeaturePair(synthetic, real, classes, self.seed)
        # several rows share one computation, such as the four of PRDC: each function runs once
        computed = {name: compute(pair) for name, compute in _functions(rows).items()}
        named = {row.stored_name(self.extractor.name): computed[row.compute.name][row.key] for row in rows}
        return Scores.model_validate(named)

    def warnings(self, n_synthetic: int, n_real: Mapping[str, int], width: int) -> list[str]:
        """Say where there are fewer images than features, so that the Fréchet distance is far too large.

        `n_real` has the numbers of real images by the name of their reference.
        """
        few = {name: min(n_synthetic, count) for name, count in n_real.items() if min(n_synthetic, count) < width}
        return [
            f"{self.extractor.distance} against {name}: {count:,} images for {width:,} features; with so few it comes "
            "out too large, and only equal numbers compare"
            for name, count in few.items()
        ]


def equal_classes(sets: Sequence[FeatureSet]) -> list[FeatureSet]:
    """Return the first images of each class of each set, as many as the set with the fewest of that class has."""
    labels = np.unique(np.concatenate([images.labels for images in sets])).tolist()
    fewest = {label: min(int((images.labels == label).sum()) for images in sets) for label in labels}
    return [
        images.subset(np.concatenate([np.flatnonzero(images.labels == label)[: fewest[label]] for label in labels]))
        for images in sets
    ]


def _functions(rows: "tuple[FeatureMetric, ...] | list[FeatureMetric]") -> dict[str, Compute]:
    """Return the functions of the rows, each once, by its name."""
    return {row.compute.name: row.compute.get() for row in rows}
