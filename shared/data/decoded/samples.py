"""From the members of a sample to its pixels and its label, checked against the manifest."""

import numpy as np
from numpy.typing import NDArray

from shared.errors import FormatError
from shared.format.sample import decode_image, decode_label
from shared.store.artifacts import Artifact


def checked_sample(dataset: Artifact, key: str, members: dict[str, bytes]) -> tuple[NDArray[np.uint8], int]:
    """Return image and label of a sample, as `_checked_image` and `checked_label`."""
    info, where = dataset.dataset, f"{dataset.folder}: sample {key!r}"
    with dataset.remedy():
        image = _checked_image(members, info.size_px, info.channels, where)
        return image, checked_label(members, len(info.classes), where)


def _checked_image(members: dict[str, bytes], size_px: int, channels: int, where: str) -> NDArray[np.uint8]:
    """Return uint8 (channels, size_px, size_px), a view; FormatError if the image is not as the manifest says."""
    try:
        image = decode_image(members["png"])
    except (KeyError, ValueError, OSError) as error:
        raise FormatError(f"{where}: no image can be decoded ({error})") from error
    if image.shape != (size_px, size_px, channels):
        raise FormatError(f"{where}: image is {image.shape}, the manifest says {(size_px, size_px, channels)}")
    return image.transpose(2, 0, 1)


def checked_label(members: dict[str, bytes], class_count: int, where: str) -> int:
    """Return the label of a sample; FormatError unless it is an index of one of `class_count` classes."""
    try:
        label = decode_label(members["cls"])
    except (KeyError, ValueError) as error:
        raise FormatError(f"{where}: no label can be read ({error})") from error
    if label >= class_count:
        raise FormatError(f"{where}: label {label}, but the manifest knows classes 0..{class_count - 1}")
    return label
