"""The rules for class names and split words, without any file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadInput
from shared.sources.entries import Entry, understood
from shared.sources.items import NO_CLASS, Source
from shared.sources.labels import classes_of, split_of
from shared.sources.reading import Reading

HERE = Path("set")


def source(labels: list[str], reading: Reading | None = None, **columns: Any) -> Source:
    """Return what entries with these labels, splits and groups make; their paths are 0.png, 1.png, ..."""
    entries = [
        replace(Entry(label, {"file": f"{index}.png"}, bytes), **{name: text[index] for name, text in columns.items()})
        for index, label in enumerate(labels)
    ]
    return understood(HERE, entries, reading or Reading())


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["b", "a", "B2"], ["B2", "a", "b"]),
        (["10", "9", "2"], ["2", "9", "10"]),
        (["10", "007", "08"], ["007", "08", "10"]),
        (["²", "10", "9"], ["10", "9", "²"]),
        ([" cat", "cat ", "dog"], ["cat", "dog"]),
        (["1.0", "0.0", "10.0"], ["0", "1", "10"]),
        (["1.0", "1", "0"], ["0", "1"]),
        (["1.0", "1.5", "10.0"], ["1.0", "1.5", "10.0"]),
        (["1.0", "1", "cat"], ["1", "cat"]),
        (["cafe\u0301", "caf\u00e9", "tea"], ["caf\u00e9", "tea"]),
    ],
)
def test_names_and_their_order(labels: list[str], classes: list[str]) -> None:
    """Numbers are in numeric order, texts in alphabetical order; spaces, ".0" and Unicode forms do not count."""
    assert list(classes_of(HERE, labels).names) == classes


def test_each_spelling_has_the_class_of_its_name() -> None:
    """Labels that mean one class have one number, and a Unicode merge is said, spaces are not."""
    found = classes_of(HERE, ["cafe\u0301", "caf\u00e9", "tea", " tea", ""])
    assert found.of == {"cafe\u0301": 0, "caf\u00e9": 0, "tea": 1, " tea": 1, "": NO_CLASS}
    (line,) = found.warnings
    assert line.startswith("class names in two Unicode forms, taken as one class: 1 (caf\u00e9)")


def test_names_that_differ_in_letter_case_are_refused() -> None:
    """Both names are in the message, since only the user knows whether they are one class."""
    with pytest.raises(BadInput, match="set: the class names Cat and cat differ only in letter case"):
        classes_of(HERE, ["cat", "dog", "Cat"])


@pytest.mark.parametrize("pair", [("007", "7"), ("+7", "7"), ("-0", "0"), ("1", "1.0")])
def test_numbers_of_one_value_are_refused(pair: tuple[str, str]) -> None:
    """Another spelling of a number, in whichever source; 1.0 is 1, but not among versions like 1.5."""
    with pytest.raises(BadInput, match=rf"set: the class names .*{pair[1]} are the same number\nwant one"):
        classes_of(HERE, [*pair, "1.5"])


def test_numbers_below_minus_one_are_refused() -> None:
    """-1 marks an unlabelled image; -2 is neither that nor the number of a class."""
    with pytest.raises(BadInput, match="label -2 is a negative number"):
        classes_of(HERE, ["-2", "0", "1"])
    assert classes_of(HERE, ["-2 C", "0", "1"]).names == ("-2 C", "0", "1")


@pytest.mark.parametrize(
    "mark", ["", " ", "-1", "-1.0", "nan", "NaN", "None", "NULL", "N/A", "unlabelled", "Unlabeled"]
)
def test_marks_of_unlabelled_images_are_no_class(mark: str) -> None:
    """They are left out, counted and named."""
    found = source(["a", "b", mark, "a"])
    assert (found.classes, [item.label for item in found.items], found.ignored) == (("a", "b"), [0, 1, 0], 1)
    assert found.warnings == ["images without a label, not taken: 1 (2.png)"]


def test_the_marks_are_the_users_to_choose() -> None:
    """A class may be called none, or -1, where the user says so; an empty label is never a class."""
    found = source(["-1", "1", "none", ""], Reading(unlabelled=()))
    assert (found.classes, found.ignored) == (("-1", "1", "none"), 1)
    with pytest.raises(
        BadInput, match=r"1 classes \(1\), want at least 2\nlabels that mean no label: -1; --unlabelled"
    ):
        source(["-1", "1"])
    assert source(["-1", "1"], Reading(unlabelled=())).classes == ("-1", "1")


def test_declared_classes_keep_their_order() -> None:
    """Those without an image are left out and named; a label that is not declared is refused."""
    assert classes_of(HERE, ["2.0", "10", "1.0"], declared=["10", "2.0", "1"]).names == ("10", "2.0", "1")
    found = classes_of(HERE, ["b", "c"], declared=["c", "a", "b"])
    assert (found.names, found.of) == (("c", "b"), {"b": 1, "c": 0})
    assert found.warnings == ["declared classes without an image, left out: 1 (a)"]
    with pytest.raises(BadInput, match=r"1 labels \(x\) are none of the 2 declared classes"):
        classes_of(HERE, ["a", "x"], declared=["a", "b"])


@pytest.mark.parametrize(
    ("words", "split"),
    [
        (["train", "Training", "TRAIN"], "train"),
        (["val", "validation", "valid", "dev"], "val"),
        (["test", "Testing", "eval", "evaluation"], "test"),
        (["", "trains", "0", "cat"], None),
    ],
)
def test_words_for_splits(words: list[str], split: str | None) -> None:
    """Letter case does not count."""
    assert {split_of(word) for word in words} == {split}


def test_a_partition_needs_two_splits() -> None:
    """Two different words are one; a single one is said and not taken for it."""
    both = source(["a", "b", "a"], split=["train", "Testing", "training"])
    assert (both.partition, both.notes) == (["train", "test", "train"], ["splits train 2, test 1 as the folders say"])
    one = source(["a", "b"], split=["train", "train"])
    assert one.partition is None
    assert one.notes == ["all images are of the split train, as the folders say: they are split at random"]
    none = source(["a", "b"])
    assert (none.partition, none.notes) == (None, [])


@pytest.mark.parametrize(
    ("word", "said"), [("", "has no split, others have one"), ("tset", "has an unknown split, tset")]
)
def test_a_word_that_is_no_split_is_refused(word: str, said: str) -> None:
    """The image and the word are named."""
    with pytest.raises(BadInput, match=f"1.png {said}\nwant train, val"):
        source(["a", "b"], split=["train", word])


def test_groups_are_those_of_the_column_or_the_path() -> None:
    """A pattern finds the group in the path; where a group is missing it is refused with the path."""
    assert source(["a", "b"]).groups is None
    assert source(["a", "b"], group=["p1 ", "p2"]).groups == ["p1", "p2"]
    assert source(["a", "b", "a"], group=["3", "3.0", "x"]).groups == ["3", "3", "x"]
    assert source(["a", "b", "a"], group=["1", "1.0", "1.5"]).groups == ["1", "1.0", "1.5"]
    assert source(["a", "b"], Reading(group_by=r"(\d)\.png")).groups == ["0", "1"]
    with pytest.raises(
        BadInput, match="1 of 2 images have no group, others have one; fill in its column\nthe first: 1"
    ):
        source(["a", "b"], group=["p1", ""])
    with pytest.raises(BadInput, match=r"1 of 2 images have no group by --group-by \(0\)"):
        source(["a", "b"], Reading(group_by="(0)"))


def test_what_cannot_be_used_is_of_no_class_and_any_split() -> None:
    """A reason in place of an image makes an item that is put aside; its label and split are not looked at."""
    entries = [
        Entry("a", {"file": "0"}, bytes, split="train"),
        Entry("b", {"file": "1"}, bytes, split="test"),
        Entry("", {"file": "2"}, bytes, why="no image"),
    ]
    found = understood(HERE, entries, Reading())
    assert ([item.label for item in found.items], found.ignored) == ([0, 1, NO_CLASS], 0)
    assert found.partition is not None
    assert len(found.partition) == 3
    with pytest.raises(ValueError, match="no image"):
        found.items[2].read()
    with pytest.raises(BadInput, match="none of 1 images can be used; the first, 2: no image"):
        understood(HERE, entries[2:], Reading())


def test_labels_need_not_be_asked_for() -> None:
    """Images to be labelled by a classifier have no class, and none is left out."""
    found = source(["", "-1", "Cat", "cat"], Reading(labelled=False))
    assert (found.classes, [item.label for item in found.items], found.ignored) == ((), [NO_CLASS] * 4, 0)


def test_one_class_is_enough_where_that_is_said() -> None:
    """A set of synthetic images may be of one class."""
    assert source(["a", "a"], Reading(least_classes=1)).classes == ("a",)
    with pytest.raises(BadInput, match=r"set: 1 classes \(a\), want at least 2"):
        source(["a", "a"])
