"""The arms of the experiment: a row each. No import of torch, so that options are checked fast."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cli.options import listed, nearest
from shared.errors import BadConfig

if TYPE_CHECKING:
    from shared.store.records.mixed import Information

ANNOTATED, ASKED, OWN, GIVEN = "annotated", "asked", "own", "given"
"""Whose the labels of synthetic images are: the annotator's, who saw all real labels; the classes that the generator
was asked for; those of an annotator of the arm's own, trained on a share of the real images; the classes asked for
where the generator is conditional, else the annotator's."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A training set, in shares of the number N of real train images.

    `synthetic_share` s is floor(s N) synthetic images; `real_share` r is N - floor((1 - r) N) real ones, so that
    shares that add up to 1 give exactly N images. `labels` says whose the labels of synthetic images are,
    `annotator_share` which share of the real images an annotator of the arm's own sees. With `copied` every real image
    is in the training set twice. With `augmented` the images of each step get the standard augmentation. With
    `every_synthetic` the arm has all synthetic images that there are, however many, and no share; with `pseudo` all
    unlabelled real images, with the annotator's labels (pseudo-labels, Lee 2013).
    """

    about: str
    real_share: float
    synthetic_share: float = 0.0
    labels: str = ANNOTATED
    annotator_share: float = 0.0
    copied: bool = False
    augmented: bool = False
    every_synthetic: bool = False
    pseudo: bool = False

    @property
    def has_synthetic(self) -> bool:
        """Whether the arm has synthetic images."""
        return self.every_synthetic or self.synthetic_share > 0

    @property
    def is_real(self) -> bool:
        """Whether the arm has nothing but real images with their own labels."""
        return not self.has_synthetic and not self.pseudo

    def counts(self, train_images: int, added_images: int = 0) -> tuple[int, int]:
        """Return the numbers of different labelled real images and of those that are added to them.

        Added are synthetic images or, to a `pseudo` arm, unlabelled ones, of which there are `added_images`.
        """
        from shared.data.sampling import floor_share

        n_real = train_images - floor_share(1 - self.real_share, train_images)
        every = self.every_synthetic or self.pseudo
        return n_real, added_images if every else floor_share(self.synthetic_share, train_images)

    def information(self, conditional: bool, filtered: bool = False, unlabelled: bool = False) -> "Information":
        """Return the shares of the real train images that the arm's classifier, generator and annotator saw.

        The generator sees all of them. `conditional` says whether it was asked for classes, `filtered` whether the
        annotator's confidence or label chose the added images, which lets in what the annotator knows whoever labels
        them.
        With `unlabelled` there are unlabelled images too, all of which the generator sees.
        """
        # here, because pydantic is slow to import and a check of options needs no records
        from shared.store.records.mixed import Information

        seen = {"classifier_unlabelled": float(self.pseudo), "generator_unlabelled": float(self.has_synthetic)}
        more = seen if unlabelled else {}
        if not self.has_synthetic:
            annotator = float(self.pseudo)
            return Information(classifier=self.real_share, generator=0.0, annotator=annotator, **more)
        asked = self.labels == ASKED or (self.labels == GIVEN and conditional)
        annotator = self.annotator_share if self.labels == OWN else float(not asked)
        annotator = 1.0 if filtered else annotator
        return Information(classifier=self.real_share, generator=1.0, annotator=annotator, **more)


ARMS: dict[str, Arm] = {
    "real_100": Arm(about="all real", real_share=1.0),
    "real_100_plus_synthetic_100": Arm(
        about="all real + as many synthetic", real_share=1.0, synthetic_share=1.0, labels=GIVEN
    ),
    "synthetic_100": Arm(
        about="synthetic alone, as many as there are real", real_share=0.0, synthetic_share=1.0, labels=GIVEN
    ),
    "real_30": Arm(about="30 % of the real", real_share=0.3),
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
    "synthetic_only": Arm(about="synthetic alone, 70 % as many as real", real_share=0.0, synthetic_share=0.7),
    "synthetic_only_asked": Arm(
        about="synthetic alone, 70 % as many as real, with the class asked for",
        real_share=0.0,
        synthetic_share=0.7,
        labels=ASKED,
    ),
    "real_30_augmented": Arm(about="30 % of the real, augmented", real_share=0.3, augmented=True),
    "real_100_augmented": Arm(about="all real, augmented", real_share=1.0, augmented=True),
    "real_100_plus_synthetic_100_augmented": Arm(
        about="all real + as many synthetic, augmented",
        real_share=1.0,
        synthetic_share=1.0,
        labels=GIVEN,
        augmented=True,
    ),
    "real_100_copied": Arm(about="all real, each of them twice", real_share=1.0, copied=True),
    "real_100_plus_synthetic_50": Arm(
        about="all real + half as many synthetic", real_share=1.0, synthetic_share=0.5, labels=GIVEN
    ),
    "real_100_plus_synthetic_300": Arm(
        about="all real + three times as many synthetic", real_share=1.0, synthetic_share=3.0, labels=GIVEN
    ),
    "real_100_plus_synthetic_all": Arm(
        about="all real + every synthetic", real_share=1.0, every_synthetic=True, labels=GIVEN
    ),
    "synthetic_all": Arm(about="every synthetic alone", real_share=0.0, every_synthetic=True, labels=GIVEN),
    "real_100_plus_pseudo_all": Arm(
        about="all real + every unlabelled real, with the annotator's labels", real_share=1.0, pseudo=True
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

ORIGINAL_GROUP = ("real_100", "real_30", "synthetic_70_real_30")
SHORT_GROUP = ("real_100", "real_100_plus_synthetic_100", "synthetic_100", *ORIGINAL_GROUP[1:])

GROUPS: dict[str, tuple[str, ...]] = {
    "original": ORIGINAL_GROUP,
    "short": SHORT_GROUP,
    "fair": (
        *SHORT_GROUP,
        *("real_100_augmented", "real_100_plus_synthetic_100_augmented", "real_100_copied"),
        *("real_100_plus_synthetic_50", "real_100_plus_synthetic_300"),
    ),
    "judge": ("real_100", "real_100_plus_synthetic_all", "synthetic_all"),
    "labels": ("real_100", "real_100_plus_synthetic_all", "real_100_plus_pseudo_all"),
    "curve": tuple(LEARNING_CURVE.values()),
    "sweep": ("real_100", *SWEEP.values()),
    "all": tuple(ARMS),
}
"""Sets of arms by name: `original` is the published 70/30 design, `short` adds the questions that users ask, `fair` has
their controls, `judge` takes every synthetic image that somebody has, `labels` what is worth more where few images have
labels, synthetic images or the unlabelled ones; `curve` and `sweep` say how much is enough."""


def chosen_arms(text: str, conditional: bool, unlabelled: bool = True) -> list[str]:
    """Return the arms that `text` names, groups and arms joined by commas, in the order of the table.

    Arms with the class asked for are left out where the generator was asked for none. Without `unlabelled` images the
    group `all` has no arm with pseudo-labels. BadConfig for unknown names, and for such an arm that is named otherwise.
    """
    names = listed(text)
    unknown = [name for name in names if name not in GROUPS and name not in ARMS]
    if unknown or not names:
        raise BadConfig(_unknown_arms(text, unknown))
    # a set: an arm in two groups is trained once
    wanted = {arm for name in names for arm in GROUPS.get(name, (name,))}
    pseudo = {name for name, arm in ARMS.items() if arm.pseudo and not unlabelled}
    refused = pseudo & {arm for name in names if name != "all" for arm in GROUPS.get(name, (name,))}
    if refused:
        raise BadConfig(
            f"--arms {text}: {min(refused)} has unlabelled real images, and there are none\n"
            "run preprocess with a --labelled-fraction below 1, or leave the arm out"
        )
    wanted -= pseudo
    return [name for name, arm in ARMS.items() if name in wanted and (conditional or arm.labels != ASKED)]


def first_shown(text: str) -> str:
    """Return what a page of these arms begins with: "original" where that group is named first, else "headline"."""
    return "original" if listed(text)[:1] == ("original",) else "headline"


def _unknown_arms(text: str, unknown: list[str]) -> str:
    """Return what is wrong with a list of arms, and what there are."""
    which = f"unknown: {', '.join(map(repr, unknown))}{nearest(unknown[0], [*GROUPS, *ARMS])}; " if unknown else ""
    return (
        f"--arms {text!r}: {which}want groups ({', '.join(GROUPS)}) or arms, joined by commas\narms: {', '.join(ARMS)}"
    )
