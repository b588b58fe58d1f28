"""The nearest images of a set: of features by distance, of pixels without regard to shift, mirror and contrast.

Pixels are compared as windows that leave out a margin, so that an image and the same shifted by no more than that hold
the same window. Each window is brought to mean 0 and length 1: this fits gain and offset, and makes a distance a
function of the correlation r, sqrt(2 - 2r), from 0 to 2.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from shared.metrics.features.closest import closest
from shared.metrics.features.pairs import scale_of
from shared.metrics.features.projected import ProjectedSearch
from shared.metrics.features.rows import Rows
from shared.runtime.observe.bars import Bar

SHIFT = 2
"""Pixels by which a window is shifted each way, of images of at most `LARGEST` px."""

LARGEST = 64
"""Side from whose double on images are reduced first, by a whole factor; a shift is of that many more pixels then."""

WINDOW = 14
"""Side in pixels that windows are averaged down to, or up to twice as much: what differs below that is no other image,
and a product of all pairs for each transform is what takes the time."""

STEP_FROM = 3
"""Side of the squares that pixels are averaged over from which on every second shift is looked at."""

FLAT = 2.0
"""Standard deviation in grey levels below which an image is flat: noise would be all that is left of it."""

ROUNDING = 2e-3
"""Distances of windows below this are 0: float32 keeps no more digits of 2 - 2r."""

BLOCK_IMAGES = 1024
"""Images of the searched set at a time: with 2,000 others they make a matrix of 8 MB."""


@dataclass(frozen=True)
class Nearest:
    """The distance (N,) of each to the nearest of a set, and which one that is (N,)."""

    distances: Tensor
    places: Tensor

    def part(self, rows: slice) -> "Nearest":
        """Return what is of some of them."""
        return Nearest(self.distances[rows], self.places[rows])


def of_points(points: Rows, others: Rows, own: Tensor | None = None) -> Nearest:
    """Return the nearest of `others` (M, d) to each of `points` (N, d), the first of equals; distances are Euclidean.

    `own` (N,) are the places of the points among the others, -1 for one that is not there: no point is its own nearest.
    """
    scale = scale_of(points, others)
    found = closest(points, others, 1, scale, None if own is None else own.numpy())
    return Nearest(torch.from_numpy(np.sqrt(found.squares[:, 0]) / scale), torch.from_numpy(found.places[:, 0]))


def of_images(images: Rows, others: Rows, own: Tensor | None = None, bar: Bar | None = None) -> Nearest:
    """Return the nearest of uint8 `others` (M, C, S, S) to each of `images` (N, C, S, S), as a minimum over transforms.

    These are shifts of up to `SHIFT` px, mirror images, gain and offset. Flat images are at a distance of at least 1.
    `own` is as in `of_points`; the `bar` counts pairs.
    """
    factor = max(images.shape[-1] // LARGEST, 1)
    sides = both_ways(images, factor)
    search = ProjectedSearch(sides, None if own is None else own.numpy())
    start = 0
    for block in others.split(BLOCK_IMAGES):
        real = reduced(block, factor)
        search.look((windows(real, down, right) for down, right in shifts(real.shape[-1])), start)
        start += len(block)
        if bar is not None:
            bar.advance(len(images) * len(block))
    distances = torch.from_numpy(search.closest.squares[:, 0]).sqrt().float()
    distances[distances < ROUNDING] = 0
    flat = sides[0].square().sum(dim=1) < 1 - 1e-3
    distances[flat] = distances[flat].clamp(min=1)
    return Nearest(distances, torch.from_numpy(search.closest.places[:, 0]))


def both_ways(images: Rows, factor: int) -> list[Tensor]:
    """Return the windows of images reduced by a factor, as they are and mirrored, each (N, d)."""
    # of some images at a time: windows are far smaller than images as numbers
    found = []
    for block in images.split(BLOCK_IMAGES):
        whole = reduced(block, factor)
        found.append([windows(whole, 0, 0), windows(whole.flip(-1), 0, 0)])
    return [torch.cat(side) for side in zip(*found, strict=True)]


def transforms(images: Tensor, others: Tensor) -> list[str]:
    """Return in words what each of uint8 `images` (N, C, S, S) is of the same one of `others`; "" for no transform."""
    factor = max(images.shape[-1] // LARGEST, 1)
    sides, real = both_ways(images, factor), reduced(others, factor)
    every = shifts(real.shape[-1])
    shifted = [windows(real, down, right) for down, right in every]
    # by place: the first of equal distances has the least transform
    squares = torch.stack([(side - other).square().sum(dim=1) for other in shifted for side in sides])
    return [_name(every[number // 2], number % 2, factor) for number in squares.argmin(dim=0).tolist()]


def windows(images: Tensor, down: int, right: int) -> Tensor:
    """Return the inner windows of float `images` (N, C, S, S), from another place, averaged, standardised, as rows."""
    side, factor = images.shape[-1] - 2 * SHIFT, averaged(images.shape[-1])
    used = side - side % factor
    top, left = SHIFT + down, SHIFT + right
    part = images[:, :, top : top + used, left : left + used]
    rows = (avg_pool2d(part, factor) if factor > 1 else part).flatten(1)
    centred = rows - rows.mean(dim=1, keepdim=True)
    # a flat image would be all noise at length 1
    standardised: Tensor = centred / centred.norm(dim=1, keepdim=True).clamp(min=FLAT * rows.shape[1] ** 0.5)
    return standardised


def reduced(images: Tensor, factor: int) -> Tensor:
    """Return uint8 images as float32, averaged over squares of `factor` px."""
    if factor == 1:
        return images.float()
    # a few at a time: as numbers, large images take four times the memory
    return torch.cat([avg_pool2d(part.float(), factor) for part in images.split(64)])


def shifts(size_px: int) -> list[tuple[int, int]]:
    """Return the shifts of windows of images of this size, down and to the right, that of nothing first."""
    # where pixels are averaged a shift between two others is near enough to them: fewer take a third of the time
    step = 2 if averaged(size_px) >= STEP_FROM else 1
    steps = range(-SHIFT, SHIFT + 1, step)
    return sorted(product(steps, steps), key=lambda shift: abs(shift[0]) + abs(shift[1]))


def averaged(size_px: int) -> int:
    """Return the side in pixels of the squares that windows of images of this size are averaged over."""
    return max((size_px - 2 * SHIFT) // WINDOW, 1)


def _name(shift: tuple[int, int], mirrored: int, factor: int) -> str:
    """Return a transform in words."""
    down, right = shift
    ways = ((down, "up" if down > 0 else "down"), (right, "left" if right > 0 else "right"))
    moved = " and ".join(f"{abs(pixels) * factor} px {way}" for pixels, way in ways if pixels)
    return ", ".join([*(["mirrored"] * mirrored), *([f"shifted {moved}"] if moved else [])])
