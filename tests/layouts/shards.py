"""Tars of samples, and archives."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.layouts.folders import FOLDER, KAGGLE, SPLIT, SPLITS, TWO
from tests.layouts.making import Picture, files, pictures, split_pictures, tar, write, zipped
from tests.layouts.model import Layout, Read, Refused

WDS = ("--source", "webdataset")
WEBDATASET = "https://github.com/webdataset/webdataset"
IMG2DATASET = "https://github.com/rom1504/img2dataset"
STYLEGAN = "https://github.com/NVlabs/stylegan2-ada-pytorch/issues/18"

Members = list[tuple[str, bytes | str]]


def with_cls(some: Iterable[Picture], key: str = "{kind}{number:04d}", suffix: str = "png") -> Members:
    """Return members of a tar: each image and its class as a number."""
    return [
        member
        for p in some
        for name in [key.format(kind=p.kind, number=p.number)]
        for member in ((f"{name}.{suffix}", p.data), (f"{name}.cls", p.label))
    ]


def with_json(some: Iterable[Picture], field: str, cls: bool = False) -> Members:
    """Return members of a tar: each image, its class in a field of a json, and a text; `cls`: a .cls as well."""
    return [
        member
        for p in some
        for member in (
            (f"{p.kind}{p.number:04d}.jpg", p.data),
            (f"{p.kind}{p.number:04d}.txt", f"a photo of a {p.label}"),
            (f"{p.kind}{p.number:04d}.json", json.dumps({field: p.label, "width": 8, "status": "success"})),
            *([(f"{p.kind}{p.number:04d}.cls", f"{p.number % 2}")] if cls else []),
        )
    ]


def tars(**members: Members) -> Callable[[Path], None]:
    """Return what writes a tar of members for each name, with the mode that its suffix asks for."""

    def make(root: Path) -> None:
        for name, some in members.items():
            tar(root / name, some, "w:gz" if name.endswith("gz") else "w")

    return make


def img2dataset(root: Path) -> None:
    """Write two tars of images with captions and json, and the tables and statistics next to them."""
    some = pictures("cat", "dog", suffix="jpg")
    for part in range(2):
        tar(root / f"0000{part}.tar", with_json(some[part::2], "label"))
        write(root / f"0000{part}.parquet", b"PAR1")
        write(root / f"0000{part}_stats.json", "{}")


def by_folder(some: Sequence[Picture], pattern: str) -> Members:
    """Return members of an archive: each image in a folder."""
    return [(pattern.format(label=p.label, number=p.number, split=p.split), p.data) for p in some]


def stylegan(pack: Callable[[Path, Members], None], labelled: bool = True) -> Callable[[Path], None]:
    """Return what packs images as dataset_tool.py does, with their classes in dataset.json."""

    def make(root: Path) -> None:
        some = pictures("0", "1")
        names = [f"00000/img{p.kind}{p.number:07d}.png" for p in some]
        labels = [[name, p.kind] for name, p in zip(names, some, strict=True)] if labelled else None
        images: Members = [(name, p.data) for name, p in zip(names, some, strict=True)]
        pack(root, [*images, ("dataset.json", json.dumps({"labels": labels}))])

    return make


def unpacked(root: Path, members: Members) -> None:
    """Write members as files."""
    for name, content in members:
        write(root / name, content)


def packed(root: Path, members: Members) -> None:
    """Write members as a zip."""
    zipped(root / "set.zip", members)


def own(root: Path) -> None:
    """Write a set of ours, and export it as shards."""
    from click.testing import CliRunner

    from jobs.preprocess.__main__ import main

    files(split_pictures("cat", "dog"), "{split}/{label}/{number}.png")(root.parent / "first")
    words = ["--data-root", root, "--experiment", "own", "--source", "folder", "--source-path", root.parent / "first"]
    result = CliRunner().invoke(main, [*map(str, words), "--size-px", "8", "--channels", "3"])
    assert result.exit_code == 0, result.output


SHARDS = (
    Layout(
        "Tars of jpg and cls",
        "WebDataset",
        WEBDATASET,
        tars(**{"a-000000.tar": with_cls(pictures("0", "2", "10", suffix="jpg"), suffix="jpg")}),
        WDS,
        Read({"0": 10, "2": 10, "10": 10}),
    ),
    Layout(
        "train-*.tar, val-*.tar and test-*.tar in one folder",
        "WebDataset; Hugging Face datasets",
        "https://huggingface.co/docs/hub/datasets-webdataset",
        tars(
            **{
                f"{split}-00000.tar": with_json(split_pictures("cat", "dog", suffix="jpg", splits=(split,)), "label")
                for split in SPLITS
            }
        ),
        WDS,
        Read(SPLIT, SPLITS),
    ),
    Layout(
        "Tars of jpg, txt and json, with Parquet and statistics next to them",
        "img2dataset, webdataset with save_additional_columns",
        IMG2DATASET,
        img2dataset,
        (*WDS, "--label", "label"),
        Read(TWO),
    ),
    Layout(
        "The class in another field of the json, a .cls as well",
        "WebDataset with several labels",
        "https://github.com/webdataset/webdataset/issues/20",
        tars(**{"a.tar": with_json(pictures("crow", "owl", suffix="jpg"), "species", cls=True)}),
        (*WDS, "--label", "species"),
        Read({"crow": 10, "owl": 10}),
    ),
    Layout(
        "Captions and no class",
        "img2dataset, webdataset of captions",
        IMG2DATASET,
        tars(**{"a.tar": with_json(pictures("x", suffix="jpg"), "caption")}),
        WDS,
        Refused(("caption", "--label"), "name the field of the class, if there is one, with `--label`"),
    ),
    Layout(
        "Keys with a dot",
        "Cameras and web addresses as names",
        "https://github.com/webdataset/webdataset/issues/237",
        tars(**{"a.tar": with_cls(pictures("0", "1"), "cam.{kind}{number:04d}")}),
        WDS,
        Refused(("dot",), "write names without a dot into the tar"),
    ),
    Layout(
        "Images first, then classes",
        "tar --sort, or a tar of two folders",
        "https://github.com/webdataset/webdataset/issues/288",
        tars(**{"a.tar": sorted(with_cls(pictures("0", "1")), key=lambda member: member[0][-3:], reverse=True)}),
        WDS,
        Read({"0": 10, "1": 10}),
    ),
    Layout(
        "A compressed tar next to a plain one",
        "WebDataset",
        "https://github.com/webdataset/webdataset/issues/415",
        tars(**{"a.tar": with_cls(pictures("0", "1")), "b.tar.gz": with_cls(pictures("0", "1"), "z{kind}{number}")}),
        WDS,
        Refused(("b.tar.gz",), "unpack it: `gunzip`"),
    ),
    Layout(
        "A pattern of braces",
        "WebDataset",
        WEBDATASET,
        tars(**{"a-0.tar": with_cls(pictures("0", "1")[::2]), "a-1.tar": with_cls(pictures("0", "1")[1::2])}),
        WDS,
        Read({"0": 10, "1": 10}),
        path="a-{0..1}.tar",
    ),
    Layout(
        "Shards that halfreal wrote",
        "halfreal",
        "format.md",
        own,
        WDS,
        Read(SPLIT, SPLITS),
        path="own/real",
    ),
    Layout(
        "A tar with a folder for each class",
        "timm, ReaderImageTar",
        "https://github.com/huggingface/pytorch-image-models/blob/main/timm/data/readers/reader_image_tar.py",
        tars(**{"train.tar": by_folder(pictures("cat", "dog"), "{label}/{number}.png")}),
        FOLDER,
        Read(TWO),
        path="train.tar",
    ),
    Layout(
        "A compressed tar with a folder for each class",
        "Oxford, Caltech and others",
        "https://data.caltech.edu/records/mzrjq-6wc02",
        tars(**{"set.tar.gz": by_folder(pictures("cat", "dog"), "101_ObjectCategories/{label}/{number}.png")}),
        FOLDER,
        Refused(("compressed as a whole", "tar -xf"), "unpack it, or take the compression away: `gunzip`"),
        path="set.tar.gz",
    ),
    Layout(
        "A zip with a folder for each class below each split",
        "Kaggle; Roboflow",
        f"{KAGGLE}/docs/datasets",
        lambda root: zipped(
            root / "archive.zip", by_folder(split_pictures("cat", "dog"), "{split}/{label}/{number}.png")
        ),
        FOLDER,
        Read(SPLIT, SPLITS),
        path="archive.zip",
    ),
    Layout(
        "A zip with a folder for each class and a list of classes",
        "CVAT, ImageNet",
        "https://docs.cvat.ai/docs/dataset_management/formats/format-imagenet",
        lambda root: zipped(
            root / "task.zip",
            [*by_folder(pictures("cat", "dog"), "{label}/{number}.png"), ("synsets.txt", "cat\ndog\n")],
        ),
        FOLDER,
        Read(TWO),
        path="task.zip",
    ),
    Layout(
        "A zip with classes in dataset.json",
        "StyleGAN, dataset_tool.py",
        STYLEGAN,
        stylegan(packed),
        FOLDER,
        Read({"0": 10, "1": 10}),
        path="set.zip",
    ),
    Layout(
        "The same, unpacked",
        "StyleGAN, dataset_tool.py",
        STYLEGAN,
        stylegan(unpacked),
        FOLDER,
        Read({"0": 10, "1": 10}),
    ),
    Layout(
        "The same without classes",
        "StyleGAN, dataset_tool.py without labels",
        "https://github.com/NVlabs/stylegan2-ada-pytorch/issues/53",
        stylegan(unpacked, labelled=False),
        FOLDER,
        Refused(("dataset.json", "label"), "write the class of each image into `dataset.json`"),
    ),
)
"""Rows of tars and archives."""
