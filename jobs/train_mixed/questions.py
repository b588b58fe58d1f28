"""The questions that the experiment answers, fixed before anything is trained. No import of torch or numpy."""

from collections.abc import Collection
from dataclasses import dataclass

from jobs.train_mixed.arms import GROUPS
from shared.cli.options import listed
from shared.store.records.mixed import ORIGINAL


@dataclass(frozen=True)
class Question:
    """The accuracy of arm `a` against that of its baseline `b`.

    `subject` begins a sentence: {real} and {synthetic} are the numbers of images of `a`, {baseline} that of `b`;
    {pseudo} is that of the unlabelled images in either. {synthetic} and {pseudo} are text, since replicates may differ.
    """

    a: str
    b: str
    subject: str


ADDED = "adding {synthetic} synthetic images to all {real} real ones"
REPLACED = "training on {synthetic} synthetic images in place of the {baseline} real ones"

HEADLINE = Question("real_100_plus_synthetic_100", "real_100", ADDED)
"""What users ask: is it worth adding synthetic images to all the real ones that there are?"""

HEADLINE_OF_ALL = Question("real_100_plus_synthetic_all", "real_100", ADDED)
"""The same where somebody has synthetic images and no say in their number."""

HEADLINE_OF_LABELS = Question(
    "real_100_plus_synthetic_all",
    "real_100_plus_pseudo_all",
    "adding {synthetic} synthetic images to the {real} labelled ones rather than {pseudo} unlabelled ones with the "
    "annotator's labels",
)
"""Where few images have labels: is a generator of all images worth more than pseudo-labels on them?"""

AUGMENTED = Question(
    "real_100_plus_synthetic_100_augmented", "real_100_augmented", "with standard augmentation, " + ADDED
)
"""Whether synthetic images bring anything beyond what costs nothing."""

QUESTIONS = (
    HEADLINE,
    HEADLINE_OF_ALL,
    HEADLINE_OF_LABELS,
    Question(
        "real_100_plus_pseudo_all",
        "real_100",
        "adding {pseudo} unlabelled images with the annotator's labels to the {real} labelled ones",
    ),
    Question("synthetic_100", "real_100", REPLACED),
    Question("synthetic_all", "real_100", REPLACED),
    Question(*ORIGINAL, "adding {synthetic} synthetic images to 30 % of the real ones ({baseline})"),
    Question(
        "synthetic_70_real_30",
        "real_100",
        "training on {real} real and {synthetic} synthetic images in place of all {baseline} real ones",
    ),
    AUGMENTED,
    Question(
        "real_100_plus_synthetic_100",
        "real_100_copied",
        "adding {synthetic} synthetic images rather than each of the {real} real ones once more",
    ),
    Question("real_100_plus_synthetic_50", "real_100", ADDED),
    Question("real_100_plus_synthetic_300", "real_100", ADDED),
    Question(
        "synthetic_70_real_30_own",
        "real_30",
        "adding {synthetic} synthetic images, annotated by these alone, to 30 % of the real ones ({baseline})",
    ),
    Question(
        "synthetic_70_real_30_own",
        "real_30_augmented",
        "adding {synthetic} synthetic images, annotated by these alone, to 30 % of the real ones ({baseline}) "
        "rather than augmenting them",
    ),
    Question("synthetic_only", "real_100", REPLACED),
    Question(
        "synthetic_only_asked",
        "synthetic_only",
        "labelling {synthetic} synthetic images by the class asked for rather than by the annotator",
    ),
)
"""The headline has the whole level; the others share theirs. Their order is that of the page."""

HEADLINES = {"judge": HEADLINE_OF_ALL, "labels": HEADLINE_OF_LABELS}
"""The headline of a group of arms that is there for one question."""


def headline_of(arms: Collection[str], named: str = "", imported: bool = False) -> Question | None:
    """Return the headline of the trained `arms`, which `named`, groups and arms joined by commas, chose; None for none.

    The first name with which the arms of a headline are complete decides, not what is named after it: more arms never
    change the headline. A group that is there for one question has that one, others have that of as many synthetic
    images as real ones, or of all of them where they were imported; without its arms, the first in a fixed order.
    """
    usual = HEADLINE_OF_ALL if imported else HEADLINE
    there: set[str] = set()
    # at last all of them, for those that were not named
    for name in [*listed(named), ""]:
        there |= set(GROUPS.get(name, (name,)) if name else arms) & set(arms)
        for question in (HEADLINES.get(name, usual), usual, HEADLINE, HEADLINE_OF_LABELS, HEADLINE_OF_ALL):
            if {question.a, question.b} <= there:
                return question
    return None


def answerable(
    arms: Collection[str], named: str = "", imported: bool = False
) -> tuple[Question | None, list[Question]]:
    """Return the headline's question, see `headline_of`, and the others whose arms were trained."""
    # a table, not the pairs that look interesting: a comparison picked after seeing accuracies shows too much
    primary = headline_of(arms, named, imported)
    return primary, [each for each in QUESTIONS if {each.a, each.b} <= set(arms) and each is not primary]
