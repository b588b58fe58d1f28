"""Near-duplicates across splits: found where they are, not among images that are merely alike, and only reported."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jobs.pipeline import PREPROCESS
from jobs.preprocess import near_duplicates
from jobs.preprocess.__main__ import main
from jobs.preprocess.near_duplicates import Hashed, Nearest, candidates, pairs, perceptual_hash, thumbnail
from shared.store.artifacts import open_output
from shared.store.records.datasets import NearDuplicates
from tests.shared.metrics.copy_rates.draws import digits

Pixels = NDArray[np.uint8]


def pictures(count: int, seed: int) -> list[Pixels]:
    """Return smooth colour images that all differ, 32 px."""
    chance = np.random.default_rng(seed)
    small = chance.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return [np.asarray(Image.fromarray(each).resize((32, 32), Image.Resampling.BICUBIC)) for each in small]


def hashed(images: list[Pixels], folder: Path) -> Hashed:
    """Return what is compared of images."""
    hashes = np.array([perceptual_hash(image) for image in images], dtype=np.uint64)
    path = folder / f"{len([*folder.iterdir()])}.f32"
    path.write_bytes(np.array([thumbnail(each) for each in images], np.float32).tobytes())
    return Hashed(hashes, path)


def found_pairs(one: Hashed, other: Hashed, bits: int) -> list[tuple[int, int]]:
    """Return the sorted pairs of places."""
    return sorted((int(i), int(j)) for block in pairs(one, other, bits) for i, j in block[["i", "j"]].tolist())


def test_a_brighter_copy_is_found_and_no_other_image(tmp_path: Path) -> None:
    """Image 3 of one split is image 5 of the other, darker."""
    one, other = pictures(20, 0), pictures(20, 1)
    other[5] = (one[3] * 0.8 + 10).astype(np.uint8)
    assert found_pairs(hashed(one, tmp_path), hashed(other, tmp_path), 4) == [(3, 5)]


@pytest.mark.parametrize("bits", [1, 3, 4, 10, 11, 32])
def test_every_pair_of_near_hashes_is_found_once(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pairs are those of comparing all with all, also where a block ends within the pairs of an image."""
    monkeypatch.setattr(near_duplicates, "BLOCK_PAIRS", 1000)
    chance = np.random.default_rng(0)
    one = chance.integers(0, 2**64, 150, dtype=np.uint64)
    flipped = np.array([sum(1 << int(n) for n in chance.choice(64, k, replace=False)) for k in range(13)], np.uint64)
    other = np.concatenate([one[:30, None] ^ flipped[None], np.repeat(one[:5], 9)[None].reshape(5, 9)], axis=None)
    expected = np.bitwise_count(one[:, None] ^ other[None])
    found = [row for block in candidates(one, other, bits) for row in zip(*map(np.ndarray.tolist, block), strict=True)]
    assert len(found) == len(set(found)) > 30
    assert sorted(found) == [(i, j, int(expected[i, j])) for i, j in np.argwhere(expected <= bits).tolist()]


def test_the_nearest_pairs_are_listed_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pairs of five are kept: the nearest by distance, then bits, then the images' names."""
    monkeypatch.setattr(near_duplicates, "MOST_LISTED", 2)
    nearest = Nearest({"train": 5, "test": 5})
    for rows in ([(0.03, 1, 4, 2), (0.02, 1, 4, 2), (0.02, 0, 0, 3)], [(0.02, 0, 0, 2), (0.05, 0, 1, 2)]):
        block = np.zeros(len(rows), near_duplicates.PAIR)
        for row, (distance, bits, i, j) in zip(block, rows, strict=True):
            row["distance"], row["bits"], row["i"], row["j"] = distance, bits, i, j
        nearest.add("train", "test", block)
    assert nearest.pairs[["distance", "bits", "i", "j"]].tolist() == [(0.02, 0, 0, 2), (0.02, 0, 0, 3)]
    assert (nearest.total, nearest.images) == (5, 3 + 2)


def test_memory_does_not_grow_with_the_thumbnails(tmp_path: Path) -> None:
    """40,000 images of which 200 are in pairs: less than a fifth of what their thumbnails take is held."""
    chance = np.random.default_rng(0)
    hashes = chance.integers(0, 2**64, 40_000, dtype=np.uint64)
    path = tmp_path / "train.f32"
    with path.open("wb") as stream:
        for _ in range(40):
            stream.write(chance.random((1000, 768), dtype=np.float32).tobytes())
    (tmp_path / "test.f32").write_bytes(np.fromfile(path, np.float32, 200 * 768).tobytes())
    one, other = Hashed(hashes, path), Hashed(hashes[:200], tmp_path / "test.f32")
    tracemalloc.start()
    assert found_pairs(one, other, 4) == [(place, place) for place in range(200)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 5


def test_digits_that_are_alike_are_not_reported(tmp_path: Path) -> None:
    """Hashes alone pair many of scikit-learn's digits; pixels confirm none."""
    images = list(digits().permute(0, 2, 3, 1).numpy())
    one, other = hashed(images[:1200], tmp_path), hashed(images[1200:], tmp_path)
    assert int((np.bitwise_count(one.hashes[:, None] ^ other.hashes[None]) <= 4).sum()) > 10
    assert found_pairs(one, other, 4) == []


def test_flat_images_are_not_reported(tmp_path: Path) -> None:
    """Two white images with different noise of one level are no pair."""
    chance = np.random.default_rng(0)
    white = [(254 + chance.integers(0, 2, (32, 32, 3))).astype(np.uint8) for _ in range(2)]
    assert found_pairs(hashed(white[:1], tmp_path), hashed(white[1:], tmp_path), 32) == []


def test_blocks_find_the_same_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether all pairs are compared at a time or a few, to the last digit of their distance."""
    one, other = hashed(pictures(9, 0), tmp_path), hashed(pictures(9, 0)[::-1], tmp_path)
    whole = np.sort(np.concatenate([*pairs(one, other, 4)]), order=["i", "j"])
    monkeypatch.setattr(near_duplicates, "BLOCK_PAIRS", 5)
    monkeypatch.setattr(near_duplicates, "BLOCK_THUMBNAILS", 2)
    assert np.array_equal(np.sort(np.concatenate([*pairs(one, other, 4)]), order=["i", "j"]), whole)
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
