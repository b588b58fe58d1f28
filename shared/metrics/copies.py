"""Does the generator copy its training images? Nearest neighbours, compared with those of held-out real images.

A generator that has learned what images look like is no nearer to its training images than new real images are. The
direction is that of the competition paper of MiFID: from each synthetic image to its nearest training image. Held-out
images must come from the same population as the training images: where they are of other people or another camera,
every generator is nearer to train than they are.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.images import Images
from shared.metrics.features.pairs import Block, Frame, blocks, chunks, error_of, rounded_down
from shared.metrics.features.rows import Rows
from shared.metrics.neighbours import SHIFT, Nearest, of_images, of_points, transforms
from shared.runtime.observe.bars import Bar, Bars, unseen
from shared.stats.confidence import quantile
from shared.stats.intervals import delong_auc, wilson_interval
from shared.stats.ranks import below_smallest, least_count
from shared.store.records.copies import ALPHA, MOST_TRAIN, NEARER, SHARE_OF_COPIES, TESTS, ClosestPair, CopyTest

MOST_IMAGES = 2000
"""Synthetic and held-out images, at most, whose nearest training images are searched for."""

NEAR = 0.01
"""The share of held-out images that are as near to a training image as a copy is."""

NEARER_LIMIT = 0.6
"""`nearer` is flagged where its interval lies above."""

MUCH_NEARER = 0.5
"""A copy is nearer to its training image than this times the distance to the nearest held-out image."""

SMALL = {"pixels": 0.02, "features": 1e-9}
"""Added to both distances of a ratio: an image that equals one on either side is at a ratio of 1."""

TRANSFORMS = [f"shifts of up to {SHIFT} px", "mirror images", "gain and offset"]
"""What makes no other image of one, in pixels."""

Search = Callable[[Tensor, Rows, Tensor], Nearest]
"""How the nearest of a set is found; see `neighbours.of_points`."""


@dataclass(frozen=True)
class Reference:
    """What is compared of images: distance to the nearest training image, inf where it is no copy, and ratio; (N,)."""

    distances: NDArray[np.float64]
    ratios: NDArray[np.float64]

    @classmethod
    def of(cls, to_train: Nearest, to_held_out: Nearest, small: float) -> "Reference":
        """Return what follows from the nearest images on both sides."""
        distances, others = (found.distances.double().numpy() for found in (to_train, to_held_out))
        # a held-out set of one image has no other
        ratios = (distances + small) / (np.where(np.isinf(others), distances, others) + small)
        return cls(np.where(ratios < MUCH_NEARER, distances, np.inf), ratios)


def copy_test(synthetic: Rows, held_out: Rows, train: Rows) -> CopyTest:
    """Return what the test finds on points (N, d), (M, d), (T, d), floating; see `compared`.

    Distances are float64, a block of points at a time: neither set is held as such.
    """
    found = compared(synthetic, held_out, train, of_points, SMALL["features"])
    return found.model_copy(update=memorisations(synthetic, held_out, train, unseen))


def pixel_copies(synthetic: Rows, held_out: Images, train: Images, bars: Bars = unseen) -> CopyTest:
    """Return the copy test on the pixels of uint8 images (N, C, S, S); distances are minima over `TRANSFORMS`.

    Large sets take minutes: `bars` tell how far it is.
    """

    def nearest(images: Tensor, others: Rows, own: Tensor) -> Nearest:
        with bars("look for copies", len(images) * len(others), "pairs of images") as bar:
            return of_images(images, others, own, bar)

    found = compared(synthetic, held_out.pixels, train.pixels, nearest, SMALL["pixels"])
    sides = synthetic[[pair.synthetic for pair in found.closest]], train.pixels[[pair.train for pair in found.closest]]
    named = zip(found.closest, transforms(*sides), strict=True)
    return found.model_copy(
        update={
            **memorisations(synthetic, held_out.pixels, train.pixels, bars),
            "transforms": TRANSFORMS,
            "closest": [pair.model_copy(update={"transform": transform or None}) for pair, transform in named],
        }
    )


def compared(synthetic: Rows, held_out: Rows, train: Rows, nearest: Search, small: float) -> CopyTest:
    """Return the copy test, given how the nearest of a set is found.

    Two numbers of an image are looked at: the ratio of its distances to the nearest training image and to the nearest
    held-out image, and its distance to the former where that ratio is below `MUCH_NEARER` (flat or blurred images,
    which lie near to every image, are no copies). Synthetic images are compared with held-out ones, each of which is
    compared with the others, and with training images, each without itself: where the held-out images are of other
    people, or of another camera, every image of the training images' kind is nearer to train than they are, and is no
    copy. `flagged` needs both.

    How many synthetic images lie below the smallest, and below the smallest hundredth, of the M of a reference is
    tested against a beta-binomial distribution; with two numbers these are four tests at `ALPHA` / 4, and `p_value` is
    four times the smallest. `copy_rate` is the share below either smallest hundredth of the held-out ones, of which new
    images reach `expected_copy_rate` on average. `least_share` is the share of images at distance 0 from which on this
    flags; None where there are too few held-out images. No more held-out images are taken than there are training
    images: of two sets the larger one has the nearer neighbours of real images, but not of noise, which is as far from
    everything, and would seem to lie nearer to train.

    `nearer` is the probability that the ratio of a synthetic image is below that of a held-out one (ties count half),
    with its interval (DeLong et al. 1988): 0.5 for a generator as good as new images, 1 for a copier (Meehan et al.
    2020 compare distances so). It is flagged above `NEARER_LIMIT`.
    """
    (synthetic, places), (held_out, _), (some, own_train) = (
        some_of(images, most)
        for images, most in ((synthetic, MOST_IMAGES), (held_out, min(MOST_IMAGES, len(train))), (train, MOST_TRAIN))
    )
    n, m = len(synthetic), len(held_out)
    found = both_searches((synthetic, held_out, some), own_train, train, nearest)
    drawn, real, learned = (Reference.of(*sides, small) for sides in found)
    to_train = found[0][0]
    firsts = np.unique(to_train.places.numpy(), return_index=True)[1]
    areas = [area_of(drawn, reference, len(firsts)) for reference in (real, learned)]
    (nearer, low, high), p_value = areas[0], max(p_value_of(drawn, reference, firsts) for reference in (real, learned))
    hundredth = math.ceil(NEAR * m)
    pairs = ((drawn.distances, real.distances), (drawn.ratios, real.ratios))
    copied = int(np.logical_or(*(values < np.sort(others)[hundredth - 1] for values, others in pairs)).sum())
    least = least_count(n, min(m, len(some)), 1, ALPHA / TESTS)
    flagged_for = [SHARE_OF_COPIES] * (p_value < ALPHA) + [NEARER] * (min(area[1] for area in areas) > NEARER_LIMIT)
    return CopyTest(
        n_synthetic=n,
        n_held_out=m,
        n_train=len(train),
        nearer=nearer,
        nearer_low=low,
        nearer_high=high,
        nearer_limit=NEARER_LIMIT,
        copy_rate=copied / n,
        copy_rate_interval=wilson_interval(copied, n),
        expected_copy_rate=min(1.0, len(pairs) * hundredth / (m + 1)),
        memorisation=math.nan,
        memorisation_held_out=math.nan,
        closest=closest(to_train, drawn.ratios, places.tolist()),
        flagged=bool(flagged_for),
        flagged_for=flagged_for,
        p_value=p_value,
        least_share=None if least is None else least / n,
    )


def both_searches(
    images: Sequence[Tensor], own_train: Tensor, train: Rows, nearest: Search
) -> list[tuple[Nearest, Nearest]]:
    """Return the nearest training and the nearest held-out image of synthetic, of held-out and of some train images.

    `own_train` are the places of the latter among all of `train`.
    """
    synthetic, held_out, some = map(len, images)
    # all of them at once, so that each set is gone through once; who is not in it has no place there
    everyone, nowhere = torch.cat(list(images)), torch.tensor([-1])
    to_train = nearest(everyone, train, torch.cat([nowhere.expand(synthetic + held_out), own_train]))
    own = [nowhere.expand(synthetic), torch.arange(held_out), nowhere.expand(some)]
    to_held_out = nearest(everyone, images[1], torch.cat(own))
    parts = slice(synthetic), slice(synthetic, synthetic + held_out), slice(synthetic + held_out, None)
    return [(to_train.part(part), to_held_out.part(part)) for part in parts]


def p_value_of(drawn: Reference, reference: Reference, firsts: NDArray[np.int64]) -> float:
    """Return the p value of the share of images below the smallest ones of a reference, over all `TESTS`.

    `firsts` are images that have different nearest training images: of ratios these alone are tested.
    """
    # a collapsed generator draws few images again and again, and they would be counted as many that agree; a distance
    # needs no such care, since one that counts is much nearer to train than to held-out images
    pairs = ((drawn.distances, reference.distances), (drawn.ratios[firsts], reference.ratios))
    ranks = 1, math.ceil(NEAR * len(reference.distances))
    return min(1.0, TESTS * min(below_smallest(*pair, rank)[1] for pair in pairs for rank in ranks))


def area_of(drawn: Reference, reference: Reference, different: int) -> tuple[float, float, float]:
    """Return `nearer` and its interval, no narrower than of as many images as have `different` nearest ones."""
    area, low, high = delong_auc(drawn.ratios, reference.ratios)
    # at most 1/4 is the variance of a share of pairs: images of a collapsed generator are not independent
    reach = max(area - low, high - area, quantile() * math.sqrt(0.25 / different))
    return area, max(area - reach, 0.0), min(area + reach, 1.0)


def some_of(images: Rows, most: int) -> tuple[Tensor, Tensor]:
    """Return at most `most` of the images, and their places among all."""
    # evenly, since the images of a split may be sorted by class
    places = torch.linspace(0, len(images) - 1, min(most, len(images)), dtype=torch.float64).round().long()
    return (images[:] if len(places) == len(images) else images[places]), places


def closest(found: Nearest, ratios: NDArray[np.float64], places: list[int], count: int = 10) -> list[ClosestPair]:
    """Return the pairs of synthetic and training images that look most like copies, by their ratio."""
    # by place, so that the report can draw these very images again
    return [
        ClosestPair(synthetic=places[i], train=int(found.places[i]), distance=float(found.distances[i]))
        for i in ratios.argsort(kind="stable")[:count].tolist()
    ]


def memorisations(synthetic: Rows, held_out: Rows, train: Rows, bars: Bars) -> dict[str, float]:
    """Return the mean cosine distances to the nearest training point of both sets (MiFID, Bai et al. 2021)."""
    sets = {
        "memorisation": some_of(synthetic, MOST_IMAGES)[0],
        "memorisation_held_out": some_of(held_out, MOST_IMAGES)[0],
    }
    with bars("compare directions", sum(map(len, sets.values())) * len(train), "pairs of images") as bar:
        return {name: cosine_distance(points, train, bar) for name, points in sets.items()}


def cosine_distance(points: Rows, train: Rows, bar: Bar | None = None) -> float:
    """Return the mean over points of 1 - |cosine| to the training point where that is smallest; images are points.

    The `bar` counts pairs.
    """
    best = np.zeros(len(points))
    for rows, columns in blocks(Directions(points), Directions(train), Frame(torch.zeros(1, dtype=torch.float64))):
        best[rows.places] = larger_cosines(rows, columns, best[rows.places])
        if bar is not None:
            bar.advance(len(rows) * len(columns))
    return float((1 - best).mean())


def larger_cosines(rows: Block, columns: Block, so_far: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest |cosine| of each of the rows with any column, or what it was `so_far` where that is larger."""
    width = rows.points.shape[1]
    rough = (rows.terms[:, :width] @ columns.terms[:, :width].T).abs_().numpy()
    error = 2 * error_of(width)
    least = np.maximum(so_far, rough.max(axis=1) - error) - error
    # a point of zeros has no direction
    least[rows.lengths == 0] = np.inf
    pairs = np.nonzero(rough >= rounded_down(least)[:, None])
    found = so_far.copy()
    for part in chunks(len(pairs[0]), rows.points):
        row, column = pairs[0][part], pairs[1][part]
        np.maximum.at(found, row, np.abs(np.vecdot(rows.points[row].numpy(), columns.points[column].numpy())))
    return found


@dataclass(frozen=True)
class Directions:
    """Points, or uint8 images (N, C, S, S) as points (N, C * S * S) in [0, 1], at length 1, as float64."""

    whole: Rows

    dtype = torch.float64

    @property
    def shape(self) -> tuple[int, int]:
        """How many points there are, and how many numbers one has."""
        return len(self.whole), math.prod(self.whole.shape[1:])

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, chosen: Any) -> Tensor:
        """Return the points of a slice, or those whose places are in an int64 tensor."""
        side = self.whole[chosen]
        points = side.flatten(1).double()
        if side.dtype == torch.uint8:
            points.div_(255)
        unit: Tensor = points / points.norm(dim=1, keepdim=True).clamp(min=1e-12)
        return unit

    def split(self, rows: int) -> Iterator[Tensor]:
        """Yield all of them, `rows` at a time, the last ones fewer."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]
