"""The validation of each job is a plain function of its options, its work shard and a description of the data."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.commands.calls import command_of
from jobs.pipeline import JOBS, PREPROCESS
from shared.cli.resolve import asked
from shared.data.specs import ImageSpec, Specs, SyntheticSpec, describe
from shared.errors import BadConfig
from shared.store.artifacts import Artifact, open_output
from shared.store.work_shards import WHOLE, Shard

pytestmark = pytest.mark.usefixtures("ask_here")

GREY_16 = ImageSpec(size_px=16, channels=1, source="digits", mirrors=False, classes=10)


def test_another_network_drops_the_recipes_width() -> None:
    """The width of the recipe belongs to the recipe's network: torchvision's have their own, and refuse one."""
    assert options("train_classifier", "--recipe", "cifar10_dcgan").width == 32
    assert options("train_classifier", "--recipe", "cifar10_dcgan", "--network", "resnet18").width == 16
    with pytest.raises(BadConfig, match="--width 8: the network resnet18 has its own widths"):
        options("train_mixed", "--network", "resnet18", "--width", "8")


def options(job: str, *words: str) -> Any:
    """Return the options of a job under the default recipe, with `words` as its flags."""
    return asked(command_of(job), list(words)).config


def check(job: str, words: list[str], specs: Specs, shard: Shard = WHOLE) -> None:
    """Call the validation of a job."""
    command_of(job).validate(options(job, *words), shard, specs)


def images(**changes: Any) -> Specs:
    """Return the description of the digits, with changes."""
    return Specs(real=replace(GREY_16, **changes))


REFUSED = {
    "network of another size": ("train_classifier", ["--network", "rps_cnn"], images(size_px=10), "10 px wide"),
    "own size of another size": (
        "train_classifier",
        ["--network", "rps_cnn", "--size-px", "10"],
        images(size_px=16),
        "10 px wide",
    ),
    "too small for the network": ("train_classifier", ["--network", "convnext_tiny"], images(size_px=16), "32 or more"),
    "no whole patches": ("train_mixed", ["--network", "vit_b_16"], images(size_px=40), "32 in steps of 16"),
    "too large for classifiers": ("train_classifier", [], images(size_px=600), "take at most 512"),
    "no such size": ("train_gan", [], images(size_px=24), "24 px wide"),
    "larger than the published networks": (
        "train_gan",
        ["--family", "cgan"],
        images(size_px=256),
        "256 px wide, the networks rps_learnopencv are for 128 px at most; take --networks dcgan",
    ),
    "larger than any networks": ("train_gan", ["--family", "cgan"], images(size_px=512), "want one of .*256"),
    "mirrored digits": ("train_gan", ["--flips"], images(), "--flips: images of the source digits"),
    "variance of one pixel": (
        "train_gan",
        ["--family", "cgan", "--discriminator-norm", "instance"],
        images(),
        "one pixel for images of 16 px",
    ),
    "memory": ("evaluate", ["--images", "1000000000000"], images(), "half of .*; want at most"),
    "mixed network of another size": ("train_mixed", ["--network", "rps_cnn"], images(size_px=10), "10 px wide"),
    "too few synthetic images": (
        "train_mixed",
        ["--arms", "all"],
        Specs(synthetic=SyntheticSpec(share=0.7)),
        "arm real_100_plus_synthetic_300 .*\\n.*--share 3.0 or more",
    ),
    "fewer synthetic images than real ones": (
        "train_mixed",
        [],
        Specs(synthetic=SyntheticSpec(share=0.99)),
        "arm real_100_plus_synthetic_100 .*\\n.*--share 1.0 or more",
    ),
    "labels for images without": (
        "train_gan",
        [],
        images(unlabelled=True),
        "family wgan_gp: uses labels, .* unlabelled .*\\nwant --unconditional, or",
    ),
    "a family of labels for images without": (
        "train_gan",
        ["--family", "acgan"],
        images(unlabelled=True),
        "family acgan: uses labels, .*\\nwant --unconditional with one of the families dcgan, wgan, wgan_gp, r3gan, or",
    ),
    "a generator of each class for images without": (
        "train_gan",
        ["--family", "per_class"],
        images(unlabelled=True),
        "family per_class: trains a generator on each class, .*\\nwant --unconditional with one of",
    ),
    "pseudo-labels of no images": ("train_mixed", ["--arms", "labels"], images(), "real_100_plus_pseudo_all has unl"),
    "a share of no images": (
        "synthesize",
        ["--share-of", "unlabelled"],
        images(),
        "--share-of unlabelled: the real images have no such split",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_contradict_the_data_are_refused(case: str) -> None:
    """Each reason is given; without a description of the data nothing is refused for it."""
    job, words, specs, reason = REFUSED[case]
    with pytest.raises(BadConfig, match=reason):
        check(job, words, specs)
    if "own size" not in case:
        check(job, words, Specs())


def test_subsets_of_all_images_are_refused() -> None:
    """--resplit train draws what a share leaves: without one its replicates would be said to differ, and would not."""
    with pytest.raises(BadConfig, match="there is none: all are used"):
        check("preprocess", ["--resplit", "train", "--audit-fraction", "0.1"], Specs())
    for option in ("--train-val-fraction", "--labelled-fraction"):
        check("preprocess", ["--resplit", "train", option, "0.5"], Specs())


def test_options_that_match_the_data_pass() -> None:
    """The same options are accepted for other data."""
    check("train_gan", ["--flips"], images(mirrors=True))
    check("train_gan", ["--family", "cgan", "--discriminator-norm", "instance"], images(size_px=32))
    check("train_mixed", ["--arms", "all"], Specs(GREY_16, SyntheticSpec(share=3.0)))
    check("train_mixed", ["--arms", "sweep"], Specs(GREY_16, SyntheticSpec(share=0.95)))
    check("train_mixed", ["--arms", "original"], Specs(GREY_16, SyntheticSpec(share=0.7)))
    check("train_classifier", ["--network", "rps_cnn", "--size-px", "16"], images(size_px=10))
    check("train_gan", ["--unconditional"], images(unlabelled=True))
    few = replace(GREY_16, unlabelled=True)
    check("train_mixed", ["--arms", "labels"], Specs(few, SyntheticSpec(share=None)))
    half = Specs(replace(few, labelled_fraction=0.5), SyntheticSpec(share=None, share_of_unlabelled=1.0))
    check("train_mixed", ["--arms", "short"], half)
    check("synthesize", ["--share-of", "unlabelled"], images(unlabelled=True))
    for row in JOBS[:-2]:
        check(row.name, [], Specs(GREY_16, SyntheticSpec(share=1.0)))


def test_a_part_of_one_network_is_refused() -> None:
    """Only the family with a network for each class can be sharded, with or without data."""
    for specs in (Specs(), images()):
        with pytest.raises(
            BadConfig, match="--parts: more than replicates, and the family wgan_gp trains one generator in each"
        ):
            check("train_gan", [], specs, Shard(0, 3))
        check("train_gan", ["--family", "per_class"], specs, Shard(0, 3))


def test_a_job_declares_what_its_artifact_then_says_of_itself(
    tmp_path: Path, make_dataset: Callable[..., Artifact]
) -> None:
    """The description of an artifact and the declaration of the job that makes it have the same fields filled in."""
    declared = command_of("preprocess").declare
    assert declared is not None
    assert declared(options("preprocess", "--size-px", "32")) == replace(GREY_16, size_px=32)
    make_dataset(tmp_path / "real", size_px=32, channels=3, train=8, facts={"mirrors": False})
    real = open_output(PREPROCESS, tmp_path)
    found = describe({"real": real}).real
    assert found == ImageSpec(size_px=32, channels=3, source="noise", mirrors=False, classes=len(real.dataset.classes))
    images = make_dataset(tmp_path / "synthetic", train=5)
    assert describe({"synthetic": images}).synthetic is None
    share = describe({"real": real, "synthetic": images}).synthetic
    assert share is not None
    assert share.share is not None
    assert 5 / 8 <= share.share < 6 / 8
    shares = command_of("synthesize").declare
    assert shares is not None
    assert shares(options("synthesize", "--share", "0.3")) == SyntheticSpec(share=0.3)
    # of the unlabelled images: how many these are to the labelled ones, only the split tells
    assert shares(options("synthesize", "--share-of", "unlabelled")) == SyntheticSpec(
        share=None, share_of_unlabelled=1.0
    )
    assert declared(options("preprocess", "--labelled-fraction", "0.1")) == replace(
        GREY_16, unlabelled=True, labelled_fraction=0.1
    )
    make_dataset(tmp_path / "few" / "real", train=4, unlabelled=8)
    few = open_output(PREPROCESS, tmp_path / "few")
    assert describe({"real": few}).real == replace(GREY_16, source="noise", mirrors=True, classes=3, unlabelled=True)
