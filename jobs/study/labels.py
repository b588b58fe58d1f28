"""What a point of few labels sets besides their share: a GAN of all images, without labels, and its control."""

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

LABELS_OWN = ("train_gan.conditional", "synthesize.share", "synthesize.share_of")
"""What every point of few labels sets; nobody else may."""


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


def check_arms(percent: float, arms: str) -> None:
    """Raise BadConfig for arms with more synthetic images than a point with `percent` of the labels makes.

    It makes as many as there are unlabelled images; a share of an arm is of the labelled ones, which are rounded up.
    """
    arm = max(chosen_arms(arms, conditional=False), key=lambda name: ARM_ROWS[name].synthetic_share)
    share = ARM_ROWS[arm].synthetic_share
    if percent * (1 + share) >= 100 and share:
        raise BadConfig(
            f"--labels {percent:g}: the arm {arm} has {share:g} synthetic images for each labelled one, and a point "
            "makes as many as there are unlabelled ones\n"
            f"ask for less than {100 / (1 + share):.4g} % of the labels, or leave train_mixed.arms out"
        )
