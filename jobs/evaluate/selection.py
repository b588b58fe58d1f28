"""Score every snapshot on val, choose the best, score it again on test with fresh latents."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jobs.evaluate.features import EXTRACTORS, Extract, protocol
from jobs.evaluate.pixels import class_qualities, compared, loss_indicators
from jobs.evaluate.scores import frechet_distance, kernel_distance, moments
from shared.artifacts import Artifact
from shared.chance import mix
from shared.classify import load_classifier, logits_of
from shared.distributed import pick_device
from shared.errors import BadInput
from shared.job import Run
from shared.loading import load_split
from shared.shares import apportion, spread
from shared.snapshots import draw_images, latents_of, load_snapshot

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Judge:
    """An extractor at work: turns images into features and features into named scores."""

    name: str
    extract: Extract
    weights: str
    resizer: str
    seed: int

    def scores(self, synthetic: Features, real: Features) -> dict[str, float]:
        """Return the distances of `synthetic` features from `real` ones, named after the extractor."""
        kernel, kernel_spread = kernel_distance(synthetic, real, seed=self.seed)
        return {
            f"frechet_{self.name}": frechet_distance(*moments(synthetic), *moments(real)),
            f"kernel_{self.name}": kernel,
            f"kernel_{self.name}_std": kernel_spread,
        }

    def protocol(self, reference: str, real: Artifact, n_real: int, n_synthetic: int) -> dict[str, Any]:
        """Return the protocol of such scores."""
        return protocol(
            extractor=self.name,
            weights=self.weights,
            resizer=self.resizer,
            reference=reference,
            real=real,
            n_real=n_real,
            n_synthetic=n_synthetic,
            seed=self.seed,
        )


def evaluate(run: Run, images: int, seed: int) -> dict[str, Any]:
    """Return the facts of the evaluation: a row per snapshot, the chosen one, its scores on test, real data's own."""
    real, gan = run.inputs["real"], run.inputs["gan"]
    device = pick_device(run.device)
    extract, weights, resizer = EXTRACTORS["classifier"](run.inputs, device)
    judge = Judge("classifier", extract, weights, resizer, seed)
    loaded = {split: load_split(real, split) for split in ("train", "val", "test")}
    splits = {split: judge.extract(data.images) for split, data in loaded.items()}
    for split, features in splits.items():
        if len(features) < 4:
            raise BadInput(f"{real.folder}: {split} has {len(features)} images, want at least 4 to compare with")
    labels = torch.from_numpy(spread(apportion(real.dataset.splits["train"].class_counts, images)))
    annotator = load_classifier(run.inputs["classifier"], device)
    names = real.dataset.classes
    own = {split: class_qualities(loaded[split].images, loaded[split].labels, len(names)) for split in ("val", "test")}

    def score(name: str, stream: int, split: str) -> dict[str, Any]:
        """Score snapshot `name` with the latents of `stream` against `split`.

        Without labels there is no agreement, and the class of an image is the classifier's.
        """
        network = load_snapshot(gan, name, device)
        seeds = [mix(seed, stream, index) for index in range(images)]
        drawn = draw_images(network, latents_of(seeds, gan.facts["latent"]), labels)
        given = logits_of(annotator, drawn).argmax(dim=1).cpu()
        asked = gan.facts["conditional"]
        return {
            **judge.scores(judge.extract(drawn), splits[split]),
            "agreement": float((given == labels).double().mean()) if asked else None,
            "classes": compared(class_qualities(drawn, labels if asked else given, len(names)), own[split], names),
        }

    snapshots = gan.facts["snapshots"]
    rows = [
        snapshot | score(snapshot["file"], 1, "val")
        for snapshot in run.talk.each(snapshots, "score", len(snapshots), "snapshots")
    ]
    chosen = min(rows, key=lambda row: row["frechet_classifier"])
    return {
        "rows": rows,
        "loss_indicators": loss_indicators(gan.facts),
        "protocol": judge.protocol("val", real, len(splits["val"]), images),
        "chosen": {key: chosen[key] for key in ("file", "epoch", "images_seen")},
        "chosen_by": "frechet_classifier on val, lowest",
        "test": score(chosen["file"], 2, "test"),
        "test_protocol": judge.protocol("test", real, len(splits["test"]), images),
        "real": judge.scores(splits["train"], splits["test"]),
        "real_protocol": judge.protocol("test", real, len(splits["test"]), 0) | {"n_train": len(splits["train"])},
    }
