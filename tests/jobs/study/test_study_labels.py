"""The points of few labels: which options they set, and what is refused."""

import pytest

from jobs.study.labels import label_pairs
from jobs.study.points import KINDS, parse_points, point_of
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions
from jobs.train_mixed.arms import GROUPS
from shared.errors import BadConfig


def test_a_point_of_few_labels_has_its_own_generator_and_arms() -> None:
    """A GAN without labels, as many synthetic images as unlabelled ones, and the arms of the question."""
    own = ["train_gan.conditional=false", "synthesize.share=1", "synthesize.share_of=unlabelled"]
    assert label_pairs(GanOptions(), ()) == [*own, "train_mixed.arms=labels"]
    assert label_pairs(GanOptions(), ("train_mixed.arms=short",)) == own
    question = KINDS["labels"].question
    assert {question.a, question.b} <= set(GROUPS["labels"])


@pytest.mark.parametrize("family", FAMILIES)
def test_families_that_need_labels_are_refused(family: str) -> None:
    """Before anything is made, with the families that can do without; options of the others then fit."""
    if family in ("cgan", "acgan", "per_class"):
        with pytest.raises(BadConfig, match=f"family {family} needs labels, .*\\n.* dcgan, wgan, wgan_gp, r3gan$"):
            label_pairs(GanOptions(family=family), ())
    else:
        assert label_pairs(GanOptions(family=family), ())
        assert not GanOptions(family=family, conditional=False).resolved()["conditional"]


def test_all_labels_are_no_point() -> None:
    """With 100 % no image is without its label, so that there is nothing to compare."""
    with pytest.raises(BadConfig, match="--labels 10,100: with 100 every image has its label"):
        parse_points("labels", "10,100")
    (found,) = parse_points("labels", "2.5")
    assert (found.name, found.share, point_of("labels-2.5")) == ("labels-2.5", 0.025, found)
