"""Equal images in several official splits: they go to one, and the numbers are said."""

import shutil
from pathlib import Path

import pytest

from tests.jobs.preprocess.source_files import done, picture, preprocess

pytestmark = pytest.mark.usefixtures("as_if_sent")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Write 12, 6 and 6 different images into train, val and test, of two classes."""
    place = tmp_path / "sources" / "folder"
    number = 0
    for split, count in (("train", 12), ("val", 6), ("test", 6)):
        for index in range(count):
            path = place / split / "ab"[index % 2] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(number := number + 1).save(path)
    return place


def copy(place: Path, split: str, into: str, count: int) -> None:
    """Copy the first images of a split over those of another."""
    for index in range(count):
        name = f"{'ab'[index % 2]}/{index}.png"
        shutil.copy(place / split / name, place / into / name)


def test_images_that_are_moved_are_counted_by_their_splits(tmp_path: Path, place: Path) -> None:
    """Test before val before train; the sum is recorded."""
    copy(place, "test", "train", 3)
    copy(place, "test", "val", 2)
    for index in (4, 5):
        name = f"{'ab'[index % 2]}/{index}.png"
        shutil.copy(place / "val" / name, place / "train" / name)
    result = preprocess(tmp_path, "--source", "folder")
    assert result.exit_code == 0, result.output
    assert [line for line in result.stderr.splitlines() if "go to" in line] == [
        "preprocess: warning: images that equal a test image go to test: 3 of train, 2 of val",
        "preprocess: warning: images that equal a val image go to val: 2 of train",
    ]
    made = done(tmp_path, "--source", "folder")
    assert made.facts["moved_to_the_split_of_their_copy"] == 7
    assert {name: split.count for name, split in made.dataset.splits.items()} == {"train": 7, "val": 6, "test": 11}


def test_a_drawn_val_moves_nothing(tmp_path: Path, place: Path) -> None:
    """An image that is drawn from train for val was not torn from anything."""
    shutil.rmtree(place / "val")
    result = preprocess(tmp_path, "--source", "folder")
    assert result.exit_code == 0, result.output
    assert "go to" not in result.stderr
    assert done(tmp_path, "--source", "folder").facts["moved_to_the_split_of_their_copy"] == 0


def test_a_split_without_an_image_is_refused(tmp_path: Path, place: Path) -> None:
    """Where all of val equal test images nothing is written; a random split takes them all."""
    copy(place, "test", "val", 6)
    result = preprocess(tmp_path, "--source", "folder")
    assert result.exit_code == 2
    assert "no image of the split val is left: 6 equal a test image and go to test\n" in result.stderr
    assert "want images in each of train, val, test; remove the copies, or say --split random" in result.stderr
    assert not (tmp_path / "e" / "real").exists()
    again = preprocess(tmp_path, "--source", "folder", "--split", "random")
    assert again.exit_code == 0, again.output
    said = "splits train 12, val 6, test 6 as the folders say do not count: --split random"
    assert said in again.stderr
