"""Each rule for labels, splits and groups, in every source that it holds for."""

from pathlib import Path

import pytest

from jobs.synthesize.options import SynthesizeOptions
from shared.errors import BadInput
from tests.shared.sources.layouts import TABLES, WRITERS, Row, labels_of, read, written

everywhere = pytest.mark.parametrize("kind", WRITERS)
in_tables = pytest.mark.parametrize("kind", TABLES)
with_fields = pytest.mark.parametrize("kind", [*TABLES, "webdataset"])


def rows(*labels: str) -> list[Row]:
    """Return two images of each label."""
    return [Row(label) for label in labels for _ in range(2)]


@everywhere
def test_numbers_are_in_numeric_order(tmp_path: Path, kind: str) -> None:
    """1, 2, 10; each image has the class that was written."""
    found = written(kind, tmp_path, rows("10", "2", "1"))
    assert found.classes == ("1", "2", "10")
    assert labels_of(found) == {0: "10", 1: "10", 2: "2", 3: "2", 4: "1", 5: "1"}


@everywhere
def test_texts_are_in_alphabetical_order(tmp_path: Path, kind: str) -> None:
    """One name that is no number makes all of them texts."""
    assert written(kind, tmp_path, rows("10", "9", "x")).classes == ("10", "9", "x")


@everywhere
def test_marks_of_unlabelled_images_are_no_class(tmp_path: Path, kind: str) -> None:
    """-1 and None are counted and named, and their images left out."""
    found = written(kind, tmp_path, [*rows("a", "b"), Row("-1"), Row("None"), Row("Unlabeled")])
    assert (found.classes, len(found.items), found.ignored) == (("a", "b"), 4, 3)
    assert [line for line in found.warnings if line.startswith("images without a label, not taken: 3 (")]
    assert written(kind, tmp_path / "2", rows("a", "none"), unlabelled=()).classes == ("a", "none")


@with_fields
def test_an_empty_label_is_a_mark_too(tmp_path: Path, kind: str) -> None:
    """Also where the user's marks are others."""
    found = written(kind, tmp_path, [*rows("a", "b"), Row(""), Row(" ")], unlabelled=("x",))
    assert (found.classes, found.ignored) == (("a", "b"), 2)


@everywhere
def test_unicode_forms_of_a_name_are_one_class(tmp_path: Path, kind: str) -> None:
    """A decomposed name, as macOS writes it, is the composed one."""
    found = written(kind, tmp_path, rows("caf\u00e9", "cafe\u0301", "tea"))
    assert found.classes == ("caf\u00e9", "tea")
    assert sorted(labels_of(found).values()) == ["caf\u00e9"] * 4 + ["tea"] * 2
    assert [line for line in found.warnings if "two Unicode forms, taken as one class: 1 (caf\u00e9)" in line]


@everywhere
def test_names_that_differ_only_in_letter_case_are_refused(tmp_path: Path, kind: str) -> None:
    """One folder on some disks and two on others."""
    with pytest.raises(BadInput, match="the class names Cat and cat differ only in letter case"):
        written(kind, tmp_path, rows("cat", "Cat", "dog"))


@everywhere
def test_spaces_around_a_name_are_none_of_it(tmp_path: Path, kind: str) -> None:
    """As they come from tables, and from folders that were renamed by hand."""
    assert written(kind, tmp_path, rows("cat", " cat", "dog ")).classes == ("cat", "dog")


@everywhere
def test_one_class_is_too_few(tmp_path: Path, kind: str) -> None:
    """Unless that is enough, as for synthetic images of one class."""
    with pytest.raises(BadInput, match=r"1 classes \(a\), want at least 2"):
        written(kind, tmp_path, rows("a"))
    assert written(kind, tmp_path / "2", rows("a"), least_classes=1).classes == ("a",)


@everywhere
def test_labels_need_not_be_asked_for(tmp_path: Path, kind: str) -> None:
    """All images are taken, of no class."""
    found = written(kind, tmp_path, rows("a", "A", "-1"), labelled=False)
    assert (found.classes, len(found.items), found.warnings) == ((), 6, [])


@everywhere
def test_splits_are_kept(tmp_path: Path, kind: str) -> None:
    """Any of their names, in any letter case, never a class; the message says how it was understood."""
    words = ("Train", "TRAINING", "valid", "dev", "test", "Testing")
    found = written(kind, tmp_path, [Row(label, word) for word in words for label in "ab"])
    assert found.classes == ("a", "b")
    assert found.partition is not None
    assert sorted(found.partition) == ["test"] * 4 + ["train"] * 4 + ["val"] * 4
    by = {"folder": "the folders say", "webdataset": "the files' names say"}.get(kind, "the column says")
    assert found.notes == [f"splits train 4, val 4, test 4 as {by}"]


@everywhere
@pytest.mark.parametrize("words", [("train", "test"), ("train", "val"), ("val", "test")])
def test_two_splits_are_a_partition(tmp_path: Path, kind: str, words: tuple[str, str]) -> None:
    """Whichever they are; what is missing is drawn later, or refused."""
    found = written(kind, tmp_path, [Row(label, word) for word in words for label in "ab"])
    assert set(found.partition or ()) == set(words)


@everywhere
def test_one_split_is_none_and_no_class_either(tmp_path: Path, kind: str) -> None:
    """The images of train alone are split at random, and that is said."""
    found = written(kind, tmp_path, [Row(label, "train") for label in "aabb"])
    assert (found.classes, found.partition) == (("a", "b"), None)
    assert found.notes[0].startswith("all images are of the split train, as the ")


@in_tables
@pytest.mark.parametrize(("word", "said"), [("holdout", "is holdout"), ("", "is empty")])
def test_an_unknown_split_is_refused_with_its_place(tmp_path: Path, kind: str, word: str, said: str) -> None:
    """The table, the line or row, the column, the value, and what was wanted."""
    where = {"csv": "t.csv: line 4", "jsonl": "t.jsonl: line 3", "parquet": "t.parquet: row 2"}[kind]
    with pytest.raises(BadInput, match=f"{where}: column split {said}; want train, val"):
        written(kind, tmp_path, [Row("a", "train"), Row("b", "test"), Row("a", word)])


@in_tables
def test_the_column_with_the_split_can_be_named_or_ignored(tmp_path: Path, kind: str) -> None:
    """`--split-column group` takes another column, an empty name none."""
    written_as = [Row("a", "x", "train"), Row("b", "x", "test")]
    assert written(kind, tmp_path / "1", written_as, split_column="group").partition == ["train", "test"]
    assert written(kind, tmp_path / "2", written_as, split_column="").partition is None


@with_fields
def test_the_group_is_that_of_the_column(tmp_path: Path, kind: str) -> None:
    """Only where it is asked for; a row without one is refused."""
    of = [Row("a", group="p1"), Row("b", group="p2"), Row("a", group="p1")]
    assert written(kind, tmp_path / "1", of).groups is None
    assert written(kind, tmp_path / "2", of, group_column="group").groups == ["p1", "p2", "p1"]
    with pytest.raises(BadInput, match="1 of 3 images have no group, others have one"):
        written(kind, tmp_path / "3", [*of[:2], Row("a")], group_column="group")
    said = "json has no field 'who'; it has" if kind == "webdataset" else "--group-column who: no such column; it has"
    with pytest.raises(BadInput, match=said):
        written(kind, tmp_path / "4", of, group_column="who")


@everywhere
def test_the_group_is_found_in_the_path(tmp_path: Path, kind: str) -> None:
    """A pattern of one group; a path that it does not fit is refused."""
    of = [Row("a", group="p1"), Row("b", group="p2"), Row("a", group="p1")]
    found = written(kind, tmp_path / "1", of, group_by=r"(p\d)-\d+")
    assert sorted(found.groups or ()) == ["p1", "p1", "p2"]
    with pytest.raises(BadInput, match=r"1 of 3 images have no group by --group-by \(p1\)"):
        written(kind, tmp_path / "2", of, group_by="(p1)")


@in_tables
def test_imported_images_may_have_any_splits(tmp_path: Path, kind: str) -> None:
    """All of them are taken as synthetic ones; their column `split` is not looked at."""
    reading = SynthesizeOptions(source="csv", source_path="x").reading
    found = read(WRITERS[kind](tmp_path / "set", [Row("a", "fold 3"), Row("b", "")]), "csv", reading)
    assert (len(found.items), found.partition) == (2, None)


def test_folders_have_no_columns(tmp_path: Path) -> None:
    """An option for columns is refused, not ignored."""
    for name, option in (("label", "--label x"), ("group_column", "--group-column x")):
        with pytest.raises(BadInput, match=f"{option}: folders have no columns"):
            written("folder", tmp_path / name, rows("a", "b"), **{name: "x"})
