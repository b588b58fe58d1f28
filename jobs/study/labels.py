"""What a point of few labels sets besides their share: a GAN of all images, without labels, and its control."""

from math import floor
from typing import TYPE_CHECKING

from jobs.train_gan.families import FAMILIES
from jobs.train_mixed.arms import ARMS as ARM_ROWS
from jobs.train_mixed.arms import chosen_arms
from shared.data.specs import UNLABELLED
from shared.errors import BadConfig

if TYPE_CHECKING:
    from jobs.train_gan.options import GanOptions

ARMS = "labels"
"""The group of arms with the real, the synthetic and the unlabelled images."""


def check_arms(arms: str, percent: float) -> None:
    """Raise BadConfig for arms that need more synthetic images than a point with labels for `percent` has."""
    share = percent / 100
    name = max(chosen_arms(arms, conditional=True), key=lambda arm: ARM_ROWS[arm].synthetic_share)
    needed = ARM_ROWS[name].synthetic_share
    # as many as there are unlabelled images, compared without a division, which would round
    if needed * share > 1 - share:
        raise BadConfig(
            f"--labels {percent:g}: arm {name} needs {needed:.0%} of the labelled train images in synthetic ones, and "
            f"there are {(1 - share) / share:.0%}, as many as unlabelled ones\n"
            f"leave the arm out of train_mixed.arms, or want --labels {floor(100 / (1 + needed))} or less"
        )


def label_pairs(gan: "GanOptions", given: tuple[str, ...]) -> list[str]:
    """Return the options, `job.option=value`, of a point of few labels, given those of all points.

    `gan` are the options of train_gan. BadConfig for a family that cannot learn from images without labels.
    """
    row = FAMILIES[gan.family]
    if row.one_per_class or (row.conditional and row.conditional_is_fixed):
        able = ", ".join(name for name, family in FAMILIES.items() if not family.conditional_is_fixed)
        raise BadConfig(
            f"--labels: the family {gan.family} needs labels, and GANs of these points learn without them\n"
            f"want --set train_gan.family=NAME, one of {able}"
        )
    named = {pair.partition("=")[0].replace("-", "_") for pair in given}
    # as many synthetic images as there are unlabelled ones: what is compared differs in nothing but where they are from
    pairs = ["train_gan.conditional=false", "synthesize.share=1", f"synthesize.share_of={UNLABELLED}"]
    return pairs + ([] if "train_mixed.arms" in named else [f"train_mixed.arms={ARMS}"])
