"""Sets of train, held-out and synthetic images, drawn from real ones: honest ones, and ones with planted copies.

Honest are other real images, as they are and blurred, blurred held-out images, and blends of other real ones. Planted
are copies of training images, as they are, shifted, mirrored, changed in contrast, or blended with another one, all of
them or a share among other real images.
"""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.data.images import Images
from shared.data.resizing import resized
from shared.metrics.copies import pixel_copies
from shared.store.records.copies import CopyTest

MOST_FALSE = 0.05
"""The share of honest draws that may be flagged."""

SIZES = (400, 150, 150)
"""Train, held-out and synthetic images of a draw."""

SHARES = (1.0, 0.3, 0.1, 0.03)
"""Shares of planted images among other real ones."""

Chance = np.random.Generator


def digits() -> Tensor:
    """Return scikit-learn's digits at 16 px."""
    from sklearn.datasets import load_digits

    pixels = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)
    return resized(torch.from_numpy(pixels)[:, None], 16, "bicubic")


def mnist(folder: Path) -> Tensor:
    """Return MNIST's test images at 28 px."""
    content = gzip.decompress((folder / "mnist/t10k-images-idx3-ubyte.gz").read_bytes())
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=16).reshape(-1, 1, 28, 28).copy())


def emoji(folder: Path, size_px: int = 32) -> Tensor:
    """Return emoji on white in colour."""
    from PIL import Image

    pixels = []
    for path in sorted((folder / "emoji").rglob("*.png")):
        with Image.open(path) as picture:
            coloured = picture.convert("RGBA")
        on_white = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
        pixels.append(np.asarray(on_white.resize((size_px, size_px), Image.Resampling.BICUBIC)))
    # equal images are never in two splits
    return torch.from_numpy(np.unique(np.stack(pixels), axis=0)).permute(0, 3, 1, 2).contiguous()


def blurred(images: Tensor, chance: Chance, sigma: float = 1.0) -> Tensor:
    """Return images blurred by a Gaussian."""
    from torchvision.transforms.functional import gaussian_blur

    blurred: Tensor = gaussian_blur(images, 7, sigma)
    return blurred


def shifted(images: Tensor, chance: Chance) -> Tensor:
    """Return each image shifted by 1 or 2 px along one or both axes, its border repeated."""
    wide = torch.nn.functional.pad(images.float(), (2, 2, 2, 2), mode="replicate").to(torch.uint8)
    size = images.shape[-1]
    ways = [(down, right) for down in range(5) for right in range(5) if (down, right) != (2, 2)]
    drawn = [ways[number] for number in chance.integers(0, len(ways), len(images))]
    return torch.stack([wide[i, :, d : d + size, r : r + size] for i, (d, r) in enumerate(drawn)])


def mirrored(images: Tensor, chance: Chance) -> Tensor:
    """Return mirror images."""
    return images.flip(-1)


def recontrasted(images: Tensor, chance: Chance) -> Tensor:
    """Return images with a gain from 0.5 to 0.8 and an offset from 0 to 50, which no pixel is cut off by."""
    gain, offset = chance.uniform(0.5, 0.8, len(images)), chance.uniform(0, 50, len(images))
    gain_by_image, offset_by_image = (torch.from_numpy(each).view(-1, 1, 1, 1) for each in (gain, offset))
    return (images * gain_by_image + offset_by_image).round().clamp(0, 255).to(torch.uint8)


def blended(images: Tensor, chance: Chance) -> Tensor:
    """Return 70 % of each image with 30 % of another."""
    others = images[torch.from_numpy(chance.permutation(len(images)))]
    return (0.7 * images + 0.3 * others).round().to(torch.uint8)


def unchanged(images: Tensor, chance: Chance) -> Tensor:
    """Return the images."""
    return images


Change = Callable[[Tensor, Chance], Tensor]

HONEST: dict[str, tuple[bool, Change]] = {
    "other real": (False, unchanged),
    "other real, blurred": (False, blurred),
    "held-out, blurred": (True, blurred),
    "other real, blends": (False, blended),
}
"""Honest images: whether they are made of held-out ones, and how."""

PLANTED: dict[str, Change] = {
    "copies": unchanged,
    "shifted": shifted,
    "mirrored": mirrored,
    "contrast": recontrasted,
    "70/30 blends": blended,
}


def draw(images: Tensor, chance: Chance, sizes: tuple[int, int, int] = SIZES) -> tuple[Tensor, Tensor, Tensor]:
    """Return different images for train, held-out and synthetic."""
    order = torch.from_numpy(chance.permutation(len(images)))[: sum(sizes)]
    train, held_out, other = images[order].split(sizes)
    return train, held_out, other


def tested(synthetic: Tensor, held_out: Tensor, train: Tensor) -> CopyTest:
    """Return what the test of pixels says."""
    named = (Images(images, torch.zeros(len(images), dtype=torch.int64)) for images in (held_out, train))
    return pixel_copies(synthetic, *named)


def honest(images: Tensor, kind: str, seed: int, sizes: tuple[int, int, int] = SIZES) -> CopyTest:
    """Return what the test says of honest images of a draw."""
    chance = np.random.default_rng(seed)
    train, held_out, other = draw(images, chance, sizes)
    of_held_out, change = HONEST[kind]
    return tested(change(held_out[: len(other)] if of_held_out else other, chance), held_out, train)


def planted(images: Tensor, kind: str, share: float, seed: int, sizes: tuple[int, int, int] = SIZES) -> CopyTest:
    """Return what the test says of other real images with a share of planted copies."""
    chance = np.random.default_rng(seed)
    train, held_out, other = draw(images, chance, sizes)
    count = round(share * len(other))
    return tested(torch.cat([PLANTED[kind](train, chance)[:count], other[count:]]), held_out, train)
