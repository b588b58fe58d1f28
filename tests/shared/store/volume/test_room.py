"""Room on the disk: estimated before the work, said, and refused where not even the least fits."""

import errno
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared.errors import BadInput
from shared.format.sample import Sample
from shared.format.shards import write_split
from shared.store.volume.room import Need, check_room, need_of_images, taken_by

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return `free(count)`: from then on every disk has this many bytes free."""
    return lambda count: monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2 * count, count, count))


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize(("size_px", "channels"), [(8, 1), (64, 3)])
def test_shards_take_no_more_and_no_less(size_px: int, channels: int, noise: bool, tmp_path: Path) -> None:
    """Flat pictures take the least, noise at most the most that was estimated."""
    rng = np.random.default_rng(0)
    shape = (size_px, size_px, channels)
    samples = [
        Sample(
            key=f"k{number}",
            image=rng.integers(0, 256, shape, dtype=np.uint8) if noise else np.zeros(shape, np.uint8),
            label=0,
            meta={"origin": {"sha256": "0" * 64, "file": "a folder/" * 20 + f"{number}.png"}},
        )
        for number in range(64)
    ]
    write_split(tmp_path, "train", samples, class_count=1, shard_images=64)
    need = need_of_images(len(samples), size_px, channels)
    # archives are padded to whole records
    assert need.least - 10240 <= taken_by(tmp_path).size_bytes <= need.most + 10240
    assert need.most < 1.5 * taken_by(tmp_path).size_bytes or not noise


def test_what_is_needed_is_said(free: Callable[[int], None], tmp_path: Path) -> None:
    """The most and what is free, in words, and a warning where the most may not fit; nothing of small work."""
    said: list[str] = []
    free(500_000_000)
    check_room(tmp_path, Need(100_000_000, 400_000_000), "10 images", said.append)
    check_room(tmp_path, Need(100_000_000, 600_000_000), "10 images", said.append)
    check_room(tmp_path, Need(1_000_000, 90_000_000), "10 images", said.append)
    free(80_000_000)
    check_room(tmp_path, Need(1_000_000, 90_000_000), "10 images", said.append)
    plain, tight, small = said
    assert plain == "disk: 10 images take up to 400 MB, 500 MB free"
    assert "warning" in tight
    assert small.startswith("disk: 10 images take up to 90 MB, 80 MB free; warning")


def test_replicates_side_by_side_need_the_sum(free: Callable[[int], None], tmp_path: Path) -> None:
    """Each would fit alone: what all of them take is said, with a warning where that does not fit."""
    said: list[str] = []
    for count in (500_000_000, 300_000_000):
        free(count)
        check_room(tmp_path, Need(1, 80_000_000), "snapshots", said.append, among=5)
    assert said[0] == "disk: snapshots take up to 80 MB, those of 5 replicates up to 400 MB, 500 MB free"
    assert said[1].startswith(
        "disk: snapshots take up to 80 MB, those of 5 replicates up to 400 MB, 300 MB free; warning"
    )


@pytest.mark.fault(11)
def test_work_that_cannot_fit_is_refused(free: Callable[[int], None], tmp_path: Path) -> None:
    """Bad input, with both numbers and what to do; the folder need not be there yet."""
    free(5_000_000)
    with pytest.raises(BadInput, match=r"5 MB free, 10 images take at least 6 MB\nmake room .*`halfreal clean`"):
        check_room(tmp_path / "not" / "there", Need(6_000_000, 9_000_000), "10 images", print)


def test_what_was_written_already_is_not_needed_again(free: Callable[[int], None], tmp_path: Path) -> None:
    """A resumed job has most of its files: the rest of them fits."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "shard").write_bytes(bytes(900_000))
    free(200_000)
    check_room(tmp_path, Need(1_000_000, 1_000_000), "10 images", print)
    with pytest.raises(BadInput):
        check_room(tmp_path, Need(1_200_000, 1_200_000), "10 images", print)


def test_a_folder_that_vanishes_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may remove what is measured."""
    (tmp_path / "a").write_bytes(b"four")
    assert taken_by(tmp_path).size_bytes == 4
    monkeypatch.setattr("os.scandir", _gone)
    assert taken_by(tmp_path).size_bytes == 0


def _gone(path: Path) -> None:
    raise FileNotFoundError(errno.ENOENT, "gone", str(path))
