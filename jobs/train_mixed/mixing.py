"""From an arm to its training set: real and synthetic images, and whose labels they have."""

from dataclasses import dataclass

import torch

from jobs.train_mixed.arms import ASKED, Arm
from shared.chance import mix
from shared.errors import BadInput
from shared.loading import Images
from shared.shares import floor_share, stratified


@dataclass(frozen=True)
class Synthetic:
    """Synthetic images with the annotator's labels, the classes asked for (or None) and the annotator's confidence."""

    images: Images
    asked: torch.Tensor | None
    confidence: torch.Tensor

    def confident(self, least: float) -> "Synthetic":
        """Return those whose annotation has at least this confidence."""
        kept = self.confidence >= least
        return Synthetic(
            Images(self.images.images[kept], self.images.labels[kept]),
            None if self.asked is None else self.asked[kept],
            self.confidence[kept],
        )


def real_part(real: Images, share: float, seed: int) -> Images:
    """Return a stratified draw from `seed` of a share of the real images, the same for every arm with that share."""
    count = len(real) - floor_share(1 - share, len(real))
    return real.subset(stratified(real.labels.numpy(), count, mix(seed, 7)))


def training_set(arm: Arm, real: Images, synthetic: Synthetic, seed: int) -> tuple[Images, int, int]:
    """Return the arm's images and how many of them are (real, synthetic), labelled by the annotator or as asked.

    Raises BadInput where there are fewer synthetic images than the arm needs.
    """
    n_real, n_synthetic = arm.counts(len(real))
    if n_synthetic > len(synthetic.images):
        raise BadInput(
            f"the synthetic dataset has {len(synthetic.images):,} usable images, this arm needs {n_synthetic:,}; "
            f"run synthesize with --share {arm.synthetic_share} or more"
        )
    drawn = synthetic.images.subset(range(n_synthetic))
    if arm.labels == ASKED and n_synthetic:
        if synthetic.asked is None:
            raise BadInput("the generator was asked for no class; leave out the arms with the class asked for")
        drawn = Images(drawn.images, synthetic.asked[:n_synthetic])
    return real_part(real, arm.real_share, seed) + drawn, n_real, n_synthetic
