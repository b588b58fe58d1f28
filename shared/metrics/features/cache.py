"""Features of real images, cached on the volume: those of a reference are extracted once, for every comparison.

A file is named after everything that it depends on and holds its own hash: it is right or as good as absent, and may be
deleted at any time.
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from shared.disk.durable import make_folder, remove_file, rename
from shared.format.files import json_bytes
from shared.metrics.features.rows import parts
from shared.models.extractor import Extractor, Features

FOLDER = "references"


def reference_path(weights: Path, extractor: Extractor, manifest_sha256: str, part: str) -> Path:
    """Return where the features of a `part` (split and draw) of the dataset with this manifest are cached."""
    key = [extractor.name, extractor.sha256, extractor.resizer, manifest_sha256, part]
    return weights / FOLDER / f"{extractor.name}-{sha256(json_bytes(key)).hexdigest()[:24]}.safetensors"


def load(path: Path) -> Features | None:
    """Return the features cached at `path`, or None if no whole file is there."""
    try:
        # mapped, so that the file is not in memory next to its arrays
        with safe_open(path, framework="numpy") as file:
            extracted = Features(file.get_tensor("features"), file.get_tensor("probabilities"))
            digest = file.get_tensor("digest")
    except (OSError, SafetensorError):
        return None
    # a file cut short by a full disk is of the right shape as often as not: only the digest tells
    return extracted if np.array_equal(digest, _digest(extracted)) else None


def store(path: Path, extracted: Features) -> None:
    """Cache features, whole or not at all. A volume that cannot be written to is no reason to fail."""
    # processes that store the same features at the same time write a file each
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        make_folder(path.parent, parents=True)
        # safetensors writes the memory behind an array: columns of a wider one must be copied first
        arrays = {name: np.ascontiguousarray(array) for name, array in vars(extracted).items()}
        save_file(arrays | {"digest": _digest(extracted)}, part)
        rename(part, path)
    except (OSError, SafetensorError):
        with suppress(OSError):
            remove_file(part)


def _digest(extracted: Features) -> NDArray[np.uint8]:
    """Return the sha256 of all features and probabilities, as 32 numbers."""
    digest = sha256()
    for array in (extracted.features, extracted.probabilities):
        for part in parts(array):
            digest.update(part.tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
