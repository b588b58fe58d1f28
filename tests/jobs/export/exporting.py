"""Readers of other tools, and the command, for the tests of export."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from jobs.__main__ import main as halfreal
from jobs.export.formats import FORMATS
from shared.store.artifacts import Artifact

Features = dict[bytes, list[int]]
"""Labels by the bytes of the pixels: two images may be equal."""

every_format = pytest.mark.parametrize("to", tuple(FORMATS))
quiet = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves its shards open


def export(root: Path, out: Path, *words: object) -> Result:
    """Return the result of the command on the experiment `small`."""
    place = ["--data-root", str(root), "--experiment", "small", "--out", str(out)]
    return CliRunner().invoke(halfreal, ["export", *place, *map(str, words)])


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder`."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def held(synthetic: Artifact, label: Callable[[dict[str, Any], int], int], least: float = 0.0) -> Features:
    """Return the images in the shards of at least this confidence, with the label that `label` picks."""
    seen: Features = {}
    for _, members in synthetic.members("train"):
        meta = json.loads(members["json"])
        if meta["annotation"]["confidence"] >= least:
            _add(seen, Image.open(io.BytesIO(members["png"])), label(meta, int(members["cls"])))
    return seen


def annotated(meta: dict[str, Any], cls: int) -> int:
    """Return the annotator's label."""
    return cls


def asked(meta: dict[str, Any], cls: int) -> int:
    """Return the requested class."""
    return int(meta["origin"]["asked_label"])


def _add(seen: Features, picture: Any, label: int) -> None:
    pixels: NDArray[np.uint8] = np.asarray(picture.convert("RGB"))
    seen.setdefault(pixels.tobytes(), []).append(label)


def by_torchvision(folder: Path, cache: Path) -> Features:
    """Read an image folder with torchvision."""
    from torchvision.datasets import ImageFolder

    seen: Features = {}
    for picture, label in ImageFolder(str(folder)):
        _add(seen, picture, label)
    return seen


def by_webdataset(folder: Path, cache: Path) -> Features:
    """Read shards with webdataset."""
    import webdataset

    seen: Features = {}
    for sample in webdataset.WebDataset(sorted(map(str, folder.glob("*.tar"))), shardshuffle=False):
        _add(seen, Image.open(io.BytesIO(sample["png"])), int(sample["cls"]))
    return seen


def load(cache: Path, *words: str, **settings: str) -> Any:
    """Return what Hugging Face datasets loads as the split train, without a network."""
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(*words, split="train", cache_dir=str(cache), **settings)


def _rows(rows: Any, picture: str = "image", label: str = "label") -> Features:
    seen: Features = {}
    for row in rows:
        _add(seen, row[picture], row[label])
    return seen


def by_datasets_as_folder(folder: Path, cache: Path) -> Features:
    """Read an image folder with datasets' own loader."""
    return _rows(load(cache, "imagefolder", data_dir=str(folder)))


def by_datasets_as_shards(folder: Path, cache: Path) -> Features:
    """Read shards with datasets' own loader."""
    return _rows(load(cache, "webdataset", data_files=str(folder / "*.tar")), "png", "cls")


def by_datasets(folder: Path, cache: Path) -> Features:
    """Read a folder of the layout hf with datasets."""
    return _rows(load(cache, str(folder)))


def by_datasets_shards_by_place(folder: Path, cache: Path) -> Features:
    """Let datasets detect the layout of a folder of shards."""
    return _rows(load(cache, str(folder)), "png", "cls")


READERS = [
    ("imagefolder", by_torchvision),
    ("imagefolder", by_datasets_as_folder),
    ("imagefolder", by_datasets),
    ("webdataset", by_webdataset),
    ("webdataset", by_datasets_as_shards),
    ("webdataset", by_datasets_shards_by_place),
    ("hf", by_datasets),
]
