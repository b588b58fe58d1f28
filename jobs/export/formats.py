"""The layouts: a row of `FORMATS` each. Their bytes depend on the images, the classes and the options alone."""

import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from jobs.export.pictures import Picture
from shared.disk.durable import make_folder, open_to_write, write_file
from shared.errors import BadInput
from shared.format.sample import Sample, decode_image
from shared.format.shards import DEFAULT_SHARD_IMAGES, write_split
from shared.sources.labels import write_class_names

FOLDER_IMAGES = 1000
"""Images in one folder of the layout `hf`; a hub takes at most 10,000."""

SPLIT_WORDS = "train|training|validation|valid|dev|val|test|testing|eval|evaluation"
"""What Hugging Face datasets takes for the name of a split where it is a word of its own in a folder's name."""


@dataclass(frozen=True)
class Format:
    """A layout: the function that writes it, what it is, and the Python code that reads it from FOLDER.

    `write` takes the folder, the images and the class names. `named` is whether folder names are the labels,
    `described` whether the head of the card describes the columns.
    """

    write: Callable[[Path, Iterable[Picture], list[str]], None]
    about: str
    reading: str
    named: bool = False
    described: bool = False


def class_folders(classes: list[str]) -> list[str]:
    """Return a folder's name for each class, so that their alphabetical order is that of the labels.

    Those are the class names themselves where every one of them can be a folder's name on any system, differs from the
    others by more than capitals, is no word for a split, and their order is alphabetical; else `class-0` and so on.
    """
    # readers number folders alphabetically: class names out of order, or merged by a file system that ignores case,
    # would give every image of a class the label of another
    plain = all(map(_can_be_a_folder, classes)) and len({name.casefold() for name in classes}) == len(classes)
    if plain and sorted(classes) == classes:
        return classes
    # zero-padded, or class-10 would sort before class-2
    digits = len(str(len(classes) - 1))
    return [f"class-{label:0{digits}d}" for label in range(len(classes))]


def _can_be_a_folder(name: str) -> bool:
    forbidden = r'[<>:"/\\|?*]|^[. ]|[. ]$|' + rf"(^|[-._ 0-9])({SPLIT_WORDS})([-._ 0-9]|$)"
    return bool(name) and name.isprintable() and not re.search(forbidden, name) and len(name.encode()) <= 200


def image_folder(folder: Path, pictures: Iterable[Picture], classes: list[str]) -> None:
    """Write a folder for each class with its images, and `samples.jsonl` with what is known of each.

    Raises BadInput for a class without images: readers number the folders that they find, so that labels would shift.
    """
    names = class_folders(classes)
    for name in names:
        make_folder(folder / name)
    with _text(folder / "samples.jsonl") as table:
        for picture in pictures:
            file = f"{names[picture.label]}/{picture.key}.png"
            write_file(folder / file, picture.png)
            _write_line(table, {"file": file, **picture.row()})
    empty = [name for name, place in zip(classes, names, strict=True) if not any((folder / place).iterdir())]
    if empty:
        raise BadInput(
            f"no image of class {', '.join(empty)}: readers number the folders with images, so labels would shift\n"
            "take --to webdataset or hf, other --labels, or a lower --min-confidence"
        )


def web_dataset(folder: Path, pictures: Iterable[Picture], classes: list[str]) -> None:
    """Write shards as the synthetic set has them: `.cls` is the label, `.json` what is known of the image."""
    samples = (
        Sample(key=picture.key, image=decode_image(picture.png), label=picture.label, meta=_meta(picture))
        for picture in pictures
    )
    # no index: other readers would not know what it is
    write_split(folder, "train", samples, class_count=len(classes), shard_images=DEFAULT_SHARD_IMAGES, indexed=False)


def _meta(picture: Picture) -> dict[str, object]:
    if picture.label == picture.annotated:
        return picture.meta.facts()
    # readers take the label from the json too: it must be the one that was exported
    annotation = picture.meta.annotation.model_copy(update={"label": picture.annotated})
    return picture.meta.model_copy(update={"annotation": annotation}).facts()


def hugging_face(folder: Path, pictures: Iterable[Picture], classes: list[str]) -> None:
    """Write the images and `metadata.jsonl`, which names the file of each; the card's head describes its columns."""
    with _text(folder / "metadata.jsonl") as table:
        for number, picture in enumerate(pictures):
            file = f"images/{number // FOLDER_IMAGES:05d}/{picture.key}.png"
            if number % FOLDER_IMAGES == 0:
                make_folder((folder / file).parent, parents=True)
            write_file(folder / file, picture.png)
            _write_line(table, {"file_name": file, "key": picture.key, **picture.row()})


def _text(path: Path) -> TextIO:
    # newline: the same bytes on every system
    return io.TextIOWrapper(open_to_write(path), encoding="utf-8", newline="\n")


def _write_line(table: TextIO, values: dict[str, object]) -> None:
    table.write(json.dumps(values, ensure_ascii=False) + "\n")


FORMATS: dict[str, Format] = {
    "imagefolder": Format(
        image_folder,
        "a folder for each class, for torchvision",
        'torchvision.datasets.ImageFolder("FOLDER")\n'
        'datasets.load_dataset("imagefolder", data_dir="FOLDER", split="train")',
        named=True,
    ),
    "webdataset": Format(
        web_dataset,
        "shards",
        'webdataset.WebDataset(sorted(glob("FOLDER/*.tar")), shardshuffle=False)\n'
        'datasets.load_dataset("webdataset", data_files="FOLDER/*.tar", split="train")',
    ),
    "hf": Format(
        hugging_face,
        "a folder that Hugging Face's load_dataset reads with class names",
        'datasets.load_dataset("FOLDER", split="train")',
        described=True,
    ),
}


def write_layout(folder: Path, to: str, pictures: Iterable[Picture], classes: list[str]) -> None:
    """Write images in the layout `to`, and the names of the classes, so that importing them again keeps these."""
    layout = FORMATS[to]
    layout.write(folder, pictures, classes)
    numbers = [str(label) for label in range(len(classes))]
    write_class_names(folder, classes, class_folders(classes) if layout.named else numbers)
