"""An export that is imported again has the classes that it was made with, in every layout."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from jobs.export.formats import FORMATS, write_layout
from jobs.export.pictures import Picture
from shared.format.sample import Sample, encode
from shared.sources.labels import CLASS_NAMES, class_names
from shared.sources.reading import Reading
from shared.sources.table import SOURCES
from shared.store.records.datasets import SampleMeta

CLASSES = ["owl", "a/b", "CON .", "7"]
"""Out of alphabetical order, with names that can be no folder's, and one that is another class's number."""


def exported(folder: Path, to: str, classes: list[str]) -> Path:
    """Write an export of three images of each class in a layout, as the command does."""
    folder.mkdir()
    pictures = []
    for number in range(3 * len(classes)):
        label = number % len(classes)
        meta = SampleMeta.model_validate(
            {
                "origin": {"generator_sha256": "0" * 64, "snapshot": "a", "latent_seed": number, "asked_label": label},
                "annotation": {"confidence": 0.9, "classifier_sha256": "0" * 64},
            }
        )
        image = np.full((8, 8, 3), number, np.uint8)
        png = encode(Sample(key=f"s{number}", image=image, label=label, meta={}))["png"]
        pictures.append(
            Picture(key=f"s{number:03d}", png=png, label=label, annotated=label, asked=label, confidence=0.9, meta=meta)
        )
    write_layout(folder, to, pictures, classes)
    return folder


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    "classes",
    [CLASSES, ["cat", "dog"], ["1", "2", "0"], ["10", "2", "3"]],
    ids=["odd", "plain", "permuted", "numbers"],
)
@pytest.mark.parametrize("to", FORMATS)
def test_names_are_kept(to: str, classes: list[str], tmp_path: Path) -> None:
    """Each image has the class of its name, and classes keep their order."""
    folder = exported(tmp_path / "out", to, classes)
    source = SOURCES["webdataset" if to == "webdataset" else "folder"].read.get()(folder, Reading())
    assert list(source.classes) == classes
    assert [item.label for item in source.items].count(0) == 3
    for item in source.items:
        (shade,) = {int(value) for value in np.unique(np.asarray(item.decode(item.read())))}
        assert item.label == shade % len(classes)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "[" * 9999, '{"classes": ["a"], "labels": ["0"]}'),
        *(f'{{"format": "halfreal classes", "classes": {names}, "labels": ["0"]}}' for names in ("[1]", "null", "[]")),
    ],
)
def test_a_file_of_another_tool_says_nothing(text: str, tmp_path: Path) -> None:
    """Other tools have a `classes.json`, too: only an export's own has names."""
    (tmp_path / CLASS_NAMES).write_text(text)
    assert class_names(tmp_path) == {}
    (tmp_path / CLASS_NAMES).unlink()
    assert class_names(tmp_path) == {}


def test_labels_that_are_of_no_export_stay(tmp_path: Path) -> None:
    """Where a folder was added to an export, all are classes by the names that they have."""
    folder = exported(tmp_path / "out", "imagefolder", CLASSES)
    shutil.copytree(folder / "class-0", folder / "dog")
    source = SOURCES["folder"].read.get()(folder, Reading())
    assert list(source.classes) == ["class-0", "class-1", "class-2", "class-3", "dog"]
