"""Classes out of file names, files by their names, and which names are those of images."""

from pathlib import Path

import pytest

from jobs.preprocess.options import PreprocessOptions
from shared.errors import BadConfig, BadInput
from shared.sources.folders import folder
from shared.sources.items import Source, is_image, open_bytes
from shared.sources.reading import Reading
from shared.sources.tables.source import table


def touch(root: Path, *names: str) -> None:
    """Write files whose content is their name."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def found(source: Source) -> dict[str, str]:
    """Return the class of each file of a source."""
    return {item.read().decode(): source.classes[item.label] for item in source.items}


def test_a_pattern_tells_the_class_by_the_path(tmp_path: Path) -> None:
    """Its group is the class, wherever the file is; folders are no classes, and what it does not fit is said."""
    touch(tmp_path, "a/cat.1.png", "b/dog.1.png", "cat.2.png", "7.png")
    source = folder(tmp_path, Reading(label_from=r"(cat|dog)\.\d"))
    assert found(source) == {"a/cat.1.png": "cat", "b/dog.1.png": "dog", "cat.2.png": "cat"}
    assert (source.partition, source.ignored) == (None, 1)
    assert "images whose path does not fit --label-from, not taken: 1 (7.png)" in source.warnings[0]


def test_a_pattern_leaves_splits_to_the_folders(tmp_path: Path) -> None:
    """Folders named for splits are splits."""
    touch(tmp_path, "train/cat.1.png", "train/dog.1.png", "test/cat.2.png", "test/dog.2.png")
    source = folder(tmp_path, Reading(label_from=r"(\w+)\.\d"))
    splits = {item.read().decode(): split for item, split in zip(source.items, source.partition or (), strict=True)}
    assert splits == {
        f"{split}/{name}.{number}.png": split
        for split, number in (("train", 1), ("test", 2))
        for name in ("cat", "dog")
    }


def test_a_pattern_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    """The error names a path that it does not fit."""
    touch(tmp_path, "cat.1.png", "dog.1.png")
    with pytest.raises(BadInput, match=r"0 classes, want at least 2\n.*--label-from, not taken: 2 \(cat.1.png, "):
        folder(tmp_path, Reading(label_from="(owl)"))


@pytest.mark.parametrize(
    ("pattern", "source", "words"),
    [
        ("cat", "folder", "has 0 groups; want one"),
        ("(c)(a)", "folder", "has 2 groups; want one"),
        ("(cat", "folder", "no regular expression"),
        ("(cat)", "webdataset", "source webdataset has labels of its own; want --source folder"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str, source: str, words: str) -> None:
    """It has just one group, and belongs to folders."""
    with pytest.raises(BadConfig, match=words):
        PreprocessOptions(source=source, label_from=pattern)


def listing(root: Path, *rows: str) -> Path:
    """Write a table of files and labels."""
    (root / "t.csv").write_text("\n".join(["file,label", *rows]))
    return root / "t.csv"


def test_a_table_may_name_files_without_folder_and_suffix(tmp_path: Path) -> None:
    """Where none of its paths is there, images below it are found by their names, which is said."""
    touch(tmp_path, "one/a1.jpg", "two/b.2.png", "two/notes.txt")
    source = table(listing(tmp_path, "a1,cat", "/data/upload/b.2.png,dog"), Reading())
    assert found(source) == {"one/a1.jpg": "cat", "two/b.2.png": "dog"}
    assert [item.origin["file"] for item in source.items] == ["one/a1.jpg", "two/b.2.png"]
    assert source.notes[0] == "t.csv: files found by their names in the folders below it"


def test_a_path_that_is_there_wins_over_names(tmp_path: Path) -> None:
    """One path that is right means that paths are meant: a missing file stays missing."""
    touch(tmp_path, "a.png", "more/b.png")
    source = table(listing(tmp_path, "a.png,cat", "b.png,dog"), Reading())
    assert [item.origin["file"] for item in source.items] == ["a.png", "b.png"]
    with pytest.raises(FileNotFoundError):
        source.items[1].read()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("x/a.jpg", "y/a.jpg", "x/b.jpg"), r"1 of its files fit several images below its folder: a fits x/a.jpg, y/a"),
        (("x/a.jpg", "x/a.png", "x/b.jpg"), "a fits x/a.jpg, x/a.png"),
        (("x/c.jpg", "x/a.txt"), r"none of its 2 files is there \(a, b\), nor an image of such a name"),
    ],
)
def test_names_that_find_no_file_or_several_are_refused(tmp_path: Path, files: tuple[str, ...], words: str) -> None:
    """Which image is meant is not guessed."""
    touch(tmp_path, *files)
    with pytest.raises(BadInput, match=words):
        table(listing(tmp_path, "a,cat", "b,dog"), Reading())


def test_columns_of_0_and_1_are_the_classes(tmp_path: Path) -> None:
    """Where no column is the label; other columns are none, and one that is named is taken as it is."""
    rows = ["image,age,cat,dog", "a.png,7,1.0,0.0", "b.png,1,0.0,1.0"]
    touch(tmp_path, "a.png", "b.png")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    source = table(tmp_path / "t.csv", Reading())
    assert found(source) == {"a.png": "cat", "b.png": "dog"}
    assert source.notes[0] == "t.csv: the classes are its columns of 0 and 1, cat, dog"
    assert found(table(tmp_path / "t.csv", Reading(label="age"))) == {"a.png": "7", "b.png": "1"}


@pytest.mark.parametrize(
    ("row", "words"), [("b.png,1,1", r"line 3 is of 2 classes \(cat, dog\)"), ("b.png,0,0", "line 3 is of none")]
)
def test_an_image_has_one_class(tmp_path: Path, row: str, words: str) -> None:
    """A row of several classes, or of none, is refused with its line."""
    (tmp_path / "t.csv").write_text(f"file,cat,dog\na.png,1,0\n{row}\nc.png,0,1\n")
    with pytest.raises(BadInput, match=words):
        table(tmp_path / "t.csv", Reading())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("train2017/1.png", "val2017/2.png"), "train2017, val2017 are named for splits, and have no class folders"),
        (("00000/1.jpg", "00001/2.jpg", "00000.parquet", "00001_stats.json"), "download by img2dataset, no classes"),
        (("train/a/1.png", "train/b/2.png", "val/images/3.png"), "train has no folder like val/images"),
        (("cat.1.png", "dog.1.png"), r"images outside the class folders: 2 \(cat.1.png\);.*--label-from"),
    ],
)
def test_folders_that_are_no_classes_are_refused(tmp_path: Path, files: tuple[str, ...], words: str) -> None:
    """Each with the word for what they are."""
    touch(tmp_path, *files)
    with pytest.raises(BadInput, match=words):
        folder(tmp_path, Reading())


def test_a_class_that_train_lacks_is_taken_where_splits_are_not_used(tmp_path: Path) -> None:
    """Splits at random take images of all folders."""
    touch(tmp_path, "train/good/1.png", "test/good/2.png", "test/bad/3.png")
    assert folder(tmp_path, Reading(splits=False)).classes == ("bad", "good")
    with pytest.raises(BadInput, match="train has no folder like test/bad"):
        folder(tmp_path, Reading())


@pytest.mark.parametrize(
    ("files", "doubted"),
    [
        (("photo/cat/1.png", "photo/dog/2.png", "art/cat/3.png", "art/dog/4.png"), True),
        (("cat/in/1.png", "cat/out/2.png", "dog/in/3.png"), False),
        (("cat/in/1.png", "cat/out/2.png", "cat/3.png", "dog/in/4.png", "dog/out/5.png"), False),
        (("cat/images/1.png", "dog/images/2.png"), False),
    ],
)
def test_class_folders_with_the_same_folders_are_doubted(tmp_path: Path, files: tuple[str, ...], doubted: bool) -> None:
    """They may be domains, and the folders in them classes: the warning says how these are read."""
    touch(tmp_path, *files)
    source = folder(tmp_path, Reading())
    said = [line for line in source.warnings if "have the same folders in each" in line]
    assert len(said) == doubted
    if said:
        pattern = said[0].partition("--label-from '")[2].removesuffix("'")
        assert folder(tmp_path, Reading(label_from=pattern)).classes == ("cat", "dog")


def test_folders_that_only_begin_like_splits_are_classes(tmp_path: Path) -> None:
    """Trains are a class among others, and so are test tubes; parts of a download are known by files of each."""
    touch(tmp_path, "train/1.png", "tram/2.png", "trainers/3.png", "test_tube/4.png", "tram.parquet")
    touch(tmp_path / "more", "trains/1.png", "test_tube/2.png", "trams/3.png")
    with pytest.raises(BadInput, match="is of a split"):
        folder(tmp_path, Reading())
    assert folder(tmp_path / "more", Reading()).classes == ("test_tube", "trains", "trams")


def test_a_file_of_such_a_format_is_not_read() -> None:
    """What it holds counts, not its name."""
    with pytest.raises(OSError, match="cannot identify"):
        open_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))


def test_files_that_pillow_cannot_decode_are_no_images() -> None:
    """It knows their names, because it writes them, or as stubs."""
    assert [name for name in ("a.png", "A.JPEG", "b.webp", "c.tiff", "d.gif") if not is_image(name)] == []
    others = ("a.pdf", "a.h5", "a.hdf", "a.mpg", "a.mpeg", "a.grib", "a.bufr", "a.wmf", "a.txt", "png", ".png")
    assert [name for name in others if is_image(name)] == []
