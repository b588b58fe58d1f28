"""What can be done to images, by name: a row each, which names its function, so that no torch is imported here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.lazy import Lazy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """A change of images and how many parameters from [0, 1) it takes for each image."""

    change: "Lazy[Callable[[Tensor, Tensor], Tensor]]"
    params: int


AUGMENTATIONS: dict[str, Augmentation] = {
    "translation": Augmentation(Lazy("shared.data.augmentation:translation"), params=2),
    "cutout": Augmentation(Lazy("shared.data.augmentation:cutout"), params=2),
    "colour": Augmentation(Lazy("shared.data.augmentation:colour"), params=3),
}
