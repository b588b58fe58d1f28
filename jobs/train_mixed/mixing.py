"""From an arm to its training set: real and synthetic images, and whose labels they have."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from jobs.train_mixed.arms import ARMS, ASKED, GIVEN, Arm
from shared.data.images import Images
from shared.data.sampling import floor_share, stratified
from shared.errors import BadInput
from shared.runtime.seeding import Stream, derive_seed


@dataclass(frozen=True)
class Synthetic:
    """Synthetic images with the annotator's labels, the classes asked for (or None) and the annotator's confidence.

    So are unlabelled real images, of which nothing was asked. `total` is how many the dataset has, those that are not
    confident enough too.
    """

    images: Images
    asked: torch.Tensor | None
    confidence: torch.Tensor
    total: int

    def confident(self, least: float) -> "Synthetic":
        """Return those whose annotation has at least this confidence."""
        kept = self.confidence >= least
        return replace(
            self,
            images=self.images.subset(kept.nonzero()[:, 0]),
            asked=None if self.asked is None else self.asked[kept],
            confidence=self.confidence[kept],
        )


def real_part(real: Images, share: float, seed: int) -> Images:
    """Return a stratified draw from `seed` of a share of the real images, the same for every arm with that share."""
    # seeded by (seed, purpose) alone, so that arms with the same share see the same images and compare pairwise
    count = len(real) - floor_share(1 - share, len(real))
    return real.subset(stratified(real.labels.numpy(), count, derive_seed(seed, Stream.REAL_SHARE)))


def training_set(name: str, real: Images, synthetic: Synthetic, seed: int, draw: int) -> tuple[Images, int, int]:
    """Return an arm's images and how many different (real, added) ones it has, with the labels that the arm wants.

    Added are `synthetic` images or, to an arm with pseudo-labels, the unlabelled ones, which then are in their place.
    `seed` draws the real images. Fit number `draw` of a replicate takes its own n synthetic images: the window that
    begins at draw * n, modulo all usable ones; windows overlap where there are fewer than two times n. A copied arm has
    its real images twice. Raises BadInput where there are fewer synthetic images than the arm needs.
    """
    arm = ARMS[name]
    usable = len(synthetic.images)
    n_real, n_synthetic = arm.counts(len(real), usable)
    if n_synthetic > usable or not (usable or arm.is_real):
        raise BadInput(too_few(name, n_synthetic, synthetic, len(real)))
    # classes are spread evenly over the synthetic set, so that every window has their proportions
    window = (draw * n_synthetic + np.arange(n_synthetic)) % max(usable, 1)
    drawn = labelled(arm, synthetic).subset(window)
    seen = real_part(real, arm.real_share, seed)
    # real images first: the order of a training set is part of every fit
    return seen + (seen if arm.copied else drawn), n_real, n_synthetic


def labelled(arm: Arm, synthetic: Synthetic) -> Images:
    """Return the synthetic images with the labels that the arm wants: the class asked for, or the annotation."""
    if arm.labels == ASKED and synthetic.asked is None:
        raise BadInput("the generator was asked for no class; leave out the arms with the class asked for")
    if arm.labels in (ASKED, GIVEN) and synthetic.asked is not None:
        return Images(synthetic.images.pixels, synthetic.asked)
    return synthetic.images


def too_few(name: str, needed: int, synthetic: Synthetic, train_images: int) -> str:
    """Return what an arm lacks, and the --share of synthesize that is enough at the same rate of usable images."""
    usable, total = len(synthetic.images), synthetic.total
    filtered, kind = usable < total, "unlabelled" if ARMS[name].pseudo else "synthetic"
    passing = f"{usable:,} of {total:,} {kind} images pass --min-confidence" if filtered else f"there are {total:,}"
    if not usable:
        return f"arm {name} needs {kind} images; {passing}; lower --min-confidence"
    to_make = -(-needed * total // usable)
    # rounded up to whole percent: the advice must be enough
    share = -(-100 * to_make // train_images) / 100
    lower = ", or lower --min-confidence" if filtered else ""
    return (
        f"arm {name} needs {needed:,} synthetic images; {passing}\nrun synthesize with --share {share} or more{lower}"
    )
