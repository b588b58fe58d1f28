"""The controls of the verdict: planted generators, and what must be said of each. A row each; no import of torch.

Whoever reads an answer of the product wants to know whether it would have said so of noise, of copies, of a perfect
generator. The table says what is right, before anything is trained.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.store.records.mixed import COPIES, HELPED, HURT, NO_EFFECT, ORIGINAL

ADDED = ("real_100_plus_synthetic_100", "real_100")
REPLACED = ("synthetic_100", "real_100")

QUESTIONS = {
    ADDED: "added to all real images",
    REPLACED: "in place of the real images",
    ORIGINAL: "added to 30 % of the real images",
}
"""The questions that controls answer, by their arms: the headline first."""

REAL_ARMS = ("real_100", "real_50", "real_30", "real_25")
"""Arms of real images alone: baselines of the questions, and a learning curve of three points."""


@dataclass(frozen=True)
class Known:
    """What the arms of real images say: their accuracies, that of one answer for all, and of the classes.

    `left_out` is the share of the test images whose class the generator of half of the classes does not make.
    """

    accuracy: Mapping[str, float]
    majority_baseline: float
    left_out: float

    @property
    def doubling(self) -> float:
        """What twice as many real images bring at least: half of what the last doubling brought.

        True of errors that fall as a power of the number of images with an exponent of at most 1.
        """
        return (self.accuracy["real_100"] - self.accuracy["real_50"]) / 2

    @property
    def halving(self) -> float:
        """What half of the real images cost; as many wrong labels as right ones cost more."""
        return self.accuracy["real_100"] - self.accuracy["real_50"]

    @property
    def chance(self) -> float:
        """Half of what the real images are worth: labels without a meaning cost all of it."""
        return (self.accuracy["real_100"] - self.majority_baseline) / 2

    @property
    def classes(self) -> float:
        """Half of what is lost where no image of the classes that are left out is answered."""
        return self.accuracy["real_100"] * self.left_out / 2

    @property
    def leak(self) -> float:
        """Half of what all real images bring to 30 % of them."""
        return (self.accuracy["real_100"] - self.accuracy["real_30"]) / 2


@dataclass(frozen=True)
class Expected:
    """The outcomes that are right for a question.

    `effect` names the number of `Known` that a generator of this kind changes accuracy by at least, where no effect
    shown is not right: an experiment that could have missed so much is underpowered. `limit` names the number of
    `Known` that no loss may be shown to exceed.
    """

    question: tuple[str, str]
    outcomes: tuple[str, ...]
    effect: str | None = None
    limit: str | None = None


NOT_HELPED = (NO_EFFECT, COPIES, HURT)
"""What may be said of copies added to the images that they are of: anything but that they helped."""


@dataclass(frozen=True)
class Control:
    """A planted generator and what is right to say of it; None where either may be.

    `maker` names a function of `planted`. `copies` is whether the copy test flags it, `member` whether who was in its
    train set can be told from its images, `collapsed` whether a warning says that it collapsed. With `spread` the
    interval must hold the differences between replicates, with `worth` its images must be worth as many real ones.
    """

    about: str
    maker: str
    expected: tuple[Expected, ...]
    copies: bool | None = None
    member: bool | None = None
    collapsed: bool | None = None
    spread: bool = False
    worth: bool = False

    @property
    def arms(self) -> list[str]:
        """The arms with synthetic images that its checks need; the headline is always asked."""
        asked = [expected.question[0] for expected in self.expected]
        return list(dict.fromkeys([ADDED[0], *asked, *([REPLACED[0]] if self.worth else [])]))


CONTROLS: dict[str, Control] = {
    "held_out": Control(
        "other real images: a perfect generator",
        "held_out",
        (Expected(ADDED, (HELPED,), "doubling"),),
        copies=False,
        member=False,
        collapsed=False,
        worth=True,
    ),
    "noise": Control(
        "random pixels and labels",
        "noise",
        # noise may cost accuracy or not
        (Expected(ADDED, (HURT, NO_EFFECT)), Expected(REPLACED, (HURT,), "chance")),
        copies=False,
        member=False,
        collapsed=True,
    ),
    "shuffled": Control(
        "other real images, labels shuffled",
        "shuffled",
        (Expected(ADDED, (HURT,), "halving"), Expected(REPLACED, (HURT,), "chance")),
        copies=False,
        member=False,
    ),
    "label_noise": Control(
        "other real images, 10 % of the labels wrong",
        "label_noise",
        # new images help and wrong labels hurt: which is more depends on the classifier
        (
            Expected(ADDED, (HELPED, NO_EFFECT, HURT), limit="halving"),
            # in place of clean ones they can only cost, and less than labels without a meaning
            Expected(REPLACED, (HURT, NO_EFFECT), limit="chance"),
        ),
        copies=False,
        member=False,
        collapsed=False,
    ),
    "half_of_classes": Control(
        "other real images of half of the classes",
        "half_of_classes",
        # more images of some classes may help or hurt; alone they cannot do
        (Expected(ADDED, (HELPED, NO_EFFECT, HURT)), Expected(REPLACED, (HURT,), "classes")),
        copies=False,
        member=False,
        collapsed=True,
    ),
    "varying": Control(
        "other real images; labels shuffled in every second replicate",
        "varying",
        (Expected(ADDED, (HELPED, NO_EFFECT, HURT)),),
        copies=False,
        spread=True,
    ),
    "copies": Control(
        "copies of all train images",
        "copies",
        # to 30 % of the real images they bring the rest: a gain, which must not be credited to new images
        (Expected(ADDED, NOT_HELPED), Expected(ORIGINAL, (COPIES,), "leak")),
        copies=True,
        member=True,
    ),
    "own_copies": Control(
        "copies of the arm's own images, 30 % of train",
        "own_copies",
        (Expected(ADDED, NOT_HELPED), Expected(ORIGINAL, NOT_HELPED)),
        copies=True,
    ),
    "shifted": Control(
        "copies, shifted by 1 or 2 px", "shifted", (Expected(ADDED, NOT_HELPED),), copies=True, member=True
    ),
    "mirrored": Control("copies in a mirror", "mirrored", (Expected(ADDED, NOT_HELPED),), copies=True, member=True),
    "recontrasted": Control(
        "copies with other contrast and brightness",
        "recontrasted",
        (Expected(ADDED, NOT_HELPED),),
        copies=True,
        member=True,
    ),
    "blends": Control(
        "70/30 blends of two train images of a class", "blends", (Expected(ADDED, NOT_HELPED),), copies=True
    ),
}
"""Every planted generator, by name."""
