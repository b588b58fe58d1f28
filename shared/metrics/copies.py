"""Does the generator copy its training images? Nearest neighbours, beside those of held-out real images.

A generator that has learned what images look like is no nearer to its training images than new real images are. The
direction is that of the competition paper of MiFID: from each synthetic image to its nearest training image.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.images import Images
from shared.metrics.prdc import nearest_distances

LOOKED_AT = 2000
"""Synthetic and held-out images, at most, whose nearest training images are looked for."""

NEAR = 0.01
"""The share of held-out images that are as near to a training image as a copy is."""

BLOCK_IMAGES = 4096
"""Images that `nearest_images` holds as numbers at a time."""


def copy_test(synthetic: Tensor, held_out: Tensor, train: Tensor) -> dict[str, Any]:
    """Return the facts of the test on points (N, d), (M, d), (T, d), all float64.

    `nearer` is the probability that a synthetic point is nearer to train than a held-out one is (ties count half), with
    its 95 % interval (DeLong et al. 1988): 0.5 for a generator as good as new images, 1 for a copier (Meehan et al.
    2020). `copy_rate` is the share of synthetic points that are nearer to train than the nearest 1 % of held-out ones
    are, and more than twice as near as to any held-out one: flat or blurred images, which lie near to every image, are
    no copies. Of new images it is at most 1 %; its interval is Wilson's, and above 2 % the set is flagged.
    `memorisation` is the mean cosine distance to the nearest training point (MiFID, Bai et al. 2021), beside that of
    the held-out points.
    """
    mine, which = nearest_distances(synthetic[:LOOKED_AT], train)
    others, _ = nearest_distances(synthetic[:LOOKED_AT], held_out)
    theirs, _ = nearest_distances(held_out[:LOOKED_AT], train)
    nearer, low, high = probability_of_nearer(mine.numpy(), theirs.numpy())
    limit = float(np.quantile(theirs.numpy(), NEAR))
    copied = int(((mine < limit) & (2 * mine < others)).sum())
    copies = wilson(copied, len(mine))
    return {
        "n_synthetic": len(mine),
        "n_held_out": len(theirs),
        "n_train": len(train),
        "nearer": nearer,
        "nearer_low": low,
        "nearer_high": high,
        "copy_rate": copied / len(mine),
        "copy_rate_interval": copies,
        "expected_copy_rate": NEAR,
        "memorisation": cosine_distance(synthetic[:LOOKED_AT], train),
        "memorisation_held_out": cosine_distance(held_out[:LOOKED_AT], train),
        "closest": closest(mine, which),
        "flagged": copies[0] > 2 * NEAR,
    }


def closest(distances: Tensor, which: Tensor, count: int = 10) -> list[dict[str, Any]]:
    """Return the pairs of synthetic and training images that lie closest, the closest first."""
    order = distances.argsort()[:count].tolist()
    return [{"synthetic": i, "train": int(which[i]), "distance": float(distances[i])} for i in order]


def probability_of_nearer(mine: NDArray[np.floating], theirs: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return P(mine < theirs) + P(equal) / 2 for draws of each, with its 95 % interval (DeLong et al. 1988)."""
    ordered_theirs, ordered_mine = np.sort(theirs), np.sort(mine)

    def share_above(values: NDArray[np.floating], ordered: NDArray[np.floating]) -> NDArray[np.float64]:
        above = len(ordered) - np.searchsorted(ordered, values, side="right")
        equal = np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values, side="left")
        return (above + equal / 2) / len(ordered)

    placed_mine = share_above(mine, ordered_theirs)
    placed_theirs = 1 - share_above(theirs, ordered_mine)
    area = float(placed_mine.mean())
    variance = placed_mine.var(ddof=1) / len(mine) + placed_theirs.var(ddof=1) / len(theirs)
    reach = 1.96 * math.sqrt(variance)
    return area, max(area - reach, 0.0), min(area + reach, 1.0)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def cosine_distance(points: Tensor, train: Tensor) -> float:
    """Return the mean over points of 1 - |cosine| to the training point where that is smallest."""
    unit = [side / side.norm(dim=1, keepdim=True).clamp(min=1e-12) for side in (points, train)]
    return float(torch.cat([1 - (part @ unit[1].T).abs().max(dim=1).values for part in unit[0].split(1024)]).mean())


def as_points(images: Tensor) -> Tensor:
    """Return uint8 images (N, C, S, S) as points (N, C * S * S) in [0, 1], so that a distance is one of pixels."""
    return images.flatten(1).double() / 255


def pixel_copies(synthetic: Tensor, held_out: Images, train: Images) -> dict[str, Any]:
    """Return the copy test on pixels."""
    return copy_test(as_points(synthetic), as_points(held_out.images), as_points(train.images))


def nearest_images(images: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return the distance of pixels of each image to the nearest of `others`, and which one that is.

    `others` become points a block at a time: as numbers they take eight times the room.
    """
    points = as_points(images)
    found = [nearest_distances(points, as_points(block)) for block in others.split(BLOCK_IMAGES)]
    distances, place = torch.stack([distances for distances, _ in found]).min(dim=0)
    which = torch.stack([which for _, which in found]).gather(0, place[None])[0]
    return distances, which + place * BLOCK_IMAGES
