"""Planted generators: functions that make a synthetic set, of known effect, from real images.

Each takes what one replicate has, `Planting`, and returns as many images as there are train images, in random order.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jobs.train_mixed.mixing import real_part
from shared.data.images import Images
from shared.data.sampling import apportion
from shared.metrics.neighbours import SHIFT

GAIN = (0.5, 0.9)
"""Contrast of a recontrasted copy, as a share of the image's own; its brightness moves within what that leaves."""

BLEND = 0.7
"""Weight of the first image of a blend."""

WRONG_LABELS = 0.1
"""Share of the images with another label in the control with label noise."""

OWN_SHARE = 0.3
"""The share of the real images that the arm `real_30` has."""


@dataclass(frozen=True)
class Planting:
    """What a replicate's generator is made of: the real images, its share of the pool, and its own random draws.

    `drawn` are as many images of the pool as there are train images. `seed` is the replicate's, which chooses the real
    images of arms that have a share of them.
    """

    train: Images
    drawn: Images
    classes: int
    replicate: int
    seed: int
    generator: torch.Generator

    def order(self, count: int) -> Tensor:
        """Return 0 to count - 1 in random order."""
        return torch.randperm(count, generator=self.generator)

    def numbers(self, low: int, high: int) -> Tensor:
        """Return a whole number from `low` to `high` for each train image, int64 (N,)."""
        return torch.randint(low, high + 1, (len(self.train),), generator=self.generator)

    def uniform(self, low: float, high: float) -> Tensor:
        """Return a number from `low` to `high` for each train image, (N, 1, 1, 1)."""
        return low + (high - low) * torch.rand(len(self.train), 1, 1, 1, generator=self.generator)


def held_out(planting: Planting) -> Images:
    """Return other real images: a perfect generator."""
    return planting.drawn


def noise(planting: Planting) -> Images:
    """Return random pixels with random labels."""
    shape = planting.train.pixels.shape
    pixels = torch.randint(0, 256, shape, generator=planting.generator, dtype=torch.uint8)
    return Images(pixels, planting.numbers(0, planting.classes - 1))


def shuffled(planting: Planting) -> Images:
    """Return other real images, each with the label of another."""
    drawn = planting.drawn
    return Images(drawn.pixels, drawn.labels[planting.order(len(drawn))])


def copies(planting: Planting) -> Images:
    """Return every train image."""
    return planting.train.subset(planting.order(len(planting.train)))


def own_copies(planting: Planting) -> Images:
    """Return the real images of the arm `real_30` again and again, as many as there are train images."""
    own = real_part(planting.train, OWN_SHARE, planting.seed)
    return own.subset(planting.order(len(planting.train)) % len(own))


def shifted(planting: Planting) -> Images:
    """Return every train image, shifted by one or two pixels down, up, left or right, or both ways."""
    found = copies(planting)
    side = found.pixels.shape[-1]
    every = [(down, right) for down in range(2 * SHIFT + 1) for right in range(2 * SHIFT + 1)]
    every.remove((SHIFT, SHIFT))
    # what a shift brings in is the edge again, not a dark line
    padded = torch.nn.functional.pad(found.images.float(), (SHIFT,) * 4, mode="replicate").to(torch.uint8)
    chosen = planting.numbers(0, len(every) - 1).tolist()
    parts = [
        image[:, down : down + side, right : right + side]
        for image, (down, right) in zip(padded, (every[number] for number in chosen), strict=True)
    ]
    return Images(torch.stack(parts), found.labels)


def mirrored(planting: Planting) -> Images:
    """Return every train image in a mirror."""
    found = copies(planting)
    return Images(found.images.flip(-1), found.labels)


def recontrasted(planting: Planting) -> Images:
    """Return every train image with less contrast and another brightness."""
    found = copies(planting)
    gain = planting.uniform(*GAIN)
    offset = planting.uniform(0, 1) * 255 * (1 - gain)
    return Images((found.images * gain + offset).round().to(torch.uint8), found.labels)


def blends(planting: Planting) -> Images:
    """Return every train image, blended with another one of its class."""
    found = copies(planting)
    images = found.images
    others = images.clone()
    for label in found.labels.unique():
        places = (found.labels == label).nonzero()[:, 0]
        # each with the next one of its class: a class has two images or more
        others[places] = images[places.roll(1)]
    blended = BLEND * images.float() + (1 - BLEND) * others.float()
    return Images(blended.round().to(torch.uint8), found.labels)


def half_of_classes(planting: Planting) -> Images:
    """Return other real images of the first half of the classes, in the proportions of train."""
    kept = kept_classes(planting.classes)
    counts = torch.bincount(planting.train.labels, minlength=planting.classes)[:kept].tolist()
    both = planting.drawn.labels.numpy()
    places = []
    for label, count in enumerate(apportion(counts, len(planting.train))):
        own = np.flatnonzero(both == label)
        # a draw has as many images of a class as train: where more are wanted they are taken again
        places += own[np.arange(count) % len(own)].tolist()
    return planting.drawn.subset(torch.tensor(places)[planting.order(len(places))])


def kept_classes(classes: int) -> int:
    """Return how many classes a generator of half of them makes."""
    return classes // 2


def label_noise(planting: Planting) -> Images:
    """Return other real images, a tenth of which has another label."""
    drawn = planting.drawn
    labels = drawn.labels.clone()
    wrong = planting.order(len(drawn))[: round(WRONG_LABELS * len(drawn))]
    labels[wrong] = (labels[wrong] + planting.numbers(1, planting.classes - 1)[: len(wrong)]) % planting.classes
    return Images(drawn.pixels, labels)


def varying(planting: Planting) -> Images:
    """Return other real images in every second replicate, and the same with shuffled labels in the others."""
    return held_out(planting) if planting.replicate % 2 == 0 else shuffled(planting)
