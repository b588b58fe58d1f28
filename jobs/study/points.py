"""The points of a study: what is asked for, in percent of the real images. No import of torch or numpy."""

import re
from dataclasses import dataclass

from jobs.train_mixed.arms import ARMS, chosen_arms
from jobs.train_mixed.questions import HEADLINE, HEADLINE_OF_LABELS, QUESTIONS, Question
from shared.errors import BadConfig
from shared.store.lineage import POINT_NAME


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the points of one kind vary: the option of `preprocess` that sets it, the question that each point answers.

    `scales_epochs` says that the GAN has fewer images, of which it then sees each more often. `counted` is what the
    number of a point is a number of, `helped` what an answer says of synthetic images. With `unlabelled` there are
    real images whose labels nothing sees.
    """

    flag: str
    option: str
    question: Question
    scales_epochs: bool
    title: str
    counted: str
    helped: str
    about: str
    unlabelled: bool = False


KINDS: dict[str, Kind] = {
    "images": Kind(
        flag="--images",
        option="train_val_fraction",
        question=HEADLINE,
        scales_epochs=True,
        title="Gain against the number of real images",
        counted="real train images",
        helped="adding synthetic images",
        about="At each point GAN, annotator and classifier have that share of the real train and val images alone",
    ),
    "labels": Kind(
        flag="--labels",
        option="labelled_fraction",
        question=HEADLINE_OF_LABELS,
        scales_epochs=False,
        title="Gain over pseudo-labels against the number of labelled images",
        counted="labelled train images",
        helped="adding synthetic images rather than pseudo-labels",
        about="At each point annotator and classifier have the labels of that share of the real train and val images "
        "alone; the GAN has all train images and no label, and the annotator names its images and the unlabelled ones",
        unlabelled=True,
    ),
}
"""The kinds of points, by the word that names their experiments."""


@dataclass(frozen=True)
class Point:
    """A share of the images, in percent, and which kind of share it is."""

    kind: str
    percent: float

    @property
    def name(self) -> str:
        """The name of its experiment below the folder of the study."""
        return f"{self.kind}-{self.percent:g}"

    @property
    def share(self) -> float:
        """The share of 1."""
        return self.percent / 100

    @property
    def row(self) -> Kind:
        """The row of KINDS."""
        return KINDS[self.kind]


def parse_points(kind: str, text: str | None) -> list[Point]:
    """Return the points in `text`, percentages joined by commas, the smallest first; BadConfig for anything else."""
    if text is None:
        return []
    flag, found = KINDS[kind].flag, []
    for word in (part.strip() for part in text.split(",")):
        # at most two decimals: they name a folder, and no set is so large that more of them matter
        if not re.fullmatch(r"\d+(\.\d{1,2})?", word) or not 0 < float(word) <= 100:
            raise BadConfig(
                f"{flag} {text}: {word!r} is no percentage; want numbers above 0, at most 100, joined by commas, "
                f"such as {flag} 5,10,30,100"
            )
        found.append(Point(kind, float(word)))
    if KINDS[kind].unlabelled and found and max(point.percent for point in found) == 100:
        raise BadConfig(f"{flag} {text}: with 100 every image has its label; want less, such as {flag} 10")
    twice = sorted({point.percent for point in found if found.count(point) > 1})
    if twice:
        raise BadConfig(
            f"{flag} {text}: {', '.join(f'{percent:g}' for percent in twice)} more than once; want each once"
        )
    return sorted(found, key=lambda point: point.percent)


def point_of(name: str) -> Point | None:
    """Return the point whose experiment has this name below the folder of a study; None where that is no point's."""
    kind, _, percent = name.rpartition("-")
    found = Point(kind, float(percent)) if kind in KINDS and re.fullmatch(r"\d+(\.\d+)?", percent) else None
    return found if found is not None and found.name == name else None


def ordered(points: set[Point]) -> list[Point]:
    """Return points in the order in which they are made and shown: by kind, then the smallest first."""
    kinds = list(KINDS)
    return sorted(points, key=lambda point: (kinds.index(point.kind), point.percent))


def arms_with(arms: str, question: Question) -> str:
    """Return the arms `arms`, groups and arms joined by commas, and those of a question where they lack any."""
    there = chosen_arms(arms, conditional=True)
    return ",".join([arms, *(name for name in (question.b, question.a) if name not in there)])


assert all(row.question in QUESTIONS and {row.question.a, row.question.b} <= ARMS.keys() for row in KINDS.values())
assert all(re.fullmatch(POINT_NAME, f"{kind}-2.5") for kind in KINDS)
