"""The standard augmentation of a classifier's images: what synthetic images have to beat.

RandAugment (Cubuk et al. 2020, two operations at magnitude 9 of 31), shifts by up to an eighth of the side, mirrors
where they keep the class, and MixUp (Zhang et al. 2018, alpha 0.2); RandAugment and MixUp are torchvision's.

None of RandAugment's operations mirrors an image. Those that move pixels (rotation by 9 degrees, shear by 0.09, shifts
by 14 % of the side) keep classes for which mirrors do not, such as digits and letters. Brightness, contrast, colour,
solarize, posterize, equalize and autocontrast do not keep a class that is itself a colour or a brightness.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from shared.data.augmentation import flip, translation
from shared.data.images import to_unit_range

OPERATIONS = 2
"""Operations of RandAugment on each image."""

GROUP_IMAGES = 4
"""Images that share one draw of an operation."""

MIXUP_ALPHA = 0.2
"""Both parameters of the beta distribution that a step's share of the other image is drawn from."""


def standard_augmentation(mirrors: bool, classes: int) -> Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]:
    """Return the augmentation of a training step: (images, labels, seed) to (images, targets).

    It takes uint8 images (N, 1 or 3, S, S) of 8 px or more and int64 labels (N,), and returns float32 images in
    [-1, 1] and the probabilities (N, classes) that they are trained for. With `mirrors` images are mirrored left and
    right. Everything is drawn from `seed`: torch's own generators are left as they were.
    """
    from torchvision.transforms import v2  # takes a second or two, and most fits need none of it

    mix_up = v2.MixUp(alpha=MIXUP_ALPHA, num_classes=classes)

    def augment(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        with _drawing_from(seed):
            # three numbers even where one is not used, so that all else does not depend on whether images are mirrored
            params = torch.rand(len(images), 3).to(images.device)
            changed = to_unit_range(rand_augment(images))
            background = _background(changed)[:, :, None, None]
            moved = translation(changed - background, params[:, :2]) + background  # it brings in zeros
            mixed, targets = mix_up(flip(moved, params[:, 2:]) if mirrors else moved, labels)
        return mixed, targets

    return augment


def rand_augment(images: Tensor) -> Tensor:
    """Return uint8 images (N, C, S, S) after OPERATIONS operations, each drawn for a few images."""
    from torchvision.transforms import v2

    changed = images.clone()
    # one call on all images would give them the same operation, one for each image takes longer than the step itself;
    # other groups for the second operation, so that hardly two images get the same pair
    for _ in range(OPERATIONS):
        background = _background(changed)
        for group in torch.randperm(len(images)).to(images.device).split(GROUP_IMAGES):
            fill = background[group].median(dim=0).values.tolist()
            changed[group] = v2.RandAugment(num_ops=1, fill=fill)(changed[group])
    return changed


def _background(images: Tensor) -> Tensor:
    """Return the median (N, C) of each image's outermost pixels: what comes in from outside of it."""
    # no fixed colour: grey around digits on black takes back most of what shifts gain a classifier
    edges = images[..., 0, :], images[..., -1, :], images[..., 1:-1, 0], images[..., 1:-1, -1]
    return torch.cat(edges, dim=-1).median(dim=-1).values


@contextmanager
def _drawing_from(seed: int) -> Iterator[None]:
    """Seed the CPU's generator, which torchvision draws from, and restore its state afterwards."""
    # not torch.manual_seed, which would also seed every other device for good
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
