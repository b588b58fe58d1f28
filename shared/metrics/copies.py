"""Does the generator copy its training images? Nearest neighbours, compared with those of held-out real images.

A generator that has learned what images look like is no nearer to its training images than new real images are. The
direction is that of the competition paper of MiFID: from each synthetic image to its nearest training image.
"""

import numpy as np
import torch
from torch import Tensor

from shared.data.images import Images
from shared.metrics.features.prdc import nearest_distances
from shared.stats.intervals import delong_auc, wilson_interval
from shared.store.records.copies import ClosestPair, CopyTest

MOST_IMAGES = 2000
"""Synthetic and held-out images, at most, whose nearest training images are searched for."""

NEAR = 0.01
"""The share of held-out images that are as near to a training image as a copy is."""

BLOCK_IMAGES = 4096
"""Images that `nearest_images` holds as numbers at a time."""


def copy_test(synthetic: Tensor, held_out: Tensor, train: Tensor) -> CopyTest:
    """Return what the test finds on points (N, d), (M, d), (T, d), all float64.

    `nearer` is the probability that a synthetic point is nearer to train than a held-out one is (ties count half), with
    its interval (DeLong et al. 1988): 0.5 for a generator as good as new images, 1 for a copier (Meehan et al.
    2020). `copy_rate` is the share of synthetic points that are nearer to train than the nearest 1 % of held-out ones
    are, and more than twice as near as to any held-out one: flat or blurred images, which lie near to every image, are
    no copies. It is at most 1 % for new images; its interval is Wilson's, and above 2 % the set is flagged.
    `memorisation` is the mean cosine distance to the nearest training point (MiFID, Bai et al. 2021), next to that
    of the held-out points.
    """
    to_train, which = nearest_distances(synthetic[:MOST_IMAGES], train)
    to_held_out, _ = nearest_distances(synthetic[:MOST_IMAGES], held_out)
    held_out_to_train, _ = nearest_distances(held_out[:MOST_IMAGES], train)
    nearer, low, high = delong_auc(to_train.numpy(), held_out_to_train.numpy())
    # "near" depends on the data: held-out real images say how near to training images new ones are
    limit = float(np.quantile(held_out_to_train.numpy(), NEAR))
    # the second condition spares flat images, which lie near to everything
    copied = int(((to_train < limit) & (2 * to_train < to_held_out)).sum())
    copies = wilson_interval(copied, len(to_train))
    return CopyTest(
        n_synthetic=len(to_train),
        n_held_out=len(held_out_to_train),
        n_train=len(train),
        nearer=nearer,
        nearer_low=low,
        nearer_high=high,
        copy_rate=copied / len(to_train),
        copy_rate_interval=copies,
        expected_copy_rate=NEAR,
        memorisation=cosine_distance(synthetic[:MOST_IMAGES], train),
        memorisation_held_out=cosine_distance(held_out[:MOST_IMAGES], train),
        closest=closest(to_train, which),
        flagged=copies[0] > 2 * NEAR,
    )


def closest(distances: Tensor, which: Tensor, count: int = 10) -> list[ClosestPair]:
    """Return the pairs of synthetic and training images that lie closest, the closest first."""
    # by place, so that the report can draw these very images again
    order = distances.argsort()[:count].tolist()
    return [ClosestPair(synthetic=i, train=int(which[i]), distance=float(distances[i])) for i in order]


def cosine_distance(points: Tensor, train: Tensor) -> float:
    """Return the mean over points of 1 - |cosine| to the training point where that is smallest."""
    unit = [side / side.norm(dim=1, keepdim=True).clamp(min=1e-12) for side in (points, train)]
    return float(torch.cat([1 - (part @ unit[1].T).abs().max(dim=1).values for part in unit[0].split(1024)]).mean())


def as_points(images: Tensor) -> Tensor:
    """Return uint8 images (N, C, S, S) as points (N, C * S * S) in [0, 1], so that a distance is one of pixels."""
    # float64: distances come from a matrix product, whose cancellation would blur those of near copies in float32
    return images.flatten(1).double() / 255


def pixel_copies(synthetic: Tensor, held_out: Images, train: Images) -> CopyTest:
    """Return the copy test on pixels."""
    return copy_test(as_points(synthetic), as_points(held_out.images), as_points(train.images))


def nearest_images(images: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distance of pixels of each image to the nearest of `others`, and which one that is."""
    points = as_points(images)
    # a block at a time, since float64 takes eight times the memory of uint8: the nearest of each, then of those
    blocks = [nearest_distances(points, as_points(block)) for block in others.split(BLOCK_IMAGES)]
    distances, block = torch.stack([distances for distances, _ in blocks]).min(dim=0)
    which = torch.stack([which for _, which in blocks]).gather(0, block[None])[0]
    return distances, which + block * BLOCK_IMAGES
