"""Where decoded pixels are kept, and what is cleaned away."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.data.decoded import places
from shared.data.decoded.places import in_memory, make_room, volume_of
from shared.data.images import load_split
from shared.errors import BadConfig
from shared.store.artifacts import Artifact

MakeDataset = Callable[..., Artifact]
DAY_S = 24 * 3600


class Usage(NamedTuple):
    free: int


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the free bytes of a pretended disk, which a test may change."""
    free = [10**12]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free[0]))
    return free


@pytest.mark.parametrize(
    ("folder", "volume"),
    [
        ("/data/digits/real", "/data"),
        ("/data/digits/real/r01", "/data"),
        ("/data/digits/synthetic/r00", "/data"),
        ("/data/digits/study/images-5/real", "/data"),
        ("/data/digits/study/images-5/synthetic/r02", "/data"),
    ],
)
def test_files_are_on_the_volume_of_their_dataset(folder: str, volume: str) -> None:
    """Experiments and replicates of one volume share a cache."""
    assert volume_of(Path(folder)) == Path(volume)


def test_a_file_system_in_memory_is_none_to_write_to(tmp_path: Path) -> None:
    """The innermost mount says what it is, also of folders that are not there yet."""
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir():
        pytest.skip("no /dev/shm here")
    assert in_memory(shared_memory)
    assert in_memory(shared_memory / "not" / "there")
    assert not in_memory(Path("/proc/not/there"))


def test_a_cache_in_memory_is_not_used(
    make_dataset: MakeDataset, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The volume is taken over for the next place."""
    monkeypatch.setattr(places, "in_memory", lambda folder: folder.is_relative_to(cache.parent))
    load_split(make_dataset(train=8), "train")
    assert not cache.exists()
    assert len(list((tmp_path / "temporary").glob("*/decoded/*/whole.json"))) == 1


def test_a_chosen_folder_takes_the_files(
    make_dataset: MakeDataset, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As --cache-dir says."""
    monkeypatch.setenv("HALFREAL_CACHE_DIR", str(tmp_path / "chosen"))
    load_split(make_dataset(train=8), "train")
    assert not cache.exists()
    assert len(list((tmp_path / "chosen").glob("decoded/*/whole.json"))) == 1


def entry(cache: Path, dataset: Artifact, days: float = 0) -> Path:
    """Return the folder of the pixels of a dataset, which were used some days ago."""
    before = set(cache.glob("*"))
    load_split(dataset, "train")
    (folder,) = set(cache.glob("*")) - before
    when = time.time() - days * DAY_S
    os.utime(folder / "used", (when, when))
    return folder


def three(make_dataset: MakeDataset, cache: Path, tmp_path: Path) -> list[Path]:
    """Return the folders of three datasets' pixels, used 3, 2 and 1 days ago."""
    return [entry(cache, make_dataset(tmp_path / f"e{days}" / "real", train=8, seed=days), days) for days in (3, 2, 1)]


def test_what_was_not_used_for_long_is_cleaned(
    make_dataset: MakeDataset, cache: Path, tmp_path: Path, disk: list[int]
) -> None:
    """After 30 days, however much room there is."""
    old, new = (
        entry(cache, make_dataset(tmp_path / f"e{seed}" / "real", train=8, seed=seed), days)
        for seed, days in ((1, 31), (2, 29))
    )
    assert make_room(cache, 1)
    assert [old.exists(), new.exists()] == [False, True]


def test_a_limit_cleans_what_was_used_longest_ago(
    make_dataset: MakeDataset, cache: Path, tmp_path: Path, disk: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than is needed; with a limit below what is needed nothing goes, and there is no room."""
    folders = three(make_dataset, cache, tmp_path)
    taken = [sum(file.stat().st_blocks * 512 for file in folder.iterdir()) for folder in folders]
    monkeypatch.setenv("HALFREAL_CACHE_GB", str((sum(taken) + 1) / 1e9))
    assert not make_room(cache, sum(taken) + 1000)
    assert all(folder.exists() for folder in folders)
    assert make_room(cache, 1)
    assert all(folder.exists() for folder in folders)
    assert make_room(cache, 2)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_pixels_that_are_open_stay(
    make_dataset: MakeDataset, cache: Path, tmp_path: Path, disk: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if they are the oldest: another process, or this one, reads them."""
    dataset = make_dataset(tmp_path / "e0" / "real", train=8, seed=9)
    oldest = entry(cache, dataset, 40)
    held = load_split(dataset, "train")
    os.utime(oldest / "used", (1, 1))
    others = three(make_dataset, cache, tmp_path)
    monkeypatch.setenv("HALFREAL_CACHE_GB", str(1 / 1e9))
    make_room(cache, 1)
    assert oldest.exists()
    assert not any(folder.exists() for folder in others)
    assert len(held.images) == 8
    del held
    make_room(cache, 1)
    assert not oldest.exists()


def test_some_of_the_disk_is_left_free(cache: Path, disk: list[int]) -> None:
    """Half of what is free may be taken, and 256 MB stay."""
    cache.mkdir(parents=True)
    disk[0] = 2 * 10**9
    assert make_room(cache, 10**9)
    assert not make_room(cache, 10**9 + 1)
    disk[0] = 300 << 20
    assert make_room(cache, 44 << 20)
    assert not make_room(cache, (44 << 20) + 1)


def test_what_others_have_written_of_it_is_its_own(
    make_dataset: MakeDataset, cache: Path, tmp_path: Path, disk: list[int]
) -> None:
    """A process that joins others finds room, although the disk has become fuller by their share of the same file."""
    folder = entry(cache, make_dataset(tmp_path / "e" / "real", train=8))
    taken = sum(file.stat().st_blocks * 512 for file in folder.iterdir())
    disk[0] = (256 << 20) + taken
    needed = 2 * taken
    assert make_room(cache, needed, folder.name)
    assert folder.exists()
    assert not make_room(cache, needed)


@pytest.mark.parametrize("text", ["many", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It says what came and what is wanted."""
    cache.mkdir(parents=True)
    monkeypatch.setenv("HALFREAL_CACHE_GB", text)
    with pytest.raises(BadConfig, match=f"HALFREAL_CACHE_GB={text}: want a number of GB"):
        make_room(cache, 1)
