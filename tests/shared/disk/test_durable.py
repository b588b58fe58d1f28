import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.disk import durable
from shared.disk.durable import unwritable, write_whole
from shared.errors import BadInput, HalfrealError


def test_a_written_file_is_alone_and_whole(tmp_path: Path) -> None:
    """Writing leaves the file under its final name and nothing else."""
    write_whole(tmp_path / "numbers", b"\x00\x01\x02")
    assert [path.name for path in tmp_path.iterdir()] == ["numbers"]
    assert (tmp_path / "numbers").read_bytes() == b"\x00\x01\x02"


class Cut(BaseException):
    """Simulated loss of power."""


def _cut(*_: object) -> None:
    raise Cut


@pytest.mark.parametrize("old", [None, b"old content"])
@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_a_write_cut_off_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, old: bytes | None
) -> None:
    """Until the rename the final name keeps the old file, or none."""
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    monkeypatch.setattr(os if place == "fsync" else Path, place, _cut)
    with pytest.raises(Cut):
        write_whole(path, b"new content")
    assert (path.read_bytes() if path.exists() else None) == old


def test_content_reaches_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is flushed, then renamed, then its folder is flushed; any other order can lose it in a power cut."""
    events = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        events.append("flush folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "flush file")  # noqa: PTH112
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        events.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_whole(tmp_path / "file", b"content")
    assert events == ["flush file", "rename", "flush folder"]


def test_an_unwritable_path_is_bad_input_unless_the_disk_is_full(tmp_path: Path) -> None:
    """The message has path, reason and what to do; a full disk is code 1, since a retry may help."""
    forbidden = unwritable(tmp_path, OSError(errno.EROFS, "Read-only file system"))
    assert type(forbidden) is BadInput
    said = "cannot be written to (Read-only file system); fix its permissions or choose another path"
    assert str(forbidden) == f"{tmp_path}: {said}"
    full = unwritable(tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    assert (type(full), full.exit_code) == (HalfrealError, 1)
    said = "cannot be written to (No space left on device); make room, then run the same command again"
    assert str(full) == f"{tmp_path}: {said}"


def test_a_folder_goes_with_all_that_is_in_it_but_not_what_links_lead_to(tmp_path: Path) -> None:
    """Files, folders and links are removed; what a link names stays, and a folder that is not there is none."""
    (tmp_path / "mine" / "below").mkdir(parents=True)
    (tmp_path / "mine" / "below" / "file").write_bytes(b"1")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kept").write_bytes(b"2")
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "other")
    for _ in range(2):
        durable.remove_tree(tmp_path / "mine", strict=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept", "other"]


def _full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


CALLS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "fsync": ("fsync", lambda path: write_whole(path, b"content")),
    "pwrite": ("pwrite", lambda path: durable.write_at(durable.open_in_place(path), b"content", 0, path)),
    "ftruncate": ("ftruncate", lambda path: durable.resize(durable.open_in_place(path), 9, path)),
}


@pytest.mark.fault(11)
@pytest.mark.parametrize("call", CALLS)
def test_an_error_of_an_open_file_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """The system names no path where a write or a flush fails: the error that leaves here does."""
    name, write = CALLS[call]
    monkeypatch.setattr(os, name, _full)
    with pytest.raises(OSError, match=rf"No space left on device: '{tmp_path}/") as caught:
        write(tmp_path / "file")
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.fault(11)
def test_an_error_of_a_write_names_its_file() -> None:
    """Linux has a device that is always full: /dev/full."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        durable.write_file(Path("/dev/full"), b"content")
