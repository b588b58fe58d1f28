"""Feature extractors: a row of `EXTRACTORS` each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.artifacts import Artifact
from shared.classify import CLASSIFIER_FILE, features_of, load_classifier
from shared.files import sha256

Extract = Callable[[Tensor], NDArray[np.float32]]
"""uint8 images (N, channels, size, size) to features (N, d)."""


def classifier(inputs: dict[str, Artifact], device: torch.device) -> tuple[Extract, str, str]:
    """Return the penultimate features of this experiment's own classifier, at the size that it sees.

    They know this domain, which Inception's do not; they compare experiments only where the hash is the same.
    """
    artifact = inputs["classifier"]
    network = load_classifier(artifact, device)
    size_px, resize_filter = network.sees
    same = size_px == inputs["real"].dataset.size_px
    resizer = "none" if same else f"Pillow {resize_filter} to {size_px} px"
    return lambda images: features_of(network, images), sha256(artifact.read(CLASSIFIER_FILE)), resizer


EXTRACTORS: dict[str, Callable[[dict[str, Artifact], torch.device], tuple[Extract, str, str]]] = {
    "classifier": classifier,
}
"""By name: a function to (extract, sha256 of the weights, resizer). Scores are named after their extractor."""


def protocol(
    *,
    extractor: str,
    weights: str,
    resizer: str,
    reference: str,
    real: Artifact,
    n_real: int,
    n_synthetic: int,
    seed: int,
) -> dict[str, Any]:
    """Return what a score depends on; scores of different protocols must not be compared."""
    return {
        "extractor": extractor,
        "extractor_sha256": weights,
        "resizer": resizer,
        "quantisation": "uint8, rounded half to even",
        "reference": reference,
        "reference_sha256": real.sha256,
        "n_real": n_real,
        "n_synthetic": n_synthetic,
        "seed": seed,
    }
