import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import BadInput, FormatError, HalfrealError
from shared.format.files import json_bytes, read_whole, sha256, unwritable, write_json, write_whole


def test_sha256_is_the_published_hash() -> None:
    """The sha256 of "abc" is the one in FIPS 180-2, appendix B.1."""
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


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


def test_json_keeps_the_order_of_keys_and_a_line_for_each_value() -> None:
    """JSON is indented by one, keeps the order of keys and ends in a newline."""
    assert json_bytes({"b": [], "a": {"x": 0.1}}) == b'{\n "b": [],\n "a": {\n  "x": 0.1\n }\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know_are_never_written(tmp_path: Path, value: float) -> None:
    """RFC 8259 has no NaN and no infinity: writing one raises and leaves no file."""
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "numbers.json", {"score": value})
    assert list(tmp_path.iterdir()) == []


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda payload: payload[:-1],
    "emptied": lambda payload: b"",
    "extended": lambda payload: payload + b"\0",
    "altered": lambda payload: bytes([payload[0] ^ 1]) + payload[1:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_differs_from_its_record_is_refused(tmp_path: Path, damage: str) -> None:
    """Size and sha256 must both be those of the record; the error names the file."""
    payload, path = b"as it was written", tmp_path / "file"
    path.write_bytes(DAMAGES[damage](payload))
    with pytest.raises(FormatError, match=str(path)):
        read_whole(path, len(payload), hashlib.sha256(payload).hexdigest())


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    """A missing file that the manifest lists is named, with what to do."""
    with pytest.raises(FormatError, match=r"gone: missing"):
        read_whole(tmp_path / "gone", 0, hashlib.sha256(b"").hexdigest())


def test_a_file_as_recorded_is_returned(tmp_path: Path) -> None:
    """Bytes of the recorded size and sha256 come back unchanged."""
    (tmp_path / "file").write_bytes(b"content")
    assert read_whole(tmp_path / "file", 7, hashlib.sha256(b"content").hexdigest()) == b"content"


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
