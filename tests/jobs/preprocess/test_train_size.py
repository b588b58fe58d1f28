"""Exactly N train images, official splits whole, and a refusal where there are too few."""

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.datasets import load_digits

from jobs.__main__ import main as halfreal
from jobs.preprocess.splits import exact_indexes
from jobs.preprocess.train_size import TrainSize, exact_counts
from jobs.preprocess.validate import validate
from shared.data.specs import Specs
from shared.errors import BadConfig, BadInput
from shared.sources.items import Item
from shared.sources.published.sets import mnist
from shared.sources.reading import Target
from shared.sources.table import SOURCES
from shared.sources.work import Unreadable, prepared
from shared.store.artifacts import Artifact, open_artifact
from shared.store.work_shards import WHOLE
from tests.jobs.preprocess.source_files import done, everything, fill, preprocess
from tests.jobs.preprocess.test_archives import write_celeba
from tests.jobs.preprocess.test_validate import config

DATA = Path(os.environ.get("HALFREAL_TEST_DATA", "nowhere"))

MNIST = SOURCES["mnist"].counts["train"]
VAL = {"val": 0.1}
BOTH = {"test": 0.2, "val": 0.1}


def counts_of(artifact: Artifact) -> dict[str, list[int]]:
    """Return the images of each class by split."""
    return {name: split.class_counts for name, split in artifact.dataset.splits.items()}


def files_of(artifact: Artifact) -> dict[str, set[str]]:
    """Return the names of the files of each split."""
    return {name: {s.meta["origin"]["file"] for s in found} for name, found in everything(artifact).items()}


@pytest.mark.parametrize(
    ("size", "counts", "fractions", "expected"),
    [
        # val gets a tenth of the 100 in the proportions of the classes: 6 and 4
        (TrainSize(total=50), [60, 40], VAL, {"train": [30, 20], "val": [6, 4]}),
        (TrainSize(per_class=35), [60, 40], VAL, {"train": [35, 35], "val": [6, 4]}),
        # the second class has 2 left, so that the first gives what val still needs
        (TrainSize(per_class=38), [60, 40], VAL, {"train": [38, 38], "val": [8, 2]}),
        # val wants 10 and gets the rest, 6
        (TrainSize(total=94), [60, 40], VAL, {"train": [56, 38], "val": [4, 2]}),
        # val and test want 10 and 20 and divide the rest, 9, as 1 to 2
        (TrainSize(total=91), [60, 40], BOTH, {"train": [55, 36], "test": [4, 2], "val": [1, 2]}),
        # the official partition has both
        (TrainSize(total=100), [60, 40], {}, {"train": [60, 40]}),
        (TrainSize(per_class=40), [60, 40], {}, {"train": [40, 40]}),
        # a class too small for its proportion still has one image in every split
        (TrainSize(total=20), [96, 3], BOTH, {"train": [19, 1], "test": [19, 1], "val": [9, 1]}),
    ],
)
def test_counts_by_hand(
    size: TrainSize, counts: list[int], fractions: Mapping[str, float], expected: dict[str, list[int]]
) -> None:
    """Train is filled first and exactly; the others get their fraction of all, or divide what is left."""
    assert exact_counts(size, counts, fractions) == expected


@pytest.mark.parametrize("seed", range(30))
def test_counts_add_up(seed: int) -> None:
    """For any set train has its size, no image is in two splits, and every split has an image of every class."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(3, 400, rng.integers(2, 12)).tolist()
    for fractions in ({}, VAL, BOTH):
        most = [count - len(fractions) for count in counts]
        sizes = [TrainSize(total=total) for total in (len(counts), sum(most) // 2, sum(most) - 1, sum(most))]
        for size in (*sizes, TrainSize(per_class=min(most))):
            plan = exact_counts(size, counts, fractions)
            assert sum(plan["train"]) == (size.total or size.per_class * len(counts))
            assert (np.sum([*plan.values()], axis=0) <= counts).all()
            assert min(min(of_split) for of_split in plan.values()) >= 1


@pytest.mark.parametrize(
    ("size", "fractions", "words"),
    [
        (TrainSize(per_class=5421), VAL, ("the smallest class (5) has 5,421", "val needs one", "want at most 5,420")),
        (TrainSize(per_class=5422), {}, ("the smallest class (5) has 5,421", "want at most 5,421")),
        (TrainSize(total=59_991), VAL, ("there are 60,000", "want at most 59,990")),
        (TrainSize(total=60_001), {}, ("there are 60,000", "want at most 60,000")),
        (TrainSize(total=9), VAL, ("there are 10 classes", "want at least 10")),
        (TrainSize(per_class=5420), BOTH, ("test and val need one", "want at most 5,419")),
    ],
)
def test_too_few_says_how_many_there_are(size: TrainSize, fractions: Mapping[str, float], words: Sequence[str]) -> None:
    """MNIST has 5,421 fives: one more is refused, with the number that there is; that number is taken."""
    with pytest.raises(BadInput) as caught:
        exact_counts(size, MNIST, fractions, list("0123456789"))
    assert [word for word in words if word not in str(caught.value)] == []
    assert str(caught.value).startswith(size.flag)


def test_the_number_that_there_is_is_enough() -> None:
    """What the messages above offer is accepted."""
    assert exact_counts(TrainSize(per_class=5420), MNIST, VAL)["val"][5] == 1
    assert sum(exact_counts(TrainSize(total=59_990), MNIST, VAL)["val"]) == 10
    assert exact_counts(TrainSize(per_class=5421), MNIST, {}) == {"train": [5421] * 10}


def test_options_are_refused_before_reading_where_the_split_would_fail() -> None:
    """For any number the digits are refused by what is known of the source if and only if their split fails."""
    labels = load_digits().target.astype(np.int64)
    contents = [str(index) for index in range(len(labels))]
    answers = {}
    for name, number in [("limit_train", n) for n in (5, 10, 1776, 1777, 1778)] + [
        ("per_class_train", n) for n in (1, 172, 173)
    ]:
        options = config(**{name: number})
        checks = (
            lambda options=options: validate(options, WHOLE, Specs()),
            lambda options=options: exact_indexes(labels, contents, None, options, list("0123456789")),
        )
        before, after = (refusal(check) for check in checks)
        assert before == after.replace(" (8)", "")
        answers[name, number] = bool(before)
    # 1,797 digits, of which val and test need 20; the smallest class has 174
    wrong = {("limit_train", 5), ("limit_train", 1778), ("per_class_train", 173)}
    assert {given for given, answer in answers.items() if answer} == wrong


def refusal(check: Callable[[], object]) -> str:
    """Return the message with which a check refuses; nothing where it accepts."""
    try:
        check()
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--source", "mnist", "--per-class-train", "5421"], "want at most 5,420"),
        (["--source", "cifar10", "--limit-train", "50000"], "want at most 49,990"),
        (["--limit-train", "1778"], "there are 1,797 different images"),
        (["--limit-train", "10", "--limit", "20"], "--limit 20, --limit-train 10: want one of them"),
        (["--limit-train", "10", "--per-class-train", "20"], "want one of them"),
    ],
)
def test_a_dry_run_refuses_too(words: list[str], said: str) -> None:
    """What is known of the source is checked before any image is read: exit code 2, in a dry run too."""
    result = CliRunner().invoke(halfreal, ["preprocess", *words, "--dry-run"])
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.splitlines()) <= 3


def test_one_train_size_is_given() -> None:
    """Both exact sizes at once are refused, also by a recipe."""
    with pytest.raises(BadConfig, match="0 turns off one that a recipe sets"):
        config(limit_train=5, per_class_train=5)


@pytest.mark.usefixtures("as_if_sent")
def test_a_folder_has_exactly_as_many_train_images(tmp_path: Path) -> None:
    """Exactly N different train images among any copies; no image, nor a copy of it, is in two splits."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 60, "b": 40})
    for index in range(30):
        copy = (place / "a" / f"{index:03d}.png").read_bytes()
        (place / "a" / f"copy-{index:03d}.png").write_bytes(copy)
        if index < 10:
            (place / "b" / f"copy-{index:03d}.png").write_bytes(copy)
    for words, train in (
        (("--limit-train", "50"), [30, 20]),
        (("--per-class-train", "38"), [38, 38]),
        (("--limit-train", "96"), [58, 38]),
    ):
        artifact = done(tmp_path, "--source", "folder", *words, "--force")
        found = everything(artifact)
        hashes = {name: [s.meta["origin"]["sha256"] for s in images] for name, images in found.items()}
        assert counts_of(artifact)["train"] == train
        assert len(set(hashes["train"])) == len(hashes["train"]) == sum(train)
        assert not set(hashes["train"]) & {*hashes["val"], *hashes["test"]}
        assert not set(hashes["val"]) & set(hashes["test"])
        # a copy in val or test follows its original
        copies = Counter(hashes["val"]) + Counter(hashes["test"])
        everywhere = Counter(image for images in hashes.values() for image in images)
        assert all(everywhere[image] == count for image, count in copies.items())
        assert artifact.facts["duplicates"] == sum(count - 1 for count in everywhere.values())


@pytest.mark.usefixtures("as_if_sent")
def test_other_seeds_draw_other_train_images(tmp_path: Path) -> None:
    """--limit-seed draws train; --seed leaves train as it is and draws val and test."""
    fill(tmp_path / "sources" / "folder", {"a": 60, "b": 40})
    drawn = []
    for words in ([], ["--limit-seed", "1"], ["--seed", "1"]):
        drawn.append(files_of(done(tmp_path, "--source", "folder", "--limit-train", "50", *words, "--force")))
    plain, limit_seed, seed = drawn
    assert limit_seed["train"] != plain["train"]
    assert seed["train"] == plain["train"]
    assert seed["test"] != plain["test"]


@pytest.mark.usefixtures("as_if_sent")
def test_official_splits_stay_whole(tmp_path: Path) -> None:
    """CelebA's own val and test keep every image and no other; train has exactly as many as were asked for."""
    celeba = write_celeba(tmp_path / "sources" / "celeba")
    words = ("--source", "celeba", "--no-verify-md5")
    whole = {
        name: {s.meta["origin"]["file"] for s in found} for name, found in everything(done(tmp_path, *words)).items()
    }
    # a train face that is also in test, and one that is also in val
    for copy, original in (("000001.jpg", "000035.jpg"), ("000002.jpg", "000025.jpg")):
        (celeba / "img_align_celeba" / copy).write_bytes((celeba / "img_align_celeba" / original).read_bytes())
    artifact = done(tmp_path, *words, "--per-class-train", "9", "--force")
    found = files_of(artifact)
    assert (found["val"], found["test"]) == (whole["val"], whole["test"])
    assert counts_of(artifact)["train"] == [9, 9]
    assert not found["train"] & {"000001.jpg", "000002.jpg"}
    result = preprocess(tmp_path, *words, "--per-class-train", "10", "--force")
    assert result.exit_code == 2
    assert "has 9 different images that may be in train; want at most 9" in result.stderr


@pytest.mark.usefixtures("as_if_sent")
def test_a_broken_image_is_replaced(tmp_path: Path) -> None:
    """An image that was drawn for train and does not decode is listed, and the next one is drawn: train stays exact."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 60, "b": 40})
    bad = {f"a/{index:03d}.png" for index in range(0, 60, 4)}
    for name in bad:
        (place / name).write_text(f"<html>{name}</html>")
    words = ("--source", "folder", "--limit-train", "70")
    artifact = done(tmp_path, *words, "--max-rejected", "0.15")
    assert counts_of(artifact)["train"] == [37, 33]
    listed = [json.loads(row)["origin"]["file"] for row in artifact.read("rejected.jsonl").splitlines()]
    assert len(listed) == len(set(listed)) == artifact.facts["rejected"]
    # most of the 15 are among the 37 of 60 that are drawn
    assert len(listed) >= 5
    assert set(listed) <= bad
    assert not bad & set().union(*files_of(artifact).values())
    result = preprocess(tmp_path, *words, "--max-rejected", "0.03", "--force")
    assert result.exit_code == 2
    assert "of 100 images cannot be read, more than --max-rejected 3.0%" in result.stderr


def test_images_that_change_meanwhile_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A train image that breaks after it was checked ends the job: train is never smaller than was asked for."""
    fill(tmp_path / "sources" / "folder", {"a": 60, "b": 40})
    lost: list[object] = []

    def breaks(target: Target, task: tuple[Item, str]) -> dict[str, bytes] | Unreadable:
        """Prepare every image but the first."""
        lost.append(task)
        return Unreadable("gone") if len(lost) == 1 else prepared(target, task)

    monkeypatch.setattr("jobs.preprocess.phases.preparing.prepared", breaks)
    result = preprocess(tmp_path, "--source", "folder", "--limit-train", "50", "--max-rejected", "0.5")
    assert result.exit_code == 1, result.output  # to be tried again
    assert "--limit-train 50: the images changed while they were read" in result.stderr
    assert not (tmp_path / "e" / "real").exists()


def test_parts_agree(tmp_path: Path, run_job: Callable[..., Result]) -> None:
    """Two processes write the dataset that one does."""
    words = ["--per-class-train", 120, "--shard-images", 100]
    assert run_job("preprocess", tmp_path / "one", *words).exit_code == 0
    for index in (1, 0):
        result = run_job("preprocess", tmp_path / "parts", *words, "--parts", 2, "--index", index)
        assert result.exit_code in (0, 75), result.output
    one, parts = (
        open_artifact(tmp_path / name / "small" / "real", "dataset", "preprocess") for name in ("one", "parts")
    )
    assert one.sha256 == parts.sha256
    assert counts_of(one)["train"] == [120] * 10
    assert (sum(counts_of(one)["val"]), sum(counts_of(one)["test"])) == (180, 360)


@pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason="HALFREAL_TEST_DATA has no mnist")
def test_5000_of_each_digit() -> None:
    """5,000 of each of MNIST's digits leave 421 fives for val; its 10,000 test images are all there."""
    source = mnist(DATA / "mnist", config(source="mnist").reading)
    labels = np.array([item.label for item in source.items])
    assert source.partition is not None
    parts = np.array(source.partition)
    for part, counts in SOURCES["mnist"].counts.items():
        assert tuple(np.bincount(labels[parts == part])) == counts
    options = config(source="mnist", per_class_train=5000)
    found = exact_indexes(labels, [str(i) for i in range(len(labels))], source.partition, options, source.classes)
    assert np.bincount(labels[found["train"]]).tolist() == [5000] * 10
    assert len(found["val"]) == 6000
    assert np.bincount(labels[found["val"]])[5] == 421
    assert np.array_equal(found["test"], np.flatnonzero(parts == "test"))
