"""Differentiable augmentation for small sets (Zhao et al. 2020): the discriminator never sees an image as it is.

Real and fake images go through the same kinds of change, in the discriminator's step and in the generator's, so that
the generator does not learn to draw the changes. Every random number comes in as a parameter from [0, 1): nothing is
drawn here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from shared.data.tables import AUGMENTATIONS


def translation(images: Tensor, params: Tensor) -> Tensor:
    """Move images (N, C, S, S) by up to an eighth of their side in each direction, mid grey beyond; params (N, 2)."""
    side = images.shape[-1]
    reach = max(int(side / 8 + 0.5), 1)
    shift = (params * (2 * reach + 1)).long() - reach
    # gathered by index, since each image moves by another shift
    padded = F.pad(images, [reach] * 4)
    rows, columns = (torch.arange(side, device=images.device) + reach + shift[:, axis, None] for axis in (0, 1))
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(images: Tensor, params: Tensor) -> Tensor:
    """Blank a square of half the side of images (N, C, S, S), its centre anywhere, to mid grey; params (N, 2)."""
    side = images.shape[-1]
    hole = side // 2
    # the hole may reach over the edge, so that border pixels are blanked as often as others
    first = (params * (side + 1 - hole % 2)).long() - hole // 2
    places = torch.arange(side, device=images.device)
    inside = [(places >= first[:, axis, None]) & (places < first[:, axis, None] + hole) for axis in (0, 1)]
    visible = ~(inside[0][:, :, None] & inside[1][:, None, :])
    return images * visible[:, None]  # 0 is mid grey in [-1, 1]


def colour(images: Tensor, params: Tensor) -> Tensor:
    """Change brightness by up to 0.5, saturation and contrast by a factor: 0..2 and 0.5..1.5; params (N, 3)."""
    brightness, saturation, contrast = params[:, :, None, None, None].unbind(dim=1)
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    # not clamped to [-1, 1]: a clamp has no gradient for the generator where it cuts off
    images = torch.lerp(grey, images, 2 * saturation)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, contrast + 0.5)


def params_per_image(names: tuple[str, ...]) -> int:
    """Return how many parameters from [0, 1) each image needs for these augmentations."""
    return sum(AUGMENTATIONS[name].params for name in names)


def augment(images: Tensor, names: tuple[str, ...], params: Tensor) -> Tensor:
    """Return images (N, C, S, S) in [-1, 1] changed by each of `names` in turn; params (N, params_per_image(names))."""
    used = 0
    for name in names:
        augmentation = AUGMENTATIONS[name]
        images = augmentation.change.get()(images, params[:, used : used + augmentation.params])
        used += augmentation.params
    return images


def flip(images: Tensor, params: Tensor) -> Tensor:
    """Mirror left and right each image whose parameter from [0, 1), params (N, 1), is below one half."""
    return torch.where(params[:, :, None, None] < 0.5, images.flip(-1), images)
