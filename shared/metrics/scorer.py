"""Every score of one extractor: two sets of what it saw in, numbers by name out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.metrics.frechet import FeatureStats, class_frechet, frechet_infinite
from shared.metrics.inception_score import inception_score
from shared.metrics.kernel import kernel_distance
from shared.metrics.prdc import NEAREST, prdc
from shared.models.extractors import Extractor, Features
from shared.runtime.process_group import ProcessGroup

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """What an extractor saw in a set of images, and their labels."""

    seen: Features
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Scorer:
    """An extractor, the processes that share its work, and the seed of what its scores draw."""

    extractor: Extractor
    group: ProcessGroup
    seed: int

    def look(self, images: Tensor, labels: Tensor) -> Sample:
        """Return what the extractor sees in uint8 images (N, C, S, S); each process looks at its share."""
        total = len(images)
        mine = self.group.shard(total)
        # a process without a share looks at one image all the same, to know how wide the features are
        seen = self.extractor.see(images[mine.start : mine.stop] if len(mine) else images[:1])
        parts = [
            self.group.gather(torch.from_numpy(part[: len(mine)]), total).numpy()
            for part in (seen.features, seen.probabilities)
        ]
        return Sample(Features(*parts), labels.numpy())

    def distances(self, drawn: Sample, real: Sample) -> dict[str, float]:
        """Return the Fréchet and the kernel distance: what every snapshot is scored with."""
        kernel, error = kernel_distance(drawn.seen.features, real.seen.features, seed=self.seed)
        frechet = FeatureStats(drawn.seen.features).distance(FeatureStats(real.seen.features))
        name = self.extractor.kernel
        return {self.extractor.distance: frechet, name: kernel, f"{name}_se": error}

    def scores(self, drawn: Sample, real: Sample, classes: list[str]) -> dict[str, Any]:
        """Return every score, named after the extractor."""
        name, distance = self.extractor.name, self.extractor.distance
        mine, own = drawn.seen.features, real.seen.features
        infinite, slope = frechet_infinite(mine, own, seed=self.seed)
        by_class = class_frechet(mine, drawn.labels, own, real.labels)
        nearest = min(NEAREST, len(mine) - 1, len(own) - 1)
        score, spread = inception_score(drawn.seen.probabilities, seed=self.seed)
        return {
            **self.distances(drawn, real),
            f"{distance}_infinite": infinite,
            f"{distance}_slope": slope,
            f"{distance}_by_class": {classes[label]: value for label, value in by_class.items()},
            **{f"{key}_{name}": value for key, value in prdc(mine, own, nearest).items()},
            f"inception_score_{name}": score,
            f"inception_score_{name}_std": spread,
        }

    def warnings(self, n_synthetic: int, n_real: int, width: int) -> list[str]:
        """Say where there are fewer images than features, so that the Fréchet distance is far too large."""
        few = min(n_synthetic, n_real)
        if few >= width:
            return []
        return [
            f"{self.extractor.distance}: {few:,} images for {width:,} features; with so few it comes out too large, "
            "and only equal numbers compare"
        ]
