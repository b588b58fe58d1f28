import os
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared.errors import FormatError
from shared.format.index import INDEX_ROW, decode_index, encode_index, index_of, members_at, read_at, read_range
from shared.format.sample import Members, Sample
from shared.format.shards import read_members, write_split

Make = Callable[..., list[Sample]]


@pytest.fixture
def shard(tmp_path: Path, make_samples: Make) -> Path:
    """Seven samples of three classes in one shard."""
    split = write_split(tmp_path, "train", make_samples(7), class_count=3, shard_images=7)
    return tmp_path / split.shards[0].name


def _members(path: Path) -> list[Members]:
    """Return what tarfile reads of a shard."""
    with tarfile.open(path) as archive:
        names = archive.getnames()
        content = {name: archive.extractfile(name).read() for name in names}  # type: ignore[union-attr]
    keys = dict.fromkeys(name.partition(".")[0] for name in names)
    return [(key, {kind: content[f"{key}.{kind}"] for kind in ("cls", "json", "png")}) for key in keys]


def test_a_row_is_20_bytes_and_a_header_16() -> None:
    """The layout is that of the specification on every machine: little-endian, packed."""
    rows = np.array([(0, 1536, 7, 0xDEADBEEF), (1536, 512, 0, 1)], INDEX_ROW)
    expected = b"halfidx\0" + struct.pack("<II", 1, 2)
    expected += struct.pack("<QIII", 0, 1536, 7, 0xDEADBEEF) + struct.pack("<QIII", 1536, 512, 0, 1)
    assert encode_index(rows) == expected
    np.testing.assert_array_equal(decode_index(expected, "train-00000.idx"), rows)


def test_rows_are_where_tarfile_finds_the_samples(shard: Path) -> None:
    """Offsets are those of tarfile's first members; a sample ends where the next begins; the sum is zlib's."""
    rows, payload = index_of(shard.read_bytes(), str(shard)), shard.read_bytes()
    with tarfile.open(shard) as archive:
        starts = [member.offset for member in archive.getmembers() if member.name.endswith(".cls")]
    assert rows["offset"].tolist() == starts
    assert rows["label"].tolist() == [0, 1, 2, 0, 1, 2, 0]
    ends = (rows["offset"] + rows["bytes"]).tolist()
    assert ends[:-1] == starts[1:]
    assert payload[ends[-1] :].strip(b"\0") == b""
    sums = [zlib.crc32(payload[start:end]) for start, end in zip(starts, ends, strict=True)]
    assert rows["crc32"].tolist() == sums


def test_a_sample_is_read_without_the_others(shard: Path) -> None:
    """Each row gives the sample that tarfile reads, also where all bytes of the others are gone."""
    rows, expected = index_of(shard.read_bytes(), str(shard)), _members(shard)
    assert [read_at(shard, row) for row in rows] == expected
    payload, row = shard.read_bytes(), rows[3]
    start, stop = int(row["offset"]), int(row["offset"]) + int(row["bytes"])
    shard.write_bytes(bytes(start) + payload[start:stop])
    assert read_at(shard, row) == expected[3]


def test_an_empty_shard_has_an_empty_index() -> None:
    """A tar without members has no rows, and its index is read back."""
    assert len(index_of(bytes(10_240), "empty.tar")) == 0
    assert len(decode_index(encode_index(np.empty(0, INDEX_ROW)), "empty.idx")) == 0


def _flipped(payload: bytes, at: int) -> bytes:
    return payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]


@pytest.mark.parametrize("member", [0, 1, 2])
@pytest.mark.parametrize("part", ["header", "content", "padding"])
def test_one_changed_bit_of_a_sample_is_refused(shard: Path, member: int, part: str) -> None:
    """Header, content and padding of each member are part of the sum; other samples are read as before."""
    rows, payload = index_of(shard.read_bytes(), str(shard)), shard.read_bytes()
    with tarfile.open(shard) as archive:
        found = archive.getmembers()[3 + member]
    at = {"header": found.offset, "content": found.offset_data, "padding": found.offset_data + found.size}[part]
    expected = read_at(shard, rows[2])
    shard.write_bytes(_flipped(payload, at))
    with pytest.raises(FormatError, match=rf"train-00000\.tar: the sample at byte {rows[1]['offset']} was altered"):
        read_at(shard, rows[1])
    assert read_at(shard, rows[2]) == expected


def test_a_shard_that_ends_before_a_sample_is_refused(shard: Path) -> None:
    """The error says how many bytes are there and how many the index wants."""
    rows, payload = index_of(shard.read_bytes(), str(shard)), shard.read_bytes()
    last = rows[-1]
    shard.write_bytes(payload[: int(last["offset"]) + 512])
    with pytest.raises(FormatError, match=rf"has 512 bytes, its index says {last['bytes']}"):
        read_at(shard, last)
    shard.unlink()
    with pytest.raises(FormatError, match=r"train-00000\.tar: missing"):
        read_at(shard, last)


def test_a_row_of_another_extent_or_label_is_refused(shard: Path) -> None:
    """A row that takes two samples for one, half a sample, or has another label does not pass for a sample."""
    rows, payload = index_of(shard.read_bytes(), str(shard)), shard.read_bytes()
    two, half, label = (rows[:1].copy()[0] for _ in range(3))
    two["bytes"] += rows[1]["bytes"]
    half["bytes"] = 512
    label["label"] = 1
    for row, said in ((two, "2 samples are there, want one"), (half, "cut off"), (label, "has label")):
        content = payload[: int(row["bytes"])]
        row["crc32"] = zlib.crc32(content)
        with pytest.raises(FormatError, match=said):
            members_at(content, row, "train-00000.tar")


def _row(change: dict[str, int]) -> bytes:
    rows = np.array([(0, 1536, 0, 1), (1536, 1536, 1, 2)], INDEX_ROW)
    for name, value in change.items():
        rows[1][name] = value
    return encode_index(rows)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "is not the index of a shard"),
        (b"halfidx", "is not the index of a shard"),
        (b"PK\3\4" + bytes(60), "is not the index of a shard"),
        (b"halfidx\0" + struct.pack("<II", 2, 0), "version 2 of an index, this build reads 1"),
        (_row({})[:-1], "55 bytes, want 56 for 2 samples"),
        (_row({}) + b"\0", "57 bytes, want 56 for 2 samples"),
        (b"halfidx\0" + struct.pack("<II", 1, 0xFFFFFFFF), "want 85899345916 for 4294967295 samples"),
        (_row({"offset": 2048}), "do not follow each other"),
        (_row({"offset": 1024}), "do not follow each other"),
        (_row({"offset": 2**64 - 512}), "do not follow each other"),
        (_row({"bytes": 100}), "do not follow each other"),
        (_row({"bytes": 0}), "do not follow each other"),
    ],
)
def test_what_is_no_index_is_refused(payload: bytes, said: str) -> None:
    """Another file, another version, a cut and rows that leave a gap or overlap are refused with the file's name."""
    with pytest.raises(FormatError, match=rf"train-00000\.idx: .*{said}"):
        decode_index(payload, "train-00000.idx")


@pytest.mark.parametrize("payload", [b"no tar" * 1000, b"x" * 100])
def test_what_is_no_tar_has_no_index(payload: bytes) -> None:
    """A file that is no tar is refused with its name."""
    with pytest.raises(FormatError, match=r"a\.tar: not a tar that can be read"):
        index_of(payload, "a.tar")


def test_the_shard_is_read_as_its_rows_are(shard: Path, make_samples: Make) -> None:
    """Reading the whole shard and reading its samples one by one give the same members."""
    info = write_split(shard.parent, "val", make_samples(5), class_count=3, shard_images=5).shards[0]
    path = shard.parent / info.name
    whole = list(read_members(path, info))
    assert [read_at(path, row) for row in index_of(path.read_bytes(), str(path))] == whole


@pytest.mark.fault(9)
def test_a_pipe_in_place_of_a_shard_is_not_read(tmp_path: Path) -> None:
    """To open it would wait for who writes to it."""
    os.mkfifo(tmp_path / "train-00000.tar")
    with pytest.raises(OSError, match="no file but a folder or a device"):
        read_range(tmp_path / "train-00000.tar", 0, 512)
