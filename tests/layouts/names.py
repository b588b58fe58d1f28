"""Flat folders whose file names tell the class, or whose patients must not be torn apart."""

from pathlib import Path

from tests.layouts.folders import FOLDER, KAGGLE, TWO
from tests.layouts.making import Picture, encoded, files, pictures
from tests.layouts.model import Layout, Read, Refused

PATIENTS = [
    Picture(kind, label, "", number, encoded(kind, number, suffix="jpeg", group=5 * kind + number // 4))
    for kind, label in enumerate(("BACTERIA", "VIRUS"))
    for number in range(20)
]
"""Four images of each of ten patients."""


def patients(root: Path) -> None:
    """Write class folders with images of patients, whose number is in the name."""
    for p in PATIENTS:
        path = root / p.label / f"person{5 * p.kind + p.number // 4}_{p.label.lower()}_{p.number}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(p.data)


def pets(root: Path) -> None:
    """Write images named by breed and number, and the lists of the Oxford pets."""
    labels = ("Abyssinian", "american_bulldog")
    files(pictures(*labels, suffix="jpg"), "images/{label}_{number}.jpg", **{"images/Abyssinian_100.mat": b"\1"})(root)
    lines = "".join(
        f"{label}_{number} {kind + 1} {2 - kind} 1\n" for kind, label in enumerate(labels) for number in range(10)
    )
    files(
        [],
        "",
        **{"annotations/list.txt": f"#Image CLASS-ID SPECIES BREED ID\n{lines}", "annotations/trainval.txt": lines},
    )(root)


NAMES = (
    Layout(
        "The class is the beginning of the file name",
        "Kaggle, dogs-vs-cats",
        f"{KAGGLE}/c/dogs-vs-cats/data",
        files(pictures("cat", "dog", suffix="jpg"), "train/{label}.{number}.jpg"),
        (*FOLDER, "--label-from", r"(cat|dog)\.\d+\.jpg"),
        Read(TWO),
        path="train",
    ),
    Layout(
        "The same, unlabelled test images next to it",
        "Kaggle, dogs-vs-cats",
        f"{KAGGLE}/c/dogs-vs-cats/data",
        files(
            [*pictures("cat", "dog", suffix="jpg"), *pictures("1", suffix="jpg", count=4)], "train/{label}.{number}.jpg"
        ),
        (*FOLDER, "--label-from", r"(cat|dog)\.\d+\.jpg"),
        Read(TWO, says=("4 .*train/1.0.jpg",)),
    ),
    Layout(
        "The same, without saying so",
        "Kaggle, dogs-vs-cats",
        f"{KAGGLE}/c/dogs-vs-cats/data",
        files(pictures("cat", "dog", suffix="jpg"), "{label}.{number}.jpg"),
        FOLDER,
        Refused(("--label-from",), "name the class by a pattern: `--label-from`"),
    ),
    Layout(
        "The class is all but the number",
        "Oxford-IIIT Pet; fastai, from_name_re",
        "https://docs.fast.ai/vision.data.html",
        pets,
        (*FOLDER, "--label-from", r"(.+)_\d+\.jpg$"),
        Read({"Abyssinian": 10, "american_bulldog": 10}),
        path="images",
    ),
    Layout(
        "A list without a first line of column names",
        "Oxford-IIIT Pet, annotations",
        "https://www.robots.ox.ac.uk/~vgg/data/pets/",
        pets,
        ("--source", "csv"),
        Refused(("a list in text, not read",), "give the folder `images` with `--label-from`"),
        path="annotations/trainval.txt",
    ),
    Layout(
        "Several images of a patient, whose number is in the file name",
        "Kaggle, chest-xray-pneumonia",
        f"{KAGGLE}/datasets/paultimothymooney/chest-xray-pneumonia",
        patients,
        (*FOLDER, "--group-by", r"person(\d+)_"),
        Read({"BACTERIA": 20, "VIRUS": 20}, grouped=True),
    ),
)
"""Rows in which a pattern on file names tells the class or the group."""
