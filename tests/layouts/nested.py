"""Folders of folders whose meaning only their names tell, and tables as pandas and Excel write them."""

from pathlib import Path

from tests.layouts.folders import FOLDER, KAGGLE, TWO
from tests.layouts.making import Picture, csv, encoded, files, pictures, write
from tests.layouts.model import Layout, Read, Refused, Wrong
from tests.layouts.tables import CSV, table

DOMAINS = "https://github.com/jindongwang/transferlearning/issues/409"


def domains(as_classes: bool = False) -> list[tuple[str, Picture]]:
    """Return pictures of two classes in each of two domains, by path; coloured by the domain if `as_classes`."""
    return [
        (
            f"{domain}/{label}/{number}.png",
            Picture(kind, label, "", number, encoded(place if as_classes else kind, 10 * (kind + 2 * place) + number)),
        )
        for place, domain in enumerate(("photo", "sketch"))
        for kind, label in enumerate(("dog", "horse"))
        for number in range(5)
    ]


def write_domains(root: Path, as_classes: bool = False) -> None:
    """Write a folder for each domain, with a folder for each class in it."""
    for path, p in domains(as_classes):
        write(root / path, p.data)


def frames(root: Path) -> None:
    """Write frames of four videos of each class, a folder for each video."""
    for kind, label in enumerate(("Archery", "Bowling")):
        for number in range(20):
            video = 4 * kind + number // 5
            data = encoded(kind, number, suffix="jpg", group=video)
            write(root / label / f"v_{label}_g0{video}_c01" / f"frame{number:04d}.jpg", data)


def mvtec(root: Path) -> None:
    """Write train with sound parts alone, test with defects too, and masks."""
    files([p._replace(data=encoded(1, 50 + p.number)) for p in pictures("good")], "train/good/{number:03d}.png")(root)
    files(pictures("broken_large", "good", count=4), "test/{label}/{number:03d}.png")(root)
    files(pictures("broken_large", count=4), "ground_truth/broken_large/{number:03d}_mask.png")(root)


def kaggle_paths(root: Path) -> None:
    """Write class folders with equal names of files, and a table of paths on Kaggle's machines."""
    files(pictures("cat", "dog"), "train/{label}/{number}.png")(root)
    rows = [(f"/kaggle/input/pets/train/{p.label}/{p.number}.png", p.label) for p in pictures("cat", "dog")]
    write(root / "train.csv", csv([("path", "label"), *rows]))


def semicolons(root: Path) -> None:
    """Write a table as Excel does where a comma is in decimal numbers."""
    some = pictures("cat", "dog")
    files(some, "{label}{number}.png")(root)
    write(
        root / "t.csv",
        csv([("File", "Label", "Score"), *((f"{p.label}{p.number}.png", p.label, "0,5") for p in some)], ";"),
    )


NESTED = (
    Layout(
        "A folder for each domain, class folders in it",
        "Office-Home, PACS, DomainNet",
        DOMAINS,
        write_domains,
        (*FOLDER, "--label-from", "^[^/]+/([^/]+)/"),
        Read({"dog": 10, "horse": 10}),
    ),
    Layout(
        "The same, without a pattern",
        "Office-Home, PACS, DomainNet",
        DOMAINS,
        lambda root: write_domains(root, as_classes=True),
        FOLDER,
        Wrong(
            Read({"photo": 10, "sketch": 10}, says=("the same folders in each .*--label-from",)),
            "the domains are read as the classes, with a warning that says how to read the folders in them",
        ),
    ),
    Layout(
        "A folder for each video in class folders",
        "UCF101 as frames",
        "https://www.crcv.ucf.edu/data/UCF101.php",
        frames,
        (*FOLDER, "--group-by", "^[^/]+/([^/]+)/"),
        Read({"Archery": 20, "Bowling": 20}, grouped=True),
    ),
    Layout(
        "Sound parts in train, defects only in test",
        "MVTec AD",
        "https://www.mvtec.com/company/research/datasets/mvtec-ad",
        mvtec,
        FOLDER,
        Refused(("train has no folder like test/broken_large",), "say `--split random`, which takes all images"),
    ),
    Layout(
        "The same, split at random",
        "MVTec AD",
        "https://www.mvtec.com/company/research/datasets/mvtec-ad",
        mvtec,
        (*FOLDER, "--split", "random"),
        Read({"broken_large": 4, "good": 14}, says=("ground_truth",)),
    ),
    Layout(
        "A table with a column of row numbers, which has no name",
        "pandas, to_csv",
        "https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_csv.html",
        table(
            pictures("cat", "dog"),
            "{kind}{number}.png",
            "t.csv",
            ("", "filename", "label"),
            lambda f, p: (10 * p.kind + p.number, f, p.label),
        ),
        CSV,
        Read(TWO),
        path="t.csv",
    ),
    Layout(
        "A table with semicolons",
        "Excel in most of Europe",
        "https://docs.python.org/3/library/csv.html",
        semicolons,
        CSV,
        Read(TWO),
        path="t.csv",
    ),
    Layout(
        "A table of paths on another machine, with equal names in each class",
        "Kaggle notebooks",
        f"{KAGGLE}/docs/notebooks",
        kaggle_paths,
        CSV,
        Refused(("fit several images below its folder", "want paths relative"), "give the folder `train`"),
        path="train.csv",
    ),
)
"""Rows whose folders or columns could mean several things."""
