"""The last two versions of a file: what is there after an end at any moment, and what never goes too early."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from shared.errors import HalfrealError
from shared.format.versions import before, drop_before, drop_newest, newest_first, write_next


@dataclass(frozen=True)
class Plain:
    """Bytes as the content of a file; a disk that `loses` something returns other bytes."""

    payload: bytes
    loses: int = 0

    def write(self, stream: BinaryIO) -> None:
        """Write the bytes."""
        stream.write(self.payload[self.loses :])

    def is_in(self, stream: BinaryIO) -> bool:
        """Whether a file has these bytes."""
        return stream.read() == self.payload


def contents(path: Path) -> list[bytes]:
    """Return what is in the versions that are there, newest first."""
    return [version.read_bytes() for version in newest_first(path)]


def test_the_last_two_versions_are_kept(tmp_path: Path) -> None:
    """The second and the third of three that were written; the names are those that the module says."""
    path = tmp_path / "state.bin"
    for payload in (b"1", b"2", b"3"):
        write_next(path, Plain(payload))
    assert contents(path) == [b"3", b"2"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["state-before.bin", "state.bin"]


@pytest.mark.parametrize("ends_at", [0, 1, 2])
def test_an_end_between_two_renames_leaves_a_whole_version(
    ends_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before any of the renames of the third version: the newest that is there is the second or the third."""
    path = tmp_path / "state.bin"
    for payload in (b"1", b"2"):
        write_next(path, Plain(payload))
    replace, renames = Path.replace, 0

    def killed(self: Path, target: Path) -> Path:
        nonlocal renames
        if renames == ends_at:
            raise SystemExit
        renames += 1
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(SystemExit):
            write_next(path, Plain(b"3"))
    assert contents(path)[0] == b"2"
    write_next(path, Plain(b"3"))
    assert contents(path)[0] == b"3"
    drop_before(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.bin"]


def test_what_reads_back_wrong_is_not_kept(tmp_path: Path) -> None:
    """The disk returns fewer bytes: an error that says so, and both versions stay as they were."""
    path = tmp_path / "state.bin"
    for payload in (b"1", b"2"):
        write_next(path, Plain(payload))
    with pytest.raises(HalfrealError, match="returns other bytes"):
        write_next(path, Plain(b"3", loses=1))
    assert contents(path) == [b"2", b"1"]
    assert len(list(tmp_path.iterdir())) == 2


def test_the_version_before_takes_the_place_of_a_damaged_one(tmp_path: Path) -> None:
    """After that the next version leaves the whole one as the one before."""
    path = tmp_path / "state.bin"
    for payload in (b"1", b"damaged"):
        write_next(path, Plain(payload))
    drop_newest(path)
    assert contents(path) == [b"1"]
    write_next(path, Plain(b"2"))
    assert contents(path) == [b"2", b"1"]
    assert before(path).read_bytes() == b"1"
