"""Several attributes of an image as one label: bit j of it says whether the image has attribute j.

A dataset of attributes has a class for each combination of them, so that all that counts, draws, orders and shows
classes needs to know nothing of attributes. No numpy at import: command lines check options by this module.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.errors import BadConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 10
"""Attributes at most: there are 2^10 combinations."""

NONE = "none"
"""The name of the combination without any of the attributes."""


class Combinations(int):
    """The number of the classes, 2^k, where these are the combinations of k `attributes`: networks and scores ask it.

    Everything else takes it for what it is, a number of classes.
    """

    attributes: int

    def __new__(cls, attributes: int) -> "Combinations":
        """Return the number of combinations of this number of attributes."""
        made = super().__new__(cls, 2**attributes)
        made.attributes = attributes
        return made


def attributes_in(classes: int) -> int:
    """Return of how many attributes these classes are the combinations; 0 of plain classes."""
    return classes.attributes if isinstance(classes, Combinations) else 0


def several(text: str | None) -> tuple[str, ...]:
    """Return the attributes that an option names, joined by commas, where it names more than one; else none.

    Raises BadConfig for one that is named twice, and for more than MOST.
    """
    names = tuple(word for word in map(str.strip, (text or "").split(",")) if word)
    if len(names) < 2:
        return ()
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise BadConfig(f"--label {text}: names {twice[0]} twice; want each attribute once")
    if len(names) > MOST:
        raise BadConfig(
            f"--label {text}: {len(names)} attributes have {2 ** len(names):,} combinations; want at most {MOST}"
        )
    return names


def combinations(attributes: Sequence[str]) -> list[str]:
    """Return the names of the 2^k combinations of k attributes, in the order of labels: "none", "A", "B", "A+B"."""
    return [
        "+".join(name for place, name in enumerate(attributes) if label >> place & 1) or NONE
        for label in range(2 ** len(attributes))
    ]


def presence_counts(class_counts: Sequence[int], attributes: int) -> list[tuple[int, int]]:
    """Return, for each attribute, how many images are without it and how many have it, given those of each label."""
    have = [sum(count for label, count in enumerate(class_counts) if label >> place & 1) for place in range(attributes)]
    return [(sum(class_counts) - count, count) for count in have]


def bits_of(labels: "NDArray[np.int64]", attributes: int) -> "NDArray[np.int64]":
    """Return the bits (..., attributes) of labels (...), 1 where an image has the attribute."""
    import numpy as np

    return (labels[..., None] >> np.arange(attributes)) & 1


def labels_of(bits: "NDArray[np.bool_]") -> "NDArray[np.int64]":
    """Return the labels (...) of bits (..., attributes)."""
    import numpy as np

    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[-1]))
