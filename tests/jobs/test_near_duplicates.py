"""Near-duplicates across splits: found where they are, not among images that are merely alike, and only reported."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jobs.pipeline import PREPROCESS
from jobs.preprocess import near_duplicates
from jobs.preprocess.__main__ import main
from jobs.preprocess.near_duplicates import Hashed, pairs, perceptual_hash, thumbnail
from shared.store.artifacts import open_output
from shared.store.records.datasets import NearDuplicates
from tests.shared.metrics.copy_rates.draws import digits

Pixels = NDArray[np.uint8]


def pictures(count: int, seed: int) -> list[Pixels]:
    """Return smooth colour images that all differ, 32 px."""
    chance = np.random.default_rng(seed)
    small = chance.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return [np.asarray(Image.fromarray(each).resize((32, 32), Image.Resampling.BICUBIC)) for each in small]


def hashed(images: list[Pixels], split: str) -> Hashed:
    """Return what is compared of images."""
    hashes = np.array([perceptual_hash(image) for image in images], dtype=np.uint64)
    keys = [f"{split}-{n}" for n in range(len(images))]
    return Hashed(keys, keys, hashes, np.array([thumbnail(each) for each in images]))


def test_a_brighter_copy_is_found_and_no_other_image() -> None:
    """Image 3 of one split is image 5 of the other, darker."""
    one, other = pictures(20, 0), pictures(20, 1)
    other[5] = (one[3] * 0.8 + 10).astype(np.uint8)
    found = list(pairs(hashed(one, "train"), hashed(other, "test"), 4))
    assert [(pair.first, pair.second) for pair in found] == [("train-3", "test-5")]


def test_digits_that_are_alike_are_not_reported() -> None:
    """Hashes alone pair many of scikit-learn's digits; pixels confirm none."""
    images = list(digits().permute(0, 2, 3, 1).numpy())
    one, other = hashed(images[:1200], "train"), hashed(images[1200:], "test")
    assert int((np.bitwise_count(one.hashes[:, None] ^ other.hashes[None]) <= 4).sum()) > 10
    assert list(pairs(one, other, 4)) == []


def test_flat_images_are_not_reported() -> None:
    """Two white images with different noise of one level are no pair."""
    chance = np.random.default_rng(0)
    white = [(254 + chance.integers(0, 2, (32, 32, 3))).astype(np.uint8) for _ in range(2)]
    assert list(pairs(hashed(white[:1], "train"), hashed(white[1:], "test"), 32)) == []


def test_blocks_find_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether all pairs are compared at a time or a few rows."""
    one = pictures(9, 0)
    whole = list(pairs(hashed(one, "train"), hashed(one[::-1], "test"), 4))
    monkeypatch.setattr(near_duplicates, "BLOCK_PAIRS", 20)
    assert list(pairs(hashed(one, "train"), hashed(one[::-1], "test"), 4)) == whole
    assert len(whole) == 9


def test_they_are_listed_counted_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with its own splits and one torn pair: warning, list, record and figure; with 0 bits no more is said."""
    train, test = pictures(12, 0), pictures(12, 1)
    test[0] = (train[0] * 0.9).astype(np.uint8)
    for split, images in (("train", train), ("test", test)):
        for number, image in enumerate(images):
            folder = tmp_path / "mine" / split / ("cat" if number % 2 else "dog")
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{number}.png")
    words = ["--data-root", str(tmp_path / "data"), "--source", "folder", "--source-path", str(tmp_path / "mine")]
    words += ["--size-px", "32", "--channels", "3"]
    assert main.main([*words, "--experiment", "e"], standalone_mode=False) in (0, None)
    assert "near-duplicates in different splits: 1 pair, such as" in "".join(capsys.readouterr())
    real = tmp_path / "data" / "e" / "real"
    (line,) = (real / "near-duplicates.jsonl").read_text().splitlines()
    assert {Path(json.loads(line)[side]).name for side in ("first_name", "second_name")} == {"0.png"}
    record = open_output(PREPROCESS, real.parent).record
    assert record.near_duplicates == NearDuplicates(bits=4, pairs=1, images=2)
    assert next(real.rglob("near_duplicates.png"), None)
    again = [*words, "--experiment", "off", "--near-duplicates-bits", "0"]
    main.main(again, standalone_mode=False)
    assert open_output(PREPROCESS, tmp_path / "data" / "off").record.near_duplicates is None
    assert not (tmp_path / "data" / "off" / "real" / "near-duplicates.jsonl").exists()
