"""StyleGAN's sets: classes are what dataset.json says, packed and unpacked."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BadInput
from shared.sources.folders import folder
from shared.sources.reading import Reading
from tests.jobs.preprocess.test_tars import encoded
from tests.shared.sources.test_packed import write_tar, write_zip


def members(labels: Any, top: str = "", count: int = 12) -> dict[str, bytes]:
    """Return the files of a set as dataset_tool.py lays them out, two folders of images and the list."""
    names = [f"{index // 8:05d}/img{index:08d}.png" for index in range(count)]
    if labels is ...:
        labels = [[name, (7, 10, 2)[index % 3]] for index, name in enumerate(names)]
    made = {f"{top}{name}": encoded(index, "PNG") for index, name in enumerate(names)}
    return {**made, f"{top}dataset.json": json.dumps({"labels": labels}).encode()}


def write_folder(place: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, payload in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(payload)
    return place


@pytest.mark.parametrize("top", ["", "ffhq/"])
@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_the_list_says_the_classes(tmp_path: Path, kind: str, top: str) -> None:
    """Its folders 00000 and 00001 are no classes; numbers are in numeric order."""
    write = {"folder": write_folder, "zip": write_zip, "tar": write_tar}[kind]
    source = folder(write(tmp_path / f"set.{kind}", members(..., top)), Reading())
    assert source.classes == ("2", "7", "10")
    assert Counter(item.label for item in source.items) == {0: 4, 1: 4, 2: 4}
    first = source.items[0]
    assert (source.classes[first.label], first.origin["file"]) == ("7", f"{top}00000/img00000000.png")
    assert first.read() == encoded(0, "PNG")
    assert (source.partition, source.ignored, list(source.warnings)) == (None, 0, [])


@pytest.mark.parametrize("labels", [None, [], {}])
def test_a_set_without_labels_is_refused_where_labels_are_wanted(tmp_path: Path, labels: Any) -> None:
    """Its folders would be read as classes; where nobody asks for labels the images are read."""
    place = write_folder(tmp_path, members(labels))
    with pytest.raises(BadInput, match=r'dataset\.json has no labels \("labels": null\), and its folders are no cla'):
        folder(place, Reading())
    assert len(folder(place, Reading(labelled=False, least_classes=0)).items) == 12


def test_images_that_are_not_listed_have_no_label(tmp_path: Path) -> None:
    """They are left out and counted; what is listed and not there is put aside with its reason."""
    rows = [[f"00000\\img{index:08d}.png", index % 2] for index in range(6)]
    rows += [["00000/gone.png", 1], ["00000/img00000006.png", -1]]
    source = folder(write_folder(tmp_path, members(rows) | {"notes.txt": b"x"}), Reading())
    assert [source.classes[item.label] for item in source.items[:6]] == ["0", "1"] * 3
    assert len(source.items) == 7
    with pytest.raises(ValueError, match=r"not there, dataset\.json names it"):
        source.items[6].read()
    assert source.ignored == 6 + 1
    assert "files without the suffix of an image, not taken: 1 (notes.txt)" in source.warnings


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["00000/img00000000.png", [0.5, 0.5]]], "the label of '00000/img00000000.png' is [0.5, 0.5]; want a whole"),
        ([["00000/img00000000.png", 0.5]], "is 0.5; want a whole number"),
        ([["00000/img00000000.png", True]], "is True; want a whole number"),
        (["00000/img00000000.png"], "is no [file, class]; want StyleGAN's list"),
        ([[1, 2]], "is no [file, class]"),
    ],
)
def test_a_list_of_something_else_is_refused(tmp_path: Path, rows: Any, said: str) -> None:
    """Vectors, as for conditions that are no classes, have no class to judge by."""
    with pytest.raises(BadInput) as caught:
        folder(write_folder(tmp_path, members(rows)), Reading())
    assert said in str(caught.value)


@pytest.mark.parametrize("payload", [b"{}", b"[1, 2]", b"no json", b'{"name": "mine"}'])
def test_a_file_of_that_name_from_another_tool_is_one_that_is_no_image(tmp_path: Path, payload: bytes) -> None:
    """Folders are the classes then."""
    source = folder(write_folder(tmp_path, members(...) | {"dataset.json": payload}), Reading())
    assert source.classes == ("00000", "00001")
    assert "dataset.json" in " ".join(source.warnings)


def test_a_file_that_is_listed_twice(tmp_path: Path) -> None:
    """With one label it counts once; with two nobody can tell which is meant."""
    rows = [[f"00000/img{index:08d}.png", index % 2] for index in range(8)]
    source = folder(write_folder(tmp_path, members([*rows, ["./00000/img00000003.png", 1.0]])), Reading())
    assert Counter(item.label for item in source.items) == {0: 4, 1: 4}
    with pytest.raises(BadInput, match=r"lists 00000/img00000003\.png twice, with the labels 1 and 0; want one label"):
        folder(write_folder(tmp_path, members([*rows, ["00000/img00000003.png", 0]])), Reading())
