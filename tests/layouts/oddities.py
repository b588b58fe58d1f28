"""Class names that are nearly the same, labels that say that there is none, files that are no images."""

import unicodedata
from pathlib import Path

from tests.layouts.folders import FOLDER, TWO
from tests.layouts.making import files, pictures, split_pictures, write
from tests.layouts.model import Layout, Read, Refused
from tests.layouts.tables import CSV, table


def two_forms(root: Path) -> None:
    """Write the class folders of train composed (NFC), those of test decomposed (NFD)."""
    for p in split_pictures("Dürer", "Kahlo", splits=("train", "test")):
        form = "NFC" if p.split == "train" else "NFD"
        write(root / p.split / unicodedata.normalize(form, p.label) / f"{p.number}.png", p.data)


def no_images(root: Path) -> None:
    """Write class folders in which programs left their files, some with suffixes that Pillow knows."""
    files(pictures("cat", "dog"), "{label}/{number}.png")(root)
    for name in ("Thumbs.db", ".DS_Store", "notes.pdf", "features.h5", "clip.mpg"):
        write(root / "cat" / name, b"\0\1\2\3")


ODDITIES = (
    Layout(
        "-1 where there is no label",
        "TensorFlow Datasets, for images whose labels are secret",
        "https://github.com/tensorflow/datasets/issues/349",
        table(
            [*pictures("0", "1"), *(p._replace(label="-1") for p in pictures("0", "1", "x", count=4) if p.kind == 2)],
            "{kind}{number}.png",
            "t.csv",
            ("file", "label"),
            lambda f, p: (f, p.label),
        ),
        CSV,
        Read({"0": 10, "1": 10}, says=("without a label, not taken: 4",)),
        path="t.csv",
    ),
    Layout(
        "A class name in two Unicode forms",
        "macOS and Linux",
        "https://github.com/renpy/renpy/pull/2327",
        two_forms,
        FOLDER,
        Read({"Dürer": 13, "Kahlo": 13}, ("train", "test"), says=("Unicode",)),
    ),
    Layout(
        "Two class names that differ in letter case",
        "Linux, whose files then go to Windows or macOS",
        "https://github.com/webdataset/webdataset/issues/371",
        files(pictures("Cat", "cat", "dog"), "{label}/{number}.png"),
        FOLDER,
        Refused(("Cat", "letter case"), "rename one, or put both into one folder"),
    ),
    Layout(
        "Files of other programs in class folders",
        "Windows and macOS",
        "https://github.com/apple/turicreate/issues/644",
        no_images,
        FOLDER,
        Read(TWO, says=("not taken: 4",)),
    ),
)
"""Rows about names, labels and files that are not what they seem."""
