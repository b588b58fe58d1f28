"""Pixels that somebody uses are not cleaned away, and a process that is gone uses none."""

import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared.data.decoded import in_use
from shared.data.decoded.in_use import PIXELS, USED, is_used, remove, use
from shared.store.locking.owner import Owner, new_owner
from shared.store.locking.taking import take


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pixels."""
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / PIXELS).touch()
    return tmp_path / "set"


def plant(path: Path, owner: Owner, silent_s: float = 0.0) -> None:
    """Leave the lock of `owner`, which beat so long ago."""
    path.write_bytes(owner.to_line() + b"%010d\n" % 0)
    os.utime(path, (time.time() - silent_s,) * 2)


def test_any_number_use_it_and_the_last_frees_it(folder: Path) -> None:
    """Two uses of one process too; one that cleans after its own use does not count that."""
    first, second = use(folder, make=False), use(folder, make=True)
    assert first is not None
    assert second is not None
    assert is_used(folder)
    assert not remove(folder)
    first.release()
    assert not remove(folder)
    assert remove(folder, second)
    assert not folder.exists()


def test_the_last_use_is_dated(folder: Path) -> None:
    """What was used longest ago is cleaned first."""
    (folder / USED).touch()
    os.utime(folder / USED, (1, 1))
    held = use(folder, make=False)
    assert held is not None
    held.release()
    assert (folder / USED).stat().st_mtime > time.time() - 60
    assert sorted(path.name for path in folder.iterdir()) == [PIXELS, USED]


@pytest.mark.parametrize(
    ("owner", "silent_s", "used"),
    [
        (replace(new_owner(), started=1), 0.0, False),
        (replace(new_owner(), host="elsewhere"), 60.0, True),
        (replace(new_owner(), host="elsewhere"), 3601.0, False),
    ],
    ids=["killed here", "at work elsewhere", "lost elsewhere"],
)
def test_a_process_that_is_gone_uses_nothing(owner: Owner, silent_s: float, used: bool, folder: Path) -> None:
    """One of this machine at once; one of another after an hour in which its lock did not beat."""
    plant(folder / "use-0123.lock", owner, silent_s)
    assert is_used(folder) == used
    assert remove(folder) != used
    assert folder.exists() == used


def test_the_next_user_removes_the_locks_of_killed_ones(folder: Path) -> None:
    """They would stay until the pixels go."""
    plant(folder / "use-0123.lock", replace(new_owner(), started=1))
    plant(folder / "piece-00002.lock", replace(new_owner(), started=1))
    held = use(folder, make=False)
    assert held is not None
    held.release()
    assert sorted(path.name for path in folder.iterdir()) == [PIXELS, USED]


def test_a_user_who_comes_while_it_is_cleaned_waits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the folder gone, or makes it again."""
    cleaning = take(folder / in_use.CLEANING)
    assert cleaning is not None
    waits = []

    def waited(seconds: float) -> None:
        waits.append(seconds)
        (folder / PIXELS).unlink()
        cleaning.release()
        folder.rmdir()

    monkeypatch.setattr("shared.store.locking.taking.time.sleep", waited)
    with pytest.raises(FileNotFoundError):
        use(folder, make=False)
    assert len(waits) == 1


def test_pixels_on_a_volume_that_is_read_only_are_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cleaned away there, and nobody needs to say that it reads them; who makes them is told."""

    def refused(path: Path, payload: bytes) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("shared.store.locking.taking.write_file", refused)
    assert use(folder, make=False) is None
    with pytest.raises(OSError, match="Read-only"):
        use(folder, make=True)
    assert not remove(folder)
    assert (folder / PIXELS).exists()
