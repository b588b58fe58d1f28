"""Other readers on our shards: tarfile, webdataset and Hugging Face datasets see every sample unchanged."""

import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.format.sample import Sample
from shared.format.shards import write_split

Features = dict[str, tuple[NDArray[np.uint8], int, dict[str, Any]]]


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    array = np.asarray(picture)
    return array[:, :, None] if array.ndim == 2 else array


def _by_tarfile(paths: list[str], cache: Path) -> Features:
    members: dict[str, dict[str, bytes]] = defaultdict(dict)
    for path in paths:
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, kind = member.name.partition(".")
                stream = tar.extractfile(member)
                assert stream is not None
                members[key][kind] = stream.read()
    return {key: _opened(found) for key, found in members.items()}


def _by_webdataset(paths: list[str], cache: Path) -> Features:
    import webdataset

    samples = webdataset.WebDataset(paths, shardshuffle=False)
    return {sample["__key__"]: _opened(sample) for sample in samples}


def _opened(found: dict[str, Any]) -> tuple[NDArray[np.uint8], int, dict[str, Any]]:
    with Image.open(io.BytesIO(found["png"])) as picture:
        return _pixels(picture), int(found["cls"]), json.loads(found["json"])


def _by_datasets(paths: list[str], cache: Path) -> Features:
    import datasets

    datasets.disable_progress_bars()
    rows = datasets.load_dataset("webdataset", data_files={"train": paths}, split="train", cache_dir=str(cache))
    return {row["__key__"]: (_pixels(row["png"]), row["cls"], row["json"]) for row in rows}


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves its shards open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("read", [_by_tarfile, _by_webdataset, _by_datasets])
def test_every_sample_arrives_in_another_reader(
    read: Callable[[list[str], Path], Features],
    channels: int,
    tmp_path: Path,
    make_samples: Callable[..., list[Sample]],
) -> None:
    """Any WebDataset reader sees each sample of each shard once, in order: pixels, label and origin."""
    samples = make_samples(7, channels=channels)
    split = write_split(tmp_path, "train", samples, class_count=3, shard_images=3)
    seen = read([str(tmp_path / shard.name) for shard in split.shards], tmp_path / "cache")
    assert list(seen) == [sample.key for sample in samples]
    for sample in samples:
        pixels, label, meta = seen[sample.key]
        assert np.array_equal(pixels, sample.image)
        assert (label, meta) == (sample.label, sample.meta)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_decodes_our_labels_and_pictures_itself(
    tmp_path: Path, make_samples: Callable[..., list[Sample]]
) -> None:
    """Webdataset's own decoders give our label as int and our colour picture as the same uint8 array."""
    import webdataset

    samples = make_samples(4, channels=3)
    write_split(tmp_path, "val", samples, class_count=3, shard_images=9)
    rows = webdataset.WebDataset([str(tmp_path / "val-00000.tar")], shardshuffle=False).decode("rgb8")
    for sample, (pixels, label) in zip(samples, rows.to_tuple("png", "cls"), strict=True):
        assert np.array_equal(pixels, sample.image)
        assert label == sample.label
