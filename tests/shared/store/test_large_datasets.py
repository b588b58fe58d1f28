"""Datasets of several pages: opened without a page or the sizes of their shards, and refused where they are wrong.

Pages have three shards here, so that a few shards are a large dataset.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import FormatError
from shared.format import pages
from shared.format.index import read_at
from shared.format.manifest import MANIFEST
from shared.store.artifacts import KEPT_INDEXES, Artifact, open_artifact
from tests.checks.scale import opening

MakeDataset = Callable[..., Artifact]


@pytest.fixture
def large(make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """Thirty images in eight shards, on three pages, and a small val split."""
    monkeypatch.setattr(pages, "PAGE_SHARDS", 3)
    return make_dataset(train=30, val=2)


def _opened(artifact: Artifact) -> Artifact:
    return open_artifact(artifact.folder, "dataset", "preprocess")


def test_a_large_dataset_gives_its_samples_in_order(large: Artifact) -> None:
    """Shards come page by page in reading order, by going through them and by place; so do samples."""
    real = _opened(large)
    shards = real.shards("train")
    assert [page.shards for page in real.dataset.splits["train"].pages] == [3, 3, 2]
    assert len(shards) == 8
    assert [path.name for path, _ in shards] == [f"train-0000{number}.tar" for number in range(8)]
    assert [shards[place] for place in range(8)] == list(shards)
    assert shards[1:8:3] == list(shards)[1:8:3]
    assert [key for key, _ in real.members("train")] == [f"train{number:04d}" for number in range(30)]


def test_opening_reads_no_page_and_no_size(large: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only names are compared: pages and sizes of shards are looked at when a shard is read."""
    sizes: list[str] = []
    stat = Path.stat

    def noted(path: Path, **options: bool) -> Any:
        sizes.append(path.name)
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", noted)
    monkeypatch.setattr(pages, "read_whole", pytest.fail)
    real = _opened(large)
    assert real.dataset.splits["train"].count == 30
    assert len(real.shards("train")) == 8
    assert not [name for name in sizes if name.endswith((".tar", ".idx"))]


def test_a_small_dataset_has_every_size_compared(make_dataset: MakeDataset) -> None:
    """With a page for each split a shard or an index that is cut off is noticed on opening, before work begins."""
    for name in ("train-00001.tar", "val-00000.idx"):
        real = make_dataset(train=9, val=2)
        path = real.folder / name
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises(FormatError, match=rf"(?s){name}: \d+ bytes, its manifest says .*preprocess --force"):
            _opened(real)
        shutil.rmtree(real.folder)


@pytest.mark.parametrize("name", ["train-00001.tar", "train-00007.idx", "val-00000.tar"])
@pytest.mark.parametrize("pages_of", [3, 1000])
def test_a_missing_file_is_named_on_opening(
    make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, name: str, pages_of: int
) -> None:
    """A shard or an index too few is named, with what makes the dataset again, in small and large datasets."""
    monkeypatch.setattr(pages, "PAGE_SHARDS", pages_of)
    real = make_dataset(train=30, val=2)
    (real.folder / name).unlink()
    with pytest.raises(FormatError, match=rf"(?s){name}: missing.*halfreal preprocess --force"):
        _opened(real)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("train-00008.tar", "a shard"),
        ("other-00000.tar", "a shard"),
        ("val-00001.idx", "an index of a shard"),
    ],
)
@pytest.mark.parametrize("pages_of", [3, 1000])
def test_a_file_that_is_not_listed_is_refused(
    make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, name: str, said: str, pages_of: int
) -> None:
    """A shard or an index too many is refused by its name: it would be left out of every split without a word."""
    monkeypatch.setattr(pages, "PAGE_SHARDS", pages_of)
    real = make_dataset(train=30, val=2)
    shutil.copy(real.folder / f"train-00000{name[-4:]}", real.folder / name)
    with pytest.raises(FormatError, match=f"{name}: {said} that the manifest does not list; move it away"):
        _opened(real)


def test_a_shard_that_took_the_place_of_another_is_refused_when_it_is_read(large: Artifact) -> None:
    """The number of names is right, so opening says nothing; reading does, and says what to do."""
    (large.folder / "train-00004.tar").rename(large.folder / "train-00044.tar")
    real = _opened(large)
    with pytest.raises(FormatError, match=r"(?s)train-00004\.tar: missing.*halfreal preprocess --force"):
        list(real.members("train"))


def test_a_damaged_page_says_what_makes_the_dataset_again(large: Artifact) -> None:
    """Every way to a shard's record checks its page: going through, by place, as a slice."""
    path = large.folder / "train-shards-00001.json"
    path.write_bytes(path.read_bytes().replace(b'"count":4', b'"count":5', 1))
    ways: list[Callable[[Artifact], object]] = [
        lambda real: list(real.shards("train")),
        lambda real: real.shards("train")[4],
        lambda real: real.shards("train")[:4],
        lambda real: real.index("train", 4),
        lambda real: list(real.members("train")),
    ]
    for way in ways:
        real = _opened(large)
        with pytest.raises(FormatError, match=r"(?s)train-shards-00001\.json: altered.*halfreal preprocess --force"):
            way(real)


def test_an_index_finds_every_sample(large: Artifact) -> None:
    """The rows of a shard's index, in order, give the samples that reading the shard gives."""
    real = _opened(large)
    shards = real.shards("train")
    found = [read_at(shards[number][0], row) for number in range(len(shards)) for row in real.index("train", number)]
    assert found == list(real.members("train"))


def test_the_last_indexes_are_kept(make_dataset: MakeDataset) -> None:
    """An index is read once while it is among the last ones, and their number is bounded."""
    real = make_dataset(train=4 * (KEPT_INDEXES + 2))
    first = real.index("train", 0)
    (real.folder / "train-00000.idx").unlink()
    np.testing.assert_array_equal(real.index("train", 0), first)
    for number in range(1, KEPT_INDEXES + 1):
        real.index("train", number)
    with pytest.raises(FormatError, match=r"(?s)train-00000\.idx: missing.*halfreal preprocess --force"):
        real.index("train", 0)


def test_a_page_that_is_missing_or_cut_off_is_noticed_on_opening(large: Artifact) -> None:
    """Pages are few: the size of each is compared."""
    path = large.folder / "train-shards-00002.json"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match=r"train-shards-00002\.json: \d+ bytes, its manifest says"):
        _opened(large)
    path.unlink()
    with pytest.raises(FormatError, match=r"train-shards-00002\.json: missing"):
        _opened(large)


def test_a_manifest_of_version_2_is_small(large: Artifact) -> None:
    """A manifest grows with pages, not with shards."""
    assert b"train-00000.tar" not in (large.folder / MANIFEST).read_bytes()


@pytest.mark.slow
def test_a_hundred_thousand_shards_are_opened_within_bounds(tmp_path: Path) -> None:
    """Less than 10 MB is read and 200 MB are held, by a whole process; `tests.checks.scale` measures the time too."""
    opening.make(tmp_path, opening.SHARDS, opening.CLASSES, classes_each=10)
    found = opening.opened(tmp_path)
    assert found["found"] == [opening.SHARDS, opening.SHARDS * opening.SHARD_IMAGES, opening.CLASSES]
    assert found["bytes"] < opening.MOST["bytes"]
    assert found["peak"] < opening.MOST["peak"]
