"""Can training images be told from others by the synthetic images alone? A membership inference attack.

The attacker has the synthetic images and a real image, and takes it for a training image the more, the nearer its
nearest synthetic image is (Chen et al. 2020, "GAN-Leaks", attack on a generator that is a full black box). Members are
training images, non-members are of the same draw and were kept from everything. The attack is reported as Carlini et
al. (2022, "Membership Inference Attacks From First Principles") ask for: by how many members are found where hardly any
non-member is taken for one. A mean such as the AUC hides a generator that gives away a few of its images.

Distances are of pixels and of the features of a classifier. That is none which was trained on members: it has seen
them, so that their features lie apart from those of other images, with any generator. With other real images in place
of synthetic ones the features of the experiment's own classifier gave AUCs of 0.53 to 0.57 on MNIST. So half of the
training images train a classifier for this test, and the members are from the other half.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.data.images import NO_LABEL, Images
from shared.data.pixels import Pixels
from shared.data.sampling import apportion, floor_share
from shared.metrics.features.rows import Rows, digests
from shared.metrics.neighbours import of_images, of_points
from shared.models.fit_options import FitConfig
from shared.models.fitting import features_of, fit
from shared.models.networks import Classifier
from shared.runtime.observe.bars import Bar, Bars, unseen
from shared.runtime.seeding import Stream, derive_seed
from shared.stats.intervals import delong_auc
from shared.store.records.membership import MembershipTest

MOST_IMAGES = 10_000
"""Members, and non-members, that are attacked at most: as many as the lowest rate of `FALSE_POSITIVES` needs."""

FALSE_POSITIVES = (0.01, 0.001)
"""Shares of non-members that are taken for members, for which the share of members that are found is reported."""

FEWEST_FALSE = 10
"""Non-members that such a share must be, at least: with fewer the threshold would be an accident of one or two."""

FEWEST = 2
"""Members, and non-members, without which there is no attack; also images that a classifier can be trained on."""

BLOCK_REAL = 2048
"""Real images at a time."""

CLASSIFIER = FitConfig(steps=300)
"""How the classifier is trained whose features are attacked."""

Distances = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class NonMembers:
    """Images that no training has seen, and the split that they are from.

    `confounded` where more than chance sets that split and train apart; `grouped` where related images, such as those
    of a person, are in one split together.
    """

    images: Images
    split: str
    confounded: bool = False
    grouped: bool = False


@dataclass(frozen=True)
class Attack:
    """An attack before its synthetic images: members, as many others, and the classifier of features, if there is."""

    members: Pixels
    others: Pixels
    non_members: NonMembers
    network: Classifier | None

    def by(self, synthetic: Tensor, bars: Bars = unseen) -> dict[str, MembershipTest]:
        """Return what uint8 `synthetic` images (K, C, S, S) give away, in "pixels" and in features of "classifier"."""
        pairs = (len(self.members) + len(self.others)) * len(synthetic)
        with bars("look for members", pairs, "pairs of images") as bar:
            near, far = (nearest_image(real, synthetic, bar) for real in (self.members, self.others))
        found = {"pixels": membership_test(near, far, len(synthetic), self.non_members)}
        if self.network is None:
            return found
        sets = synthetic, self.members, self.others
        drawn, *points = [torch.from_numpy(features_of(self.network, images)) for images in sets]
        near, far = (nearest_point(real, drawn) for real in points)
        return found | {"classifier": membership_test(near, far, len(synthetic), self.non_members)}


def prepare(
    train: Images, val: Images, others: NonMembers, classes: int, seed: int, device: torch.device
) -> Attack | None:
    """Return an attack on the train images, for any synthetic ones; None where fewer than `FEWEST` can be attacked.

    `val` chooses the weights of the classifier that is trained for the test. Features are left out for related images:
    the classifier has seen some that are related to members. Members may be unlabelled (NO_LABEL); classes are then
    alike on both sides on average alone, not by count.
    """
    attacked, learned_from = halves(train, seed)
    known, rest = train.subset(attacked), train.subset(learned_from)
    rest = rest.subset((rest.labels != NO_LABEL).nonzero().flatten())
    labels = known.labels.numpy(), others.images.labels.numpy()
    if NO_LABEL in labels[0]:
        # of one draw, so that classes need no matching; members with labels alone would not be those that were learned
        labels = np.zeros_like(labels[0]), np.zeros_like(labels[1])
    places = matched(*labels, seed)
    if min(map(len, places)) < FEWEST:
        return None
    network = None
    if not others.grouped and len(rest) >= FEWEST:
        network = fit(rest, val, classes, CLASSIFIER, seed=derive_seed(seed, Stream.MEMBERSHIP), device=device).network
    sides = known.subset(places[0]), others.images.subset(places[1])
    return Attack(sides[0].pixels, sides[1].pixels, others, network)


def halves(train: Images, seed: int) -> tuple[Places, Places]:
    """Return the sorted places of two halves of each class, drawn from `seed`; equal images are in one half."""
    contents, first, which = np.unique(digests(train.pixels, b"%d " % seed), return_index=True, return_inverse=True)
    labels = train.labels.numpy()[first]
    second = np.zeros(len(contents), dtype=bool)
    for label in np.unique(labels):
        # by the rank of a hash, which knows nothing of the order of the images
        second[np.flatnonzero(labels == label)[1::2]] = True
    where = second[which]
    return np.flatnonzero(~where), np.flatnonzero(where)


def matched(members: Places, non_members: Places, seed: int, most: int = MOST_IMAGES) -> tuple[Places, Places]:
    """Return sorted places of equally many members and non-members of each class, `most` of each at most, from `seed`.

    The arguments are their labels, (N,) and (M,). A class that one side lacks is left out: a generator draws some
    classes more often than others, so that other shares of classes would tell the sides apart.
    """
    names = np.union1d(members, non_members)
    counts = [min(int((side == name).sum()) for side in (members, non_members)) for name in names]
    counts = apportion(counts, most) if sum(counts) > most else counts
    chance = np.random.default_rng(derive_seed(seed, Stream.MEMBERSHIP))
    drawn = [
        [
            chance.choice(np.flatnonzero(side == name), count, replace=False)
            for name, count in zip(names, counts, strict=True)
        ]
        for side in (members, non_members)
    ]
    first, second = (np.sort(np.concatenate(parts)).astype(np.int64) for parts in drawn)
    return first, second


def membership_test(members: Distances, non_members: Distances, n_synthetic: int, others: NonMembers) -> MembershipTest:
    """Return how well distances to the nearest of the synthetic images tell members (N,) from non-members (M,).

    The AUC is the probability that a member is nearer than a non-member, ties counting half. Raises ValueError for
    fewer than `FEWEST` of either.
    """
    if min(len(members), len(non_members)) < FEWEST:
        raise ValueError(f"{len(members)} members and {len(non_members)} non-members, want at least {FEWEST} of each")
    auc, low, high = area(members, non_members)
    return MembershipTest(
        n_members=len(members),
        n_non_members=len(non_members),
        n_synthetic=n_synthetic,
        non_members=others.split,
        confounded=others.confounded,
        grouped=others.grouped or None,
        auc=auc,
        auc_low=low,
        auc_high=high,
        tpr_at={str(rate): true_positives(members, non_members, rate) for rate in FALSE_POSITIVES},
    )


def area(members: Distances, non_members: Distances) -> tuple[float, float, float]:
    """Return the AUC and its interval (DeLong et al. 1988), which is never of zero width."""
    auc = delong_auc(members, non_members)[0]
    # added: a member farther than all and a non-member nearer than all, or an AUC of 1 would be called certain
    middle, low, high = delong_auc(np.append(members, np.inf), np.append(non_members, -np.inf))
    reach = max(middle - low, high - middle)
    return auc, max(auc - reach, 0.0), min(auc + reach, 1.0)


def true_positives(members: Distances, non_members: Distances, rate: float) -> float | None:
    """Return the share of members nearer than the threshold that a share `rate` of non-members is nearer than.

    None where these are fewer than `FEWEST_FALSE` non-members.
    """
    allowed = floor_share(rate, len(non_members))
    if allowed < FEWEST_FALSE:
        return None
    # strictly nearer than the first non-member that must not be taken for a member: none of equal distances is
    return float((members < np.sort(non_members)[allowed]).mean())


def nearest_image(real: Rows, synthetic: Rows, bar: Bar | None = None) -> Distances:
    """Return the distance of uint8 images (N, C, S, S) to the nearest of (K, C, S, S); see `neighbours.of_images`."""
    # float64: they are ranked against each other
    found = [of_images(part, synthetic, bar=bar).distances.double() for part in real.split(BLOCK_REAL)]
    distances: Distances = torch.cat(found).numpy()
    return distances


def nearest_point(real: Rows, synthetic: Rows) -> Distances:
    """Return the Euclidean distance of points (N, d) to the nearest of (K, d), as float64."""
    distances: Distances = of_points(real, synthetic).distances.numpy()
    return distances
