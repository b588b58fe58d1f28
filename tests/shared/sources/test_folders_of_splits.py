"""Which folders are splits, which are classes, and what is refused because nobody can tell."""

import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from shared.errors import BadInput
from shared.sources.folders import folder
from shared.sources.items import Source
from shared.sources.reading import Reading
from tests.shared.sources.layouts import png


def laid_out(place: Path, *files: str) -> Path:
    """Write images, and other files by their suffix, and return the folder."""
    for number, name in enumerate(files):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number) if name.lower().endswith(".png") else b"x")
    return place


def read(place: Path, *files: str, **reading: bool | int | str) -> Source:
    """Write these files and read the folder."""
    return folder(laid_out(place, *files), Reading(**reading))  # type: ignore[arg-type]


def said(source: Source) -> dict[str, tuple[str, str]]:
    """Return the class and split of each file."""
    splits = source.partition or [""] * len(source.items)
    return {
        str(item.origin["file"]): (source.classes[item.label], split)
        for item, split in zip(source.items, splits, strict=True)
    }


def test_splits_above_classes(tmp_path: Path) -> None:
    """Images keep their class and split; what is in a split but in no class is named, and empty classes are."""
    (tmp_path / "Validation/owl").mkdir(parents=True)
    found = read(
        tmp_path,
        *("train/cat/1.png", "train/dog/deep/2.png", "Validation/cat/3.png", "TEST/dog/4.png"),
        *("TEST/5.png", "6.png", "train/notes.txt"),
    )
    assert said(found) == {
        "TEST/dog/4.png": ("dog", "test"),
        "Validation/cat/3.png": ("cat", "val"),
        "train/cat/1.png": ("cat", "train"),
        "train/dog/deep/2.png": ("dog", "train"),
    }
    assert found.notes == ["splits train 2, val 1, test 1 as the folders say"]
    assert [line.split(";")[0] for line in found.warnings] == [
        "images outside the class folders, not taken: 2 (6.png, TEST/5.png)",
        "files without the suffix of an image, not taken: 1 (train/notes.txt)",
        "folders without an image, which are no class: 1 (Validation/owl)",
    ]


def test_a_test_set_without_classes_is_left_out_and_named(tmp_path: Path) -> None:
    """As contests ship it: what remains is one split, no class."""
    found = read(tmp_path, "train/a/1.png", "train/b/2.png", "test/3.png", "test/4.png")
    assert said(found) == {"train/a/1.png": ("a", ""), "train/b/2.png": ("b", "")}
    assert found.warnings[0].startswith("images outside the class folders, not taken: 2 (test/3.png, test/4.png)")
    assert found.notes == ["all images are of the split train, as the folders say: they are split at random"]


def test_splits_below_classes(tmp_path: Path) -> None:
    """CLASS/SPLIT/image; one word alone is a folder like any other, and no image may be without."""
    found = read(tmp_path / "1", "a/train/1.png", "a/test/2.png", "b/train/3.png")
    assert said(found) == {
        "a/test/2.png": ("a", "test"),
        "a/train/1.png": ("a", "train"),
        "b/train/3.png": ("b", "train"),
    }
    assert read(tmp_path / "2", "a/test/1.png", "b/2.png").partition is None
    with pytest.raises(BadInput, match=r"b/3\.png has no split, others have one"):
        read(tmp_path / "3", "a/train/1.png", "a/test/2.png", "b/3.png")


def test_words_within_names_count_where_they_explain_all(tmp_path: Path) -> None:
    """seg_train and seg_test with the same name inside, as Kaggle unpacks them; others are left out and named."""
    found = read(
        tmp_path,
        *("seg_train/seg_train/sea/1.png", "seg_train/seg_train/ice/2.png"),
        *("seg_test/seg_test/sea/3.png", "seg_test/seg_test/ice/4.png", "seg_pred/seg_pred/5.png"),
    )
    assert {file[:10]: split for file, (_, split) in said(found).items()} == {
        "seg_train/": "train",
        "seg_test/s": "test",
    }
    assert found.classes == ("ice", "sea")
    assert "seg_test is test; seg_train is train" in found.notes
    assert found.warnings[0].startswith("folders next to those of the splits, not taken: 1 (seg_pred)")


def test_words_within_names_of_classes_do_not_count(tmp_path: Path) -> None:
    """A bullet train and a test tube are classes: nothing in them looks like classes."""
    found = read(tmp_path, "bullet train/1.png", "test tube/2.png", "test tube/more/3.png")
    assert (found.classes, found.partition) == (("bullet train", "test tube"), None)


@pytest.mark.parametrize("word", ["test", "Train", "valid"])
def test_a_split_among_classes_is_refused(tmp_path: Path, word: str) -> None:
    """What looks like a split is never a class; the advice is to rename it."""
    error = f"the folder {word} is of a split, cat, dog are of none\nwant splits with class folders in each, or"
    with pytest.raises(BadInput, match=error):
        read(tmp_path, "cat/1.png", "dog/2.png", f"{word}/3.png")


def test_two_splits_next_to_something_else(tmp_path: Path) -> None:
    """The rest is not taken, and is named."""
    found = read(tmp_path, "train/a/1.png", "train/b/2.png", "test/a/3.png", "samples/4.png", "samples/5.png")
    assert len(found.items) == 3
    assert found.warnings[0].startswith("folders next to those of the splits, not taken: 1 (samples)")


def test_a_lone_folder_is_looked_into(tmp_path: Path) -> None:
    """An archive has often one folder around everything, at times twice."""
    found = read(tmp_path / "1", "pets/pets/cat/1.png", "pets/pets/dog/2.png", "pets/pets/owl.txt")
    assert found.classes == ("cat", "dog")
    assert found.notes == ["read from pets/pets, the only folder there"]
    assert read(tmp_path / "2", "set/train/a/1.png", "set/train/b/2.png", "set/test/a/3.png").partition is not None
    # a set of synthetic images may be of one class, which has folders in it
    found = read(tmp_path / "3", "cat/day/1.png", "cat/night/2.png", least_classes=1)
    assert found.classes == ("cat",)


def test_numbered_classes_are_in_numeric_order(tmp_path: Path) -> None:
    """In splits too."""
    files = [f"{split}/{name}/{split}.png" for split in ("train", "test") for name in ("1", "2", "10")]
    assert read(tmp_path, *files).classes == ("1", "2", "10")


def test_a_table_next_to_the_images_is_pointed_out(tmp_path: Path) -> None:
    """Where the folders are no classes."""
    with pytest.raises(BadInput, match=re.escape(f"give that: --source-path {tmp_path / 'train.csv'}")):
        read(tmp_path, "images/1.png", "images/2.png", "train.csv")


def test_images_without_labels_may_lie_anywhere(tmp_path: Path) -> None:
    """Where labels are not asked for, every image is taken."""
    assert len(read(tmp_path, "1.png", "a/2.png", "test/b/3.png", labelled=False).items) == 3


def test_links_to_class_folders_are_followed_in_splits(tmp_path: Path) -> None:
    """A split may be made of links; those deeper down, which may lead back, are not followed."""
    laid_out(tmp_path / "all", "a/1.png", "b/2.png")
    place = laid_out(tmp_path / "set", "train/a/3.png", "train/b/4.png", "test/b/5.png")
    (place / "test" / "a").symlink_to(tmp_path / "all" / "a")
    (place / "train" / "a" / "up").symlink_to(place)
    assert ("a", "test") in said(folder(place, Reading())).values()


@pytest.mark.parametrize("name", ["@eaDir", "__MACOSX"])
def test_folders_that_a_system_adds_are_not_taken(tmp_path: Path, name: str) -> None:
    """Synology's thumbnails and macOS's second files: at the top, in a class, in an archive, as hidden files."""
    wanted = ["a/1.png", "b/2.png"]
    added = [f"{name}/a/3.png", f"{name}/4.png", f"a/{name}/1.png/5.png", f"b/more/{name}/6.png"]
    found = read(tmp_path / "set", *wanted, *added)
    assert (sorted(said(found)), found.ignored, list(found.warnings)) == (wanted, 0, [])
    with ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in wanted + added:
            archive.write(tmp_path / "set" / file, file)
    packed = folder(tmp_path / "set.zip", Reading())
    assert (sorted(said(packed)), packed.ignored) == (wanted, 0)


def test_a_lone_folder_next_to_stray_files_is_named(tmp_path: Path) -> None:
    """It is not looked into, as an image is next to it; the error says which folder to give."""
    with pytest.raises(BadInput) as caught:
        read(tmp_path, "set/cat/1.png", "set/dog/2.png", "logo.png", "readme.txt")
    assert str(caught.value).splitlines()[1] == (
        f"if the folders in set are the classes (cat, dog): say --source-path {tmp_path}/set"
    )
    assert folder(tmp_path / "set", Reading()).classes == ("cat", "dog")


def test_a_label_that_the_metadata_lack_lists_their_columns(tmp_path: Path) -> None:
    """Folders would be the classes, but somebody named a column."""
    (tmp_path / "metadata.csv").write_text("file_name,species,note\na/1.png,x,y\n")
    with pytest.raises(BadInput, match=r"--label kind: metadata\.csv has no such column; it has file_name, species, n"):
        read(tmp_path, "a/1.png", "b/2.png", label="kind")
    (tmp_path / "metadata.csv").unlink()
    with pytest.raises(BadInput, match="--label kind: folders have no columns"):
        read(tmp_path, "a/1.png", label="kind")
