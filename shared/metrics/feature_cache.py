"""What extractors saw in real images, kept on the volume: a reference is looked at once, whatever is compared with it.

A file is named after everything that it depends on and holds its own hash: it is right or as good as absent, and may be
deleted at any time.
"""

from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from shared.format.files import json_bytes, sha256, write_whole
from shared.models.extractors import Extractor, Features

FOLDER = "references"


def reference_path(weights: Path, extractor: Extractor, manifest_sha256: str, part: str) -> Path:
    """Return where what `extractor` saw in a `part` (split and draw) of the dataset with this manifest is kept."""
    key = [extractor.name, extractor.sha256, extractor.resizer, manifest_sha256, part]
    return weights / FOLDER / f"{extractor.name}-{sha256(json_bytes(key))[:24]}.safetensors"


def kept(path: Path) -> Features | None:
    """Return what stands at `path`, or None if nothing whole does."""
    try:
        arrays = safetensors.numpy.load(path.read_bytes())
        seen = Features(arrays["features"], arrays["probabilities"])
        return seen if np.array_equal(arrays["digest"], _digest(seen)) else None
    except (OSError, SafetensorError, KeyError):
        return None


def keep(path: Path, seen: Features) -> None:
    """Write what was seen; whole or not at all. A volume that cannot be written to is no reason to fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # safetensors writes the memory behind an array: columns of a wider one must be copied first
        arrays = {name: np.ascontiguousarray(array) for name, array in vars(seen).items()}
        write_whole(path, safetensors.numpy.save(arrays | {"digest": _digest(seen)}))
    except OSError:
        return


def _digest(seen: Features) -> NDArray[np.uint8]:
    """Return the sha256 of all that was seen, as 32 numbers."""
    digest = sha256(seen.features.tobytes() + seen.probabilities.tobytes())
    return np.frombuffer(bytes.fromhex(digest), np.uint8)
