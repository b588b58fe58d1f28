"""The arms of the experiment: a row each. No import of torch, so that options are checked fast."""

from dataclasses import dataclass

from shared.cli.options import listed
from shared.errors import BadConfig

ANNOTATED, ASKED, OWN = "annotated", "asked", "own"
"""Whose the labels of synthetic images are: the annotator's, who saw all real labels; the classes that the generator
was asked for; those of an annotator of the arm's own, trained on its real images alone."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A training set, in shares of the number N of real train images.

    `synthetic_share` s is floor(s N) synthetic images; `real_share` r is N - floor((1 - r) N) real ones, so that
    shares that add up to 1 give exactly N images. `labels` says whose the labels of synthetic images are,
    `annotator_share` which share of the real images an annotator of the arm's own sees. With `augmented` the images of
    each step are shifted and, where that keeps the class, mirrored.
    """

    about: str
    real_share: float
    synthetic_share: float = 0.0
    labels: str = ANNOTATED
    annotator_share: float = 0.0
    augmented: bool = False

    def counts(self, train_images: int) -> tuple[int, int]:
        """Return the numbers of (real, synthetic) images."""
        from shared.data.sampling import floor_share

        return train_images - floor_share(1 - self.real_share, train_images), floor_share(
            self.synthetic_share, train_images
        )


ARMS: dict[str, Arm] = {
    "real_100": Arm(about="all real", real_share=1.0),
    "real_30": Arm(about="30 % of the real", real_share=0.3),
    "real_30_augmented": Arm(about="30 % of the real, shifted and mirrored", real_share=0.3, augmented=True),
    "synthetic_70_real_30": Arm(about="30 % of the real + synthetic", real_share=0.3, synthetic_share=0.7),
    "synthetic_70_real_30_own": Arm(
        about="30 % of the real + synthetic, annotated by these 30 % alone",
        real_share=0.3,
        synthetic_share=0.7,
        labels=OWN,
        annotator_share=0.3,
    ),
    "synthetic_70_real_30_asked": Arm(
        about="30 % of the real + synthetic, with the class asked for",
        real_share=0.3,
        synthetic_share=0.7,
        labels=ASKED,
    ),
    "synthetic_only": Arm(about="synthetic only", real_share=0.0, synthetic_share=0.7),
    "synthetic_only_asked": Arm(
        about="synthetic only, with the class asked for", real_share=0.0, synthetic_share=0.7, labels=ASKED
    ),
}

LEARNING_CURVE = {5: "real_5", 10: "real_10", 25: "real_25", 50: "real_50", 100: "real_100"}
"""The arms with real images alone, by percent of the train split: data equivalents are read off their accuracy."""

ARMS |= {
    name: Arm(about=f"{percent} % of the real", real_share=percent / 100)
    for percent, name in LEARNING_CURVE.items()
    if name not in ARMS
}

SWEEP = {share: f"synthetic_{share}_real_{100 - share}" for share in (25, 50, 70, 90, 95)}
"""The arms that replace more and more real images by synthetic ones, by percent of synthetic images."""

ARMS |= {
    name: Arm(
        about=f"{100 - share} % of the real + {share} % synthetic",
        real_share=(100 - share) / 100,
        synthetic_share=share / 100,
    )
    for share, name in SWEEP.items()
    if name not in ARMS
}

GROUPS: dict[str, tuple[str, ...]] = {
    "short": ("real_100", "real_30", "synthetic_70_real_30", "synthetic_only"),
    "fair": (
        *("real_100", "real_30", "real_30_augmented", "synthetic_70_real_30", "synthetic_70_real_30_own"),
        *("synthetic_70_real_30_asked", "synthetic_only", "synthetic_only_asked"),
    ),
    "curve": tuple(LEARNING_CURVE.values()),
    "sweep": ("real_100", *SWEEP.values()),
    "all": tuple(ARMS),
}
"""Sets of arms by name: `short` is the demo's, `fair` has every control, `curve` and `sweep` say how much is enough."""


def chosen_arms(text: str, conditional: bool) -> list[str]:
    """Return the arms that `text` names, groups and arms joined by commas, in the order of the table.

    Arms with the class asked for are left out where the generator was asked for none. BadConfig for unknown names.
    """
    names = listed(text)
    unknown = [name for name in names if name not in GROUPS and name not in ARMS]
    if unknown or not names:
        raise BadConfig(_unknown_arms(text, unknown))
    # a set: an arm in two groups is trained once
    wanted = {arm for name in names for arm in GROUPS.get(name, (name,))}
    return [name for name, arm in ARMS.items() if name in wanted and (conditional or arm.labels != ASKED)]


def _unknown_arms(text: str, unknown: list[str]) -> str:
    """Return what is wrong with a list of arms, and what there are."""
    which = f"unknown: {', '.join(map(repr, unknown))}; " if unknown else ""
    return (
        f"--arms {text!r}: {which}want groups ({', '.join(GROUPS)}) or arms, joined by commas\narms: {', '.join(ARMS)}"
    )
