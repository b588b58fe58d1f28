"""The points of few labels: which options they set, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.study.children import child_of
from jobs.study.labels import check_arms, label_pairs
from jobs.study.points import KINDS, Point, parse_points, point_of
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions
from jobs.train_mixed.arms import GROUPS
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.validate import validate
from shared.data.specs import ImageSpec, Specs, SyntheticSpec
from shared.errors import BadConfig
from shared.store.work_shards import WHOLE
from tests.jobs.study.test_study_children import NOTHING


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


@pytest.mark.parametrize("pair", ["synthesize.share=2", "synthesize.share-of=train", "train_gan.conditional=true"])
def test_what_a_point_of_few_labels_sets_is_refused(pair: str) -> None:
    """It would be overridden silently; points of few images leave it to the user."""
    options = NOTHING | {"pairs": (pair,)}
    with pytest.raises(BadConfig, match="a study sets it for each of its points"):
        child_of(Point("labels", 10), "digits", Path("v"), "digits", options)
    assert pair in child_of(Point("images", 10), "digits", Path("v"), "digits", options).pairs


def test_arms_that_need_more_synthetic_images_are_refused_before_a_gan() -> None:
    """With labels for half of the images there may be one synthetic image fewer than labelled ones."""
    options = NOTHING | {"pairs": ("train_mixed.arms=short",)}
    with pytest.raises(BadConfig, match=r"--labels 50: the arm real_100_plus_synthetic_100 .*\n.* less than 50 % of"):
        child_of(Point("labels", 50), "digits", Path("v"), "digits", options)
    assert child_of(Point("labels", 49), "digits", Path("v"), "digits", options)
    assert child_of(Point("labels", 60), "digits", Path("v"), "digits", NOTHING)


def test_a_run_refuses_such_arms_too() -> None:
    """Before there are any images: the share of labels and that of synthetic images are options."""
    real = ImageSpec(size_px=16, channels=1, source="digits", mirrors=False, unlabelled=True, labelled_fraction=0.6)
    specs = Specs(real, SyntheticSpec(share=None, share_of_unlabelled=1.0))
    refused = r"arm real_100_plus_synthetic_100 needs 100% .* there are 67%\nwant a --labelled-fraction .* 0.5 at most"
    with pytest.raises(BadConfig, match=refused):
        validate(MixedOptions(arms="short"), WHOLE, specs)
    validate(MixedOptions(arms="labels"), WHOLE, specs)
    validate(MixedOptions(arms="short"), WHOLE, replace(specs, real=replace(real, labelled_fraction=0.5)))


def test_all_labels_are_no_point() -> None:
    """With 100 % no image is without its label, so that there is nothing to compare."""
    with pytest.raises(BadConfig, match="--labels 10,100: with 100 every image has its label"):
        parse_points("labels", "10,100")
    (found,) = parse_points("labels", "2.5")
    assert (found.name, found.share, point_of("labels-2.5")) == ("labels-2.5", 0.025, found)


@pytest.mark.parametrize(
    ("percent", "arms", "most"),
    [
        (49.9, "short", None),
        (50, "short", "50"),  # labelled images are rounded up, and unlabelled ones are the rest
        (60, "short", "50"),
        (25, "fair", "25"),
        (24, "fair", None),
        (99, "labels", None),
        (99, "curve", None),
    ],
)
def test_arms_with_more_synthetic_images_than_there_will_be_are_refused(
    percent: float, arms: str, most: str | None
) -> None:
    """Before a GAN is trained for them; arms with every synthetic image take as many as there are."""
    if most is None:
        check_arms(percent, arms)
    else:
        with pytest.raises(BadConfig, match=f"ask for less than {most} % of the labels"):
            check_arms(percent, arms)
