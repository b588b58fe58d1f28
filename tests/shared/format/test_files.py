import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.errors import FormatError
from shared.format.files import json_bytes, read_whole, sha256, write_json


def test_sha256_is_the_published_hash() -> None:
    """The sha256 of "abc" is the one in FIPS 180-2, appendix B.1."""
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


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
