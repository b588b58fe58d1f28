"""Score one dataset against another, straight from their shards."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from jobs.evaluate.features import EXTRACTORS
from jobs.evaluate.judge import Judge, Sample
from jobs.evaluate.protocol import Protocol
from shared.artifacts import Artifact, open_artifact
from shared.distributed import Team
from shared.errors import BadInput
from shared.format.manifest import MANIFEST, parse_manifest
from shared.loading import load_split


def open_dataset(folder: Path) -> Artifact:
    """Open any dataset that halfreal wrote, whichever job made it."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInput(f"{folder}: no dataset (no {MANIFEST}); want the folder of a `real` or `synthetic` artifact")
    return open_artifact(folder, "dataset", parse_manifest(path.read_bytes(), path).job)


def score_between(
    synthetic: Artifact, real: Artifact, split: str, extractor: str, weights: Path, device: str, seed: int
) -> dict[str, Any]:
    """Return every score of the synthetic dataset's train images against a split of the real one, and the protocol.

    Raises BadInput for the extractor `classifier`, which belongs to an experiment, and for too few images.
    """
    if extractor == "classifier":
        raise BadInput("--extractor classifier: belongs to an experiment; run `halfreal evaluate` there")
    team = Team(device)
    judge = Judge(EXTRACTORS[extractor]({}, weights, team.device), team, seed)
    sides: list[Sample] = []
    for dataset, part in ((synthetic, "train"), (real, split)):
        data = load_split(dataset, part)
        if len(data) < 4:
            raise BadInput(f"{dataset.folder}: {part} has {len(data)} images, want at least 4")
        sides.append(judge.look(data.images, data.labels))
    classes = [str(name) for name in range(1 + int(np.max([side.labels.max() for side in sides])))]
    named = real.dataset.classes if len(real.dataset.classes) >= len(classes) else classes
    protocol = Protocol(
        extractor=extractor,
        extractor_sha256=judge.extractor.sha256,
        resizer=judge.extractor.resizer,
        reference=split,
        reference_sha256=real.sha256,
        n_real=len(sides[1]),
        n_synthetic=len(sides[0]),
        seed=seed,
    )
    found = judge.scores(sides[0], sides[1], named)
    width = torch.from_numpy(sides[0].seen.features).shape[1]
    warned = judge.warnings(len(sides[0]), len(sides[1]), width)
    return {"scores": found, "protocol": protocol.facts(), "synthetic_sha256": synthetic.sha256, "warnings": warned}
