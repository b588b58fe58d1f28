"""Held-out images: they are the test split, and nothing of the source is in it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from jobs.pipeline import PREPROCESS
from shared.store.artifacts import Artifact, open_output
from tests.jobs.judge.picture_sets import CLASSES, write_set

Prepare = Callable[..., Result]


@pytest.fixture
def prepare(tmp_path: Path, run_job: Callable[..., Result]) -> Prepare:
    """Return `prepare(*words)`: preprocess the folder `real` with these words, 12 images of each class."""
    write_set(tmp_path / "real", 12, 0)

    def call(*words: object) -> Result:
        place = ["--source", "folder", "--source-path", tmp_path / "real", "--size-px", 16, "--channels", 3]
        return run_job("preprocess", tmp_path / "volume", *place, *words)

    return call


def made(tmp_path: Path) -> Artifact:
    """Return what was prepared."""
    return open_output(PREPROCESS, tmp_path / "volume" / "small")


def files(artifact: Artifact, split: str) -> set[str]:
    """Return the sha256 of the files of a split."""
    return {json.loads(members["json"])["origin"]["sha256"] for _, members in artifact.members(split)}


def test_held_out_images_are_the_test_split(tmp_path: Path, prepare: Prepare) -> None:
    """All of them, labelled by the names of their classes; val is drawn from the source, train is the rest of it."""
    held = write_set(tmp_path / "held", 7, 1, classes=CLASSES[1:])
    result = prepare("--held-out", held)
    assert result.exit_code == 0, result.output
    assert "classes without a held-out image: 1 (bar)" in result.stderr
    real = made(tmp_path)
    assert {name: split.count for name, split in real.dataset.splits.items()} == {"train": 32, "val": 4, "test": 14}
    # the first class of the held-out set is the second of the source
    assert real.dataset.splits["test"].class_counts == [0, 7, 7]
    assert (real.record.held_out, real.record.held_out_also_real) == (True, 0)
    assert real.record.split == "held-out test, val drawn from the rest"
    origins = [json.loads(members["json"])["origin"] for _, members in real.members("test")]
    assert {origin["split"] for origin in origins} == {"held-out"}
    assert {origin["file"] for origin in origins} == {f"{name}/{n:03d}.png" for name in CLASSES[1:] for n in range(7)}


def test_without_held_out_images_the_record_says_so(tmp_path: Path, prepare: Prepare) -> None:
    """A random test split of images that a generator may have seen."""
    assert prepare().exit_code == 0
    assert made(tmp_path).record.held_out is False


def test_a_held_out_image_that_is_a_real_one_is_no_test_image(tmp_path: Path, prepare: Prepare) -> None:
    """Whoever saw the source saw it: it stays where it was seen; with none but such there is no test."""
    held = write_set(tmp_path / "held", 7, 1)
    for name in CLASSES:
        (held / name / "006.png").write_bytes((tmp_path / "real" / name / "003.png").read_bytes())
    result = prepare("--held-out", held)
    assert result.exit_code == 0, result.output
    assert "warning: held-out images that are in the source, too, left out: 3 (bar/006.png, split held-out equals" in (
        result.stderr
    )
    real = made(tmp_path)
    assert {name: split.count for name, split in real.dataset.splits.items()} == {"train": 32, "val": 4, "test": 18}
    assert not files(real, "test") & (files(real, "train") | files(real, "val"))
    assert real.record.held_out_also_real == 3
    result = prepare("--held-out", write_set(tmp_path / "same", 12, 0))
    assert result.exit_code == 2
    assert "all of its 36 images are real images of the source, too" in result.stderr


def test_a_source_with_a_test_split_has_one_already(tmp_path: Path, prepare: Prepare) -> None:
    """Refused, with both ways out; a val split of its own is val."""
    held = write_set(tmp_path / "held", 7, 1)
    for number, name in enumerate(("train", "val", "test")):
        write_set(tmp_path / "split" / name, 6, 20 + number)
    place = ["--source-path", tmp_path / "split"]
    result = prepare(*place, "--held-out", held)
    assert result.exit_code == 2
    assert "has a test split of its own" in result.stderr
    assert prepare(*place, "--held-out", held, "--split", "random").exit_code == 0
    assert made(tmp_path).dataset.splits["test"].count == 21
    (tmp_path / "split" / "test").rename(tmp_path / "elsewhere")
    result = prepare(*place, "--held-out", held)
    assert result.exit_code == 0, result.output
    real = made(tmp_path)
    assert {name: split.count for name, split in real.dataset.splits.items()} == {"train": 18, "val": 18, "test": 21}
    assert real.record.split == "held-out test, official val"


def test_unknown_classes_and_paths_are_refused(tmp_path: Path, prepare: Prepare) -> None:
    """Named, in three lines at most."""
    for words in (
        ["--held-out", tmp_path / "nothing"],
        ["--held-out", write_set(tmp_path / "held", 5, 1, ("bar", "x"))],
    ):
        result = prepare(*words)
        assert result.exit_code == 2
        assert len(result.stderr.strip().splitlines()) <= 3
        assert "nothing" in result.stderr or "classes that the real images lack: x" in result.stderr


def test_another_version_reads_again(tmp_path: Path, prepare: Prepare) -> None:
    """The same text means that all is complete; with another one the source is read again, and that is said."""
    assert prepare("--source-version", "one").exit_code == 0
    assert "already complete" in prepare("--source-version", "one").output
    write_set(tmp_path / "real", 13, 5)
    result = prepare("--source-version", "two")
    assert "source_version was 'one', now 'two'" in result.output
    assert sum(split.count for split in made(tmp_path).dataset.splits.values()) == 39


def test_groups_in_both_sets_are_said_to_be_so(tmp_path: Path, prepare: Prepare) -> None:
    """A random split would not help: held-out images stay where they are."""
    held = write_set(tmp_path / "held", 7, 1)
    result = prepare("--held-out", held, "--group-by", r"(\d)\.png", "--split", "random")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stderr.splitlines() if "warning: groups" in line]
    assert "groups with held-out images and others: 7 (0, 1, 2, ...)" in line
    assert line.endswith("remove these groups from the held-out images, or from the source")
