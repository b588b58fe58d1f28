"""What tools for labelling and training write, and published sets in forms of their own."""

import io
import json
from pathlib import Path

import numpy as np

from tests.layouts.folders import EXPORTS, FOLDER, KAGGLE, TWO
from tests.layouts.making import Picture, csv, encoded, files, pictures, split_pictures, write
from tests.layouts.model import Layout, Read, Refused
from tests.layouts.tables import CSV

LABEL_STUDIO = "https://github.com/HumanSignal/label-studio/issues/878"
CELEBA = f"{KAGGLE}/datasets/jessicali9530/celeba-dataset"


def label_studio(root: Path) -> None:
    """Write uploaded images, and exports as CSV and JSON that name them as the server does."""
    some = pictures("cat", "dog", suffix="jpg")
    files(some, "upload/1/{kind}{number}-a.jpg")(root)
    tasks = [(f"/data/upload/1/{p.kind}{p.number}-a.jpg", p) for p in some]
    rows = [(1, 1, p.label, 1 + n, image) for n, (image, p) in enumerate(tasks)]
    write(root / "export.csv", csv([("annotation_id", "annotator", "choice", "id", "image"), *rows]))
    write(
        root / "export.json",
        json.dumps([{"id": n, "image": image, "choice": p.label} for n, (image, p) in enumerate(tasks)]),
    )


def vertex(root: Path) -> None:
    """Write import files for Vertex AI: a CSV without a first line of names, and JSON lines."""
    some = pictures("daisy", "tulip", suffix="jpg")
    files(some, "flowers/{kind}{number}.jpg")(root)
    paths = [(f"gs://bucket/flowers/{p.kind}{p.number}.jpg", p.label) for p in some]
    write(root / "all.csv", csv([("training", path, label) for path, label in paths]))
    lines = [{"imageGcsUri": path, "classificationAnnotation": {"displayName": label}} for path, label in paths]
    write(root / "all.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def fiftyone(root: Path) -> None:
    """Write images in one folder, and labels.json with class numbers by name without suffix."""
    some = pictures("cat", "dog", suffix="jpg")
    files(some, "data/{kind}{number}.jpg")(root)
    labels = {f"{p.kind}{p.number}": p.kind for p in some}
    write(root / "labels.json", json.dumps({"classes": ["cat", "dog"], "labels": labels}))


def luxonis(root: Path) -> None:
    """Write the same for each split."""
    words = {"train": "train", "val": "validation", "test": "test"}
    for split, word in words.items():
        some = split_pictures("cat", "dog", suffix="jpg", splits=(split,))
        files(some, f"{word}/data/{{kind}}{{number}}.jpg")(root)
        labels = {f"{p.kind}{p.number}": p.kind for p in some}
        write(root / word / "labels.json", json.dumps({"classes": ["cat", "dog"], "labels": labels}))


def coco(root: Path) -> None:
    """Write images in a folder for each split, and annotations in one file."""
    files(split_pictures("cat", "dog", suffix="jpg", splits=("train", "val")), "{split}2017/{kind}{number}.jpg")(root)
    write(root / "annotations" / "instances_train2017.json", json.dumps({"images": [], "annotations": []}))


def medmnist(root: Path) -> None:
    """Write arrays of images and labels."""
    out = io.BytesIO()
    np.savez(out, train_images=np.zeros((4, 8, 8, 3), np.uint8), train_labels=np.zeros((4, 1), np.uint8))
    write(root / "pathmnist.npz", out.getvalue())


def celeba(root: Path) -> None:
    """Write CelebA as Kaggle ships it: tables as CSV, the folder of images in a folder of its name."""
    some = [
        Picture(kind, str(kind), split, number, encoded(kind, number, split, "jpg"))
        for split, count in (("train", 10), ("val", 3), ("test", 3))
        for kind in (0, 1)
        for number in range(count)
    ]
    names = [f"{index + 1:06d}.jpg" for index in range(len(some))]
    for name, p in zip(names, some, strict=True):
        write(root / "img_align_celeba" / "img_align_celeba" / name, p.data)
    rows = [(name, 2 * p.kind - 1, -1) for name, p in zip(names, some, strict=True)]
    write(root / "list_attr_celeba.csv", csv([("image_id", "Male", "Young"), *rows]))
    parts = {"train": 0, "val": 1, "test": 2}
    write(
        root / "list_eval_partition.csv",
        csv([("image_id", "partition"), *((name, parts[p.split]) for name, p in zip(names, some, strict=True))]),
    )


TOOLS = (
    Layout(
        "A CSV whose images are addresses on the server",
        "Label Studio, CSV",
        LABEL_STUDIO,
        label_studio,
        CSV,
        Read(TWO, says=("found by their names",)),
        path="export.csv",
    ),
    Layout(
        "A JSON list of tasks",
        "Label Studio, JSON-MIN",
        "https://github.com/HumanSignal/label-studio/issues/1350",
        label_studio,
        (*CSV, "--file-column", "image", "--label", "choice"),
        Refused(("a list in JSON, not read",), "export CSV"),
        path="export.json",
    ),
    Layout(
        "A CSV without names of columns, images in the cloud",
        "Vertex AI and AutoML Vision",
        "https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data",
        vertex,
        CSV,
        Refused(("no column is the file",), "add a first line `split,file,label`, and make paths local"),
        path="all.csv",
    ),
    Layout(
        "JSON lines with the class in an object",
        "Vertex AI",
        "https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data",
        vertex,
        (*CSV, "--file-column", "imageGcsUri", "--label", "classificationAnnotation"),
        Refused(("classificationAnnotation",), "write `file_name` and `label` as texts"),
        path="all.jsonl",
    ),
    Layout(
        "labels.json next to a folder data",
        "FiftyOne, FiftyOneImageClassificationDataset",
        EXPORTS,
        fiftyone,
        FOLDER,
        Refused(("labels.json: a list in JSON, not read",), "export `ImageClassificationDirectoryTree`"),
    ),
    Layout(
        "labels.json and data in each split's folder",
        "Luxonis, FiftyOne classification",
        "https://docs.luxonis.com/software-v3/ai-inference/model-source/training/luxonis-ml",
        luxonis,
        FOLDER,
        Refused(("labels.json: a list in JSON, not read",), "export a folder for each class"),
    ),
    Layout(
        "TFRecords",
        "FiftyOne, TFImageClassificationDataset; TensorFlow Datasets",
        EXPORTS,
        files([], "", **{"tf.records-00000-of-00001": b"\x10\0\0\0"}),
        FOLDER,
        Refused(("TFRecords, not read",), "export images, or WebDataset"),
    ),
    Layout(
        "Annotations of boxes in one JSON",
        "COCO",
        "https://cocodataset.org/#format-data",
        coco,
        FOLDER,
        Refused(
            ("named for splits, and have no class folders",),
            "cut the objects out: halfreal is for one class to an image",
        ),
    ),
    Layout(
        "A list of path and class number",
        "mmpretrain, ann_file",
        "https://github.com/open-mmlab/mmpretrain/pull/738",
        files(pictures("0", "1"), "{kind}{number}.png", **{"ann.txt": "00.png 0\n10.png 1\n"}),
        CSV,
        Refused(("a list in text, not read",), "add a first line `file,label`, and commas"),
        path="ann.txt",
    ),
    Layout(
        "Arrays of images and labels in an npz",
        "MedMNIST",
        "https://medmnist.com/",
        medmnist,
        FOLDER,
        Refused(("pathmnist.npz: arrays, not read",), "save a folder of images for each class"),
        path="pathmnist.npz",
    ),
    Layout(
        "Tables as CSV, the images' folder in a folder of its name",
        "Kaggle, CelebA",
        CELEBA,
        celeba,
        ("--source", "celeba", "--label", "Male", "--no-verify-md5"),
        Read({"Female": 16, "Male": 16}, ("train", "val", "test")),
    ),
)
"""Rows of labelling tools, training tools and published sets."""
