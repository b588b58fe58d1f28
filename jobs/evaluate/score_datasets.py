"""Score one dataset against another, straight from their shards."""

from pathlib import Path

import numpy as np

from shared.data.images import load_split
from shared.errors import BadInput
from shared.format.manifest import MANIFEST, parse_manifest
from shared.metrics.features.rows import Rows, digests
from shared.metrics.scorer import Scorer
from shared.models.extractor import FeatureSet
from shared.models.tables import EXTRACTORS
from shared.runtime.process_group import ProcessGroup
from shared.store.artifacts import Artifact, open_artifact


def open_dataset(folder: Path) -> Artifact:
    """Open any dataset that halfreal wrote, whichever job made it."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInput(f"{folder}: no dataset (no {MANIFEST}); want the folder of a `real` or `synthetic` artifact")
    return open_artifact(folder, "dataset", parse_manifest(path.read_bytes(), path).job)


def in_both(images: Rows, others: Rows) -> int:
    """Return how many of `images`, uint8 (N, channels, size, size), are among the `others`, pixel by pixel."""
    if images.shape[1:] != others.shape[1:]:
        return 0
    return int(np.isin(digests(images), digests(others)).sum())


def score_between(
    synthetic: Artifact, real: Artifact, split: str, extractor: str, weights: Path, device: str, seed: int
) -> dict[str, object]:
    """Return every score of the synthetic dataset's train images against a split of the real one, and the protocol.

    `extractor` is none that belongs to an experiment. Raises BadInput for too few images.
    """
    for dataset, part in ((synthetic, "train"), (real, split)):
        count = dataset.split(part).count
        if count < 4:
            raise BadInput(f"{dataset.folder}: {part} has {count} images, want at least 4")
    group = ProcessGroup(device)
    scorer = Scorer(EXTRACTORS[extractor].get()({}, weights, group.device), group, seed)
    sides: list[FeatureSet] = []
    held: list[Rows] = []
    for dataset, part in ((synthetic, "train"), (real, split)):
        data = load_split(dataset, part)
        sides.append(scorer.extract(data.pixels, data.labels))
        held.append(data.pixels)
    protocol = scorer.protocol(split, real.sha256, len(sides[1]), len(sides[0]))
    warned = scorer.warnings(len(sides[0]), {split: len(sides[1])}, sides[0].features.shape[1])
    ours, theirs = synthetic.dataset, real.dataset
    # a warning, no error: extractors resize, but the resizing shows in the score
    if (ours.size_px, ours.channels) != (theirs.size_px, theirs.channels):
        warned.append(
            f"images of {ours.size_px} px, {ours.channels} channels against {theirs.size_px} px, {theirs.channels}"
        )
    if count := in_both(*held):
        warned.append(
            f"{count:,} of {len(held[0]):,} images are in {split} of the real dataset, too: copies score as well as "
            "can be, which says nothing of a generator"
        )
    if ours.classes == theirs.classes:
        scores = scorer.scores(sides[0], sides[1], theirs.classes)
    else:
        warned.append("their classes differ: no score by class")
        # label 1 of one dataset is not label 1 of the other
        scores = scorer.overall(*sides)
    return {
        "scores": scores.facts(),
        "protocol": protocol.facts(),
        "synthetic_sha256": synthetic.sha256,
        "warnings": warned,
    }
