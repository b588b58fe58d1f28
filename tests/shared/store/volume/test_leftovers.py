"""What is left over on a volume: found by its name, never what is finished or held."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared.store.artifacts import Artifact
from shared.store.locking.looking import TIMEOUT
from shared.store.locking.owner import Owner, new_owner
from shared.store.locking.taking import wait_for
from shared.store.locks import locked
from shared.store.staging import BuildKey, stage
from shared.store.volume.leftovers import DRAFT, LOCK, REPLACED, UNFINISHED, leftovers, remove
from shared.store.work_shards import Shard

KEY = BuildKey("train_gan", "model", {"epochs": 3})


def unfinished(final: Path) -> Path:
    """Leave the work on an artifact unfinished; return the folder that it is in."""
    with stage(final, KEY, resumable=True) as work:
        (work.folder / "checkpoint").write_bytes(bytes(1000))
    return work.folder


def old(path: Path) -> Path:
    """Make a file or a folder, and what is in it, a day old."""
    for each in (path, *path.rglob("*")):
        os.utime(each, (time.time() - 86400,) * 2)
    return path


@pytest.mark.fault(11)
def test_each_kind_is_found(tmp_path: Path, make_dataset: Callable[..., Artifact]) -> None:
    """Staging folders, replaced artifacts and exports, pulled ones, and files that were being written."""
    made = make_dataset(tmp_path / "small" / "real", train=3).folder
    staging = unfinished(tmp_path / "small" / "gan" / "r00")
    replaced, pulled, draft = made.parent / ".real-replaced", made.parent / ".real-pulled", made.parent / ".a.png.part"
    for folder in (replaced, pulled, made.parent / ".cache", tmp_path / "sources" / ".mine-replaced"):
        folder.mkdir(parents=True)
    (replaced / "shard").write_bytes(bytes(500))
    draft.write_bytes(bytes(20))
    found = {each.path: (each.kind, each.taken.size_bytes, each.held) for each in leftovers(tmp_path)}
    (size_bytes,) = (size for _, size, _ in [found.pop(staging)])
    assert size_bytes > 1000
    assert found == {
        pulled: (DRAFT, 0, False),
        replaced: (REPLACED, 500, False),
        draft: (DRAFT, 20, True),  # just written: somebody may be at it
    }
    old(draft)
    assert [each.held for each in leftovers(tmp_path) if each.path == draft] == [False]


def test_what_may_be_the_only_copy_stays(tmp_path: Path) -> None:
    """A job that was killed between its two renames leaves the old artifact under the hidden name alone."""
    (tmp_path / ".real-replaced").mkdir()
    (tmp_path / ".webdataset.replaced").mkdir()
    assert list(leftovers(tmp_path)) == []


@pytest.mark.parametrize("shard", [None, Shard(1, 2)])
def test_what_is_held_is_neither_free_nor_removed(shard: Shard | None, tmp_path: Path) -> None:
    """By the lock of the artifact, or of a part of the work; afterwards it may go, and leaves nothing."""
    staging = unfinished(tmp_path / "gan" / "r00")
    (free,) = leftovers(tmp_path)
    assert (free.kind, free.held) == (UNFINISHED, False)
    with locked(tmp_path / "gan" / "r00", shard):
        (held,) = leftovers(tmp_path)
        assert held.held
        assert not remove(free)
        assert staging.is_dir()
    assert remove(free)
    assert [path for path in (tmp_path / "gan").iterdir() if not path.name.endswith(".lock")] == []


def test_it_is_as_old_as_its_youngest_file(tmp_path: Path) -> None:
    """A checkpoint that is written again makes no folder younger."""
    staging = old(unfinished(tmp_path / "gan"))
    (found,) = leftovers(tmp_path)
    assert 86000 < found.unused_s < 87000
    (staging / "checkpoint").write_bytes(b"again")
    (found,) = leftovers(tmp_path)
    assert found.unused_s < 100


def lock_of(folder: Path, name: str, owner: Owner | None) -> Path:
    """Leave a lock, or an empty file in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"" if owner is None else owner.to_line() + b"1")
    return path


NAMES = (".r00.lock", ".r00-part-1.lock", ".r00-looking.lock", ".r00.lock.0123456789abcdef.new")


@pytest.mark.parametrize("name", NAMES)
def test_locks_that_nobody_holds_are_left_over(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a process that is gone at once; empty ones, of a crash or an earlier version, when they are old."""
    monkeypatch.setenv(TIMEOUT, "0.1")
    for owner in (replace(new_owner(), started=1), None):
        path = lock_of(tmp_path / "small" / "gan", name, owner)
        assert [each.kind for each in leftovers(tmp_path)] == ([LOCK] if owner else [])
        old(path)
        (found,) = leftovers(tmp_path)
        assert (found.path, found.final.name, found.held) == (path, "r00", False)
        assert remove(found)
        assert not path.exists()


def test_a_lock_that_may_be_held_stays(tmp_path: Path) -> None:
    """One of another machine, of which nothing was heard yet, however old its file is."""
    old(lock_of(tmp_path, ".r00.lock", replace(new_owner(), host="elsewhere")))
    assert list(leftovers(tmp_path)) == []


def test_a_lock_that_is_taken_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the list and the removal another process may have taken the empty one over."""
    monkeypatch.setenv(TIMEOUT, "0.1")
    path = old(lock_of(tmp_path, ".r00.lock", None))
    (found,) = leftovers(tmp_path)
    hold = wait_for(path)
    assert not remove(found)
    hold.release()


@pytest.mark.parametrize("name", [".r00-0123456789ab", ".r00-replaced", ".r00-removed"])
def test_what_a_link_leads_to_stays(name: str, tmp_path: Path) -> None:
    """Somebody has put it in the place of a folder of ours: the link goes, and nothing else."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "photo").write_bytes(bytes(5000))
    (tmp_path / "volume" / "r00").mkdir(parents=True)
    (tmp_path / "volume" / name).symlink_to(tmp_path / "theirs")
    (found,) = leftovers(tmp_path / "volume")
    assert found.taken.size_bytes == 0
    assert remove(found)
    assert not (tmp_path / "volume" / name).is_symlink()
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["photo"]
