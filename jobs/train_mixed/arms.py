"""The arms of the experiment: a row each, and the training set that it stands for."""

from dataclasses import dataclass

from shared.chance import mix
from shared.errors import BadInput
from shared.loading import Images
from shared.shares import floor_share, stratified


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A training set, in shares of the number N of real train images.

    `synthetic_share` s is floor(s N) synthetic images; `real_share` r is N - floor((1 - r) N) real ones, so that
    shares that add up to 1 give exactly N images.
    """

    about: str
    real_share: float
    synthetic_share: float

    def counts(self, train_images: int) -> tuple[int, int]:
        """Return the numbers of (real, synthetic) images."""
        return train_images - floor_share(1 - self.real_share, train_images), floor_share(
            self.synthetic_share, train_images
        )


ARMS: dict[str, Arm] = {
    "real_100": Arm(about="all real", real_share=1.0, synthetic_share=0.0),
    "real_30": Arm(about="30 % of the real", real_share=0.3, synthetic_share=0.0),
    "synthetic_70_real_30": Arm(about="30 % of the real + synthetic", real_share=0.3, synthetic_share=0.7),
    "synthetic_only": Arm(about="synthetic only", real_share=0.0, synthetic_share=0.7),
}


def training_set(arm: Arm, real: Images, synthetic: Images, seed: int) -> tuple[Images, int, int]:
    """Return the arm's images and how many of them are (real, synthetic).

    Real images are a stratified draw from `seed`, the same for every arm with the same real share. Raises BadInput
    where there are fewer synthetic images than the arm needs.
    """
    n_real, n_synthetic = arm.counts(len(real))
    if n_synthetic > len(synthetic):
        raise BadInput(
            f"the synthetic dataset has {len(synthetic):,} images, this arm needs {n_synthetic:,}; "
            f"run synthesize with --share {arm.synthetic_share} or more"
        )
    chosen = stratified(real.labels.numpy(), n_real, mix(seed, 7))
    return real.subset(chosen) + synthetic.subset(range(n_synthetic)), n_real, n_synthetic
