"""Tables of files and classes: CSV, TSV, JSON lines, Parquet, with their usual names of columns."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.layouts.folders import HUB, KAGGLE, SPLIT, SPLITS, TWO
from tests.layouts.making import Picture, csv, encoded, files, named, pictures, split_pictures, write
from tests.layouts.model import Layout, Read, Refused

CSV = ("--source", "csv")
FOLDER = ("--source", "folder")
DOCS = "https://huggingface.co/docs/datasets/image_dataset"


def table(
    some: Sequence[Picture],
    pattern: str,
    place: str,
    head: Sequence[str],
    row: Callable[[str, Picture], Sequence[object]],
) -> Callable[[Path], None]:
    """Return what writes pictures and, at `place`, a CSV with `row` of each picture's path."""

    def make(root: Path) -> None:
        rows = [row(path, p) for path, p in named(some, pattern)]
        files(some, pattern, **{place: csv([head, *rows])})(root)

    return make


def one_hot(labels: Sequence[str], between: str = ",") -> Callable[[Path], None]:
    """Return what writes a column for each class, 1.0 in that of the image."""

    def make(root: Path) -> None:
        some = pictures(*labels, suffix="jpg")
        files(some, "input/ISIC_{kind}{number}.jpg")(root)
        rows = [[f"ISIC_{p.kind}{p.number}", *(f"{float(p.label == label)}" for label in labels)] for p in some]
        write(root / "truth.csv", csv([["image", *labels], *rows], between))

    return make


def roboflow(root: Path) -> None:
    """Write each split's images with a table of one column for each class."""
    renamed = {"val": "valid"}
    files(split_pictures("cat", "dog", suffix="jpg"), "{split}/{kind}{number}.jpg", renamed)(root)
    for split, count in (("train", 10), ("valid", 3), ("test", 3)):
        rows = [[f"{kind}{number}.jpg", 1 - kind, kind] for kind in (0, 1) for number in range(count)]
        write(root / split / "_classes.csv", csv([["filename", "cat", "dog"], *rows], ", "))


def metadata_in_splits(suffix: str) -> Callable[[Path], None]:
    """Return what writes a metadata.csv or metadata.jsonl into each split's folder, images below it."""

    def make(root: Path) -> None:
        for split in ("train", "test"):
            some = split_pictures("green", "red", suffix="jpg", splits=(split,))
            rows = [(f"images/{p.kind}{p.number}.jpg", p.label) for p in some]
            files(some, "{split}/images/{kind}{number}.jpg")(root)
            lines = "".join(json.dumps({"file_name": file, "label": label}) + "\n" for file, label in rows)
            text = lines if suffix == "jsonl" else csv([("file_name", "label"), *rows])
            write(root / split / f"metadata.{suffix}", text)

    return make


def lesions(root: Path) -> None:
    """Write two folders of images, and a table of their names without suffix, two images to a lesion."""
    some = [
        Picture(kind, label, "", number, encoded(kind, number, suffix="jpg", group=8 * kind + number // 2))
        for kind, label in enumerate(("bkl", "nv"))
        for number in range(16)
    ]
    files(some[::2], "HAM10000_images_part_1/ISIC_{kind}{number}.jpg")(root)
    files(some[1::2], "HAM10000_images_part_2/ISIC_{kind}{number}.jpg")(root)
    rows = [(f"HAM_{8 * p.kind + p.number // 2}", f"ISIC_{p.kind}{p.number}", p.label, "80.0") for p in some]
    write(root / "HAM10000_metadata.csv", csv([("lesion_id", "image_id", "dx", "age"), *rows]))


def parquet(path: Path, some: Sequence[Picture], column: str = "image", names: Sequence[str] | None = None) -> None:
    """Write image bytes as `datasets` does: with `names` the label is a number, and the names are in the metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [{"bytes": p.data, "path": f"{p.kind}{p.number}.png"} if column == "image" else p.data for p in some]
    rows = pa.table({column: images, "label": [p.kind if names else p.label for p in some]})
    if names:
        features = {
            "image": {"_type": "Image"},
            "label": {"names": list(names), "_type": "ClassLabel"},
        }
        rows = rows.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    out = io.BytesIO()
    pq.write_table(rows, out)
    write(path, out.getvalue())


def pushed(root: Path) -> None:
    """Write a Parquet file for each split, labels as numbers with their names, as push_to_hub does."""
    names = ("NORMAL", "PNEUMONIA")
    for split, word in (("train", "train"), ("val", "validation"), ("test", "test")):
        parquet(root / "data" / f"{word}-00000-of-00001.parquet", split_pictures(*names, splits=(split,)), names=names)


TABLES = (
    Layout(
        "file_name,label in metadata.csv",
        "Hugging Face imagefolder",
        DOCS,
        table(
            pictures("cat", "dog"),
            "{kind}{number}.png",
            "metadata.csv",
            ("file_name", "label"),
            lambda f, p: (f, p.label),
        ),
        FOLDER,
        Read(TWO),
    ),
    Layout(
        "metadata.csv in each split's folder, images below it",
        "Hugging Face imagefolder",
        HUB,
        metadata_in_splits("csv"),
        FOLDER,
        Read({"green": 13, "red": 13}, ("train", "test")),
    ),
    Layout(
        "metadata.jsonl in each split's folder, images below it",
        "Hugging Face imagefolder",
        HUB,
        metadata_in_splits("jsonl"),
        FOLDER,
        Read({"green": 13, "red": 13}, ("train", "test")),
    ),
    Layout(
        "Parquet, a file for each split, class names in its metadata",
        "Hugging Face datasets, push_to_hub",
        DOCS,
        pushed,
        FOLDER,
        Read({"NORMAL": 16, "PNEUMONIA": 16}, SPLITS),
    ),
    Layout(
        "One Parquet file of image bytes",
        "Hugging Face datasets, to_parquet",
        HUB,
        lambda root: parquet(root / "train.parquet", pictures("cat", "dog"), names=("cat", "dog")),
        CSV,
        Read(TWO),
        path="train.parquet",
    ),
    Layout(
        "Parquet with image bytes in a column jpg",
        "img2dataset, parquet",
        "https://github.com/rom1504/img2dataset",
        lambda root: parquet(root / "00000.parquet", pictures("cat", "dog", suffix="jpg"), "jpg"),
        (*CSV, "--file-column", "jpg"),
        Read(TWO),
        path="00000.parquet",
    ),
    Layout(
        "An Arrow file with state.json",
        "Hugging Face datasets, save_to_disk",
        "https://huggingface.co/docs/datasets/process#save",
        files(
            [], "", **{"data-00000-of-00001.arrow": b"\xff\xff\xff\xff", "state.json": "{}", "dataset_info.json": "{}"}
        ),
        FOLDER,
        Refused(("save_to_disk, not read; write Parquet",), "write Parquet: `to_parquet`"),
    ),
    Layout(
        "A CSV with filename,class",
        "Keras, flow_from_dataframe",
        "https://keras.io/api/preprocessing/image/",
        table(
            pictures("cat", "dog"),
            "images/{kind}{number}.png",
            "t.csv",
            ("filename", "class"),
            lambda f, p: (f, p.label),
        ),
        CSV,
        Read(TWO),
        path="t.csv",
    ),
    Layout(
        "A CSV with other names of columns, classes as numbers",
        "Keras, flow_from_dataframe with x_col and y_col",
        "https://gist.github.com/aniruddha27/61ea724d3fec1d023c3dbbd6a606adad",
        table(
            pictures("0", "2", "10"),
            "{kind}{number}.png",
            "t.csv",
            ("image_names", "emergency_or_not"),
            lambda f, p: (f, p.label),
        ),
        (*CSV, "--file-column", "image_names", "--label", "emergency_or_not"),
        Read({"0": 10, "2": 10, "10": 10}),
        path="t.csv",
    ),
    Layout(
        "A CSV of names without suffix, images in a folder",
        "Kaggle, dog-breed-identification",
        f"{KAGGLE}/c/dog-breed-identification/data",
        table(
            pictures("basenji", "boxer", suffix="jpg"),
            "train/{kind}{number}.jpg",
            "labels.csv",
            ("id", "breed"),
            lambda f, p: (Path(f).stem, p.label),
        ),
        (*CSV, "--file-column", "id", "--label", "breed"),
        Read({"basenji": 10, "boxer": 10}, says=("found by their names",)),
        path="labels.csv",
    ),
    Layout(
        "The same with two folders of images, and several images of a lesion",
        "Kaggle, HAM10000",
        f"{KAGGLE}/datasets/kmader/skin-cancer-mnist-ham10000",
        lesions,
        (*CSV, "--file-column", "image_id", "--label", "dx", "--group-column", "lesion_id"),
        Read({"bkl": 16, "nv": 16}, grouped=True, says=("found by their names",)),
        path="HAM10000_metadata.csv",
    ),
    Layout(
        "A CSV with a column for each class",
        "ISIC 2019",
        "https://challenge.isic-archive.com/data/",
        one_hot(("BCC", "MEL", "NV")),
        (*CSV, "--file-column", "image"),
        Read({"BCC": 10, "MEL": 10, "NV": 10}, says=("the classes are its columns of 0 and 1",)),
        path="truth.csv",
    ),
    Layout(
        "_classes.csv with a column for each class, in each split's folder",
        "Roboflow, multi-label CSV",
        "https://openvinotoolkit.github.io/datumaro/latest/docs/data-formats/formats/roboflow.html",
        roboflow,
        FOLDER,
        Read(SPLIT, SPLITS, says=("the classes are its columns of 0 and 1",)),
    ),
    Layout(
        "A CSV with the split in a column",
        "ArtBench, and others that keep splits in metadata",
        "https://github.com/liaopeiyuan/artbench/issues/2",
        table(
            split_pictures("baroque", "realism", splits=("train", "test")),
            "{label}/{split}{number}.png",
            "t.csv",
            ("name", "label", "split"),
            lambda f, p: (f, p.label, p.split),
        ),
        (*CSV, "--file-column", "name"),
        Read({"baroque": 13, "realism": 13}, ("train", "test")),
        path="t.csv",
    ),
    Layout(
        "A CSV with is_valid as True or False",
        "fastai, from_df with valid_col",
        "https://docs.fast.ai/vision.data.html",
        table(
            split_pictures("3", "7", splits=("train", "val")),
            "{split}/{label}/{number}.png",
            "labels.csv",
            ("name", "label", "is_valid"),
            lambda f, p: (f, p.label, p.split == "val"),
        ),
        (*CSV, "--file-column", "name", "--split-column", "is_valid"),
        Refused(("split",), "write train and val into that column"),
        path="labels.csv",
    ),
    Layout(
        "Tab-separated, with backslashes, carriage returns and a byte order mark",
        "Excel on Windows",
        "https://docs.python.org/3/library/codecs.html",
        files(
            pictures("cat", "dog"),
            "images/{label}{number}.png",
            **{
                "t.tsv": "\ufeff"
                + csv(
                    [
                        ("file", "label"),
                        *((f"images\\{p.label}{p.number}.png", p.label) for p in pictures("cat", "dog")),
                    ],
                    "\t",
                    "\r\n",
                )
            },
        ),
        CSV,
        Read(TWO),
        path="t.tsv",
    ),
)
"""Rows whose classes are in a table."""
