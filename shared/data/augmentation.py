"""Differentiable augmentation for small sets (Zhao et al. 2020): the discriminator never sees an image as it is.

Real and fake images go through the same kinds of change, in the discriminator's step and in the generator's, so that
the generator does not learn to draw them. All chance comes in as numbers from [0, 1), so that nothing is drawn here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def translation(images: Tensor, chance: Tensor) -> Tensor:
    """Move images (N, C, S, S) by up to an eighth of their side in each direction, mid grey beyond; chance (N, 2)."""
    side = images.shape[-1]
    reach = max(int(side / 8 + 0.5), 1)
    shift = (chance * (2 * reach + 1)).long() - reach
    padded = F.pad(images, [reach] * 4)
    rows, columns = (torch.arange(side, device=images.device) + reach + shift[:, axis, None] for axis in (0, 1))
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(images: Tensor, chance: Tensor) -> Tensor:
    """Blank a square of half the side of images (N, C, S, S), its centre anywhere, to mid grey; chance (N, 2)."""
    side = images.shape[-1]
    hole = side // 2
    first = (chance * (side + 1 - hole % 2)).long() - hole // 2
    places = torch.arange(side, device=images.device)
    inside = [(places >= first[:, axis, None]) & (places < first[:, axis, None] + hole) for axis in (0, 1)]
    kept = ~(inside[0][:, :, None] & inside[1][:, None, :])
    return images * kept[:, None]


def colour(images: Tensor, chance: Tensor) -> Tensor:
    """Change brightness by up to 0.5, saturation and contrast by a factor: 0..2 and 0.5..1.5; chance (N, 3)."""
    brightness, saturation, contrast = chance[:, :, None, None, None].unbind(dim=1)
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = torch.lerp(grey, images, 2 * saturation)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, contrast + 0.5)


@dataclass(frozen=True)
class Augmentation:
    """A change and how many numbers from [0, 1) it takes for each image."""

    change: Callable[[Tensor, Tensor], Tensor]
    numbers: int


AUGMENTATIONS: dict[str, Augmentation] = {
    "translation": Augmentation(translation, 2),
    "cutout": Augmentation(cutout, 2),
    "colour": Augmentation(colour, 3),
}


def numbers(names: tuple[str, ...]) -> int:
    """Return how many numbers from [0, 1) each image needs for these augmentations."""
    return sum(AUGMENTATIONS[name].numbers for name in names)


def augment(images: Tensor, names: tuple[str, ...], chance: Tensor) -> Tensor:
    """Return images (N, C, S, S) in [-1, 1] changed by each of `names` in turn; chance (N, numbers(names))."""
    used = 0
    for name in names:
        row = AUGMENTATIONS[name]
        images = row.change(images, chance[:, used : used + row.numbers])
        used += row.numbers
    return images


def flip(images: Tensor, chance: Tensor) -> Tensor:
    """Mirror left and right each image whose number from [0, 1), chance (N, 1), is below one half."""
    return torch.where(chance[:, :, None, None] < 0.5, images.flip(-1), images)
