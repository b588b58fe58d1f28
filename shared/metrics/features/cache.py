"""Features of real images, cached on the volume: those of a reference are extracted once, for every comparison.

A file is named after everything that it depends on and holds its own hash: it is right or as good as absent, and may be
deleted at any time.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from shared.format.files import json_bytes, sha256, write_whole
from shared.models.extractor import Extractor, Features

FOLDER = "references"


def reference_path(weights: Path, extractor: Extractor, manifest_sha256: str, part: str) -> Path:
    """Return where the features of a `part` (split and draw) of the dataset with this manifest are cached."""
    key = [extractor.name, extractor.sha256, extractor.resizer, manifest_sha256, part]
    return weights / FOLDER / f"{extractor.name}-{sha256(json_bytes(key))[:24]}.safetensors"


def load(path: Path) -> Features | None:
    """Return the features cached at `path`, or None if no whole file is there."""
    try:
        arrays = safetensors.numpy.load(path.read_bytes())
        extracted = Features(arrays["features"], arrays["probabilities"])
        # a file cut short by a full disk is of the right shape as often as not: only the digest tells
        return extracted if np.array_equal(arrays["digest"], _digest(extracted)) else None
    except (OSError, SafetensorError, KeyError):
        return None


def store(path: Path, extracted: Features) -> None:
    """Cache features, whole or not at all. A volume that cannot be written to is no reason to fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # safetensors writes the memory behind an array: columns of a wider one must be copied first
        arrays = {name: np.ascontiguousarray(array) for name, array in vars(extracted).items()}
        write_whole(path, safetensors.numpy.save(arrays | {"digest": _digest(extracted)}))
    except OSError:
        return


def _digest(extracted: Features) -> NDArray[np.uint8]:
    """Return the sha256 of all features and probabilities, as 32 numbers."""
    digest = sha256(extracted.features.tobytes() + extracted.probabilities.tobytes())
    return np.frombuffer(bytes.fromhex(digest), np.uint8)
