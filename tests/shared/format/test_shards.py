import hashlib
import io
import json
import os
import pickle
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import FormatError
from shared.format.index import encode_index, index_of
from shared.format.manifest import ShardInfo, Split
from shared.format.records import IndexInfo
from shared.format.sample import Sample, encode
from shared.format.shards import preview, read_index, read_shard, shard_name, write_split

Make = Callable[..., list[Sample]]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def split(tmp_path: Path, make_samples: Make) -> Split:
    """Seven samples of three classes in shards of three."""
    return write_split(tmp_path, "train", make_samples(7), class_count=3, shard_images=3)


def test_shards_are_numbered_and_full_but_for_the_last(tmp_path: Path, split: Split) -> None:
    """Seven samples in shards of three give 3 + 3 + 1, named by split and five digits, an index each; nothing else."""
    assert [(shard.name, shard.count) for shard in split.shards] == [
        ("train-00000.tar", 3),
        ("train-00001.tar", 3),
        ("train-00002.tar", 1),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"train-0000{number}.{suffix}" for number in range(3) for suffix in ("idx", "tar")
    ]


def test_more_shards_than_five_digits_count_have_more_digits() -> None:
    """Number 100,000 has six digits: names differ, and their order is that of the pages."""
    assert [shard_name("train", number) for number in (0, 99_999, 100_000)] == [
        "train-00000.tar",
        "train-99999.tar",
        "train-100000.tar",
    ]


def test_the_index_is_that_of_the_shard(tmp_path: Path, split: Split) -> None:
    """What is counted while a shard is written is what reading it finds; the record has the index's size and hash."""
    for shard in split.shards:
        path = tmp_path / shard.name
        written = path.with_suffix(".idx").read_bytes()
        assert written == encode_index(index_of(path.read_bytes(), shard.name))
        assert shard.index == IndexInfo(bytes=len(written), sha256=hashlib.sha256(written).hexdigest())


def test_shards_for_other_readers_have_no_index(tmp_path: Path, make_samples: Make) -> None:
    """Without `indexed` the same tar is written and nothing else."""
    (tmp_path / "plain").mkdir()
    split, plain = (
        write_split(folder, "train", make_samples(4), class_count=3, shard_images=4, indexed=indexed)
        for folder, indexed in ((tmp_path, True), (tmp_path / "plain", False))
    )
    assert [path.name for path in (tmp_path / "plain").iterdir()] == ["train-00000.tar"]
    assert plain.shards[0] == split.shards[0].model_copy(update={"index": None})


def test_a_shard_has_its_name_after_its_index(
    tmp_path: Path, make_samples: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the index cannot be written, there is no shard either: one that has its name has an index."""

    def full(path: Path, payload: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shared.format.shards.write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        write_split(tmp_path, "train", make_samples(3), class_count=3, shard_images=3)
    assert list(tmp_path.iterdir()) == []


def test_the_record_matches_the_disk(tmp_path: Path, split: Split) -> None:
    """Bytes and sha256 are the file's; counts are those of labels 0, 1, 2, 0, 1, 2, 0."""
    for shard in split.shards:
        payload = (tmp_path / shard.name).read_bytes()
        assert (shard.bytes, shard.sha256) == (len(payload), hashlib.sha256(payload).hexdigest())
    assert [shard.class_counts for shard in split.shards] == [[1, 1, 1], [1, 1, 1], [1, 0, 0]]
    assert (split.count, split.class_counts) == (7, [3, 2, 2])


def test_members_are_in_reading_order_by_key_and_type(tmp_path: Path, split: Split) -> None:
    """Tarfile lists <key>.cls, <key>.json, <key>.png of one sample after the other."""
    with tarfile.open(tmp_path / "train-00000.tar") as tar:
        names = [f"s000{index}.{kind}" for index in range(3) for kind in ("cls", "json", "png")]
        assert tar.getnames() == names == sorted(names)


def test_members_have_no_time_or_user(tmp_path: Path, split: Split) -> None:
    """Every member is a plain file, mode 0644, mtime 0, ids 0 and without user or group name, in ustar format."""
    with tarfile.open(tmp_path / "train-00000.tar") as tar:
        for member in tar:
            assert member.isreg()
            assert (member.mode, member.mtime, member.uid, member.gid) == (0o644, 0, 0, 0)
            assert (member.uname, member.gname) == ("", "")
    assert (tmp_path / "train-00000.tar").read_bytes()[257:265] == b"ustar\x0000"


def test_equal_samples_give_equal_shards(tmp_path: Path, make_samples: Make) -> None:
    """Two writes of equal samples give files of equal sha256."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_split(tmp_path / name, "val", make_samples(5), class_count=3, shard_images=2)
    digests = [[_digest(path) for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b")]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 6  # three shards, three indexes


def test_an_empty_split_has_no_shard(tmp_path: Path) -> None:
    """No samples give no file and counts of zero for every class."""
    assert write_split(tmp_path, "test", [], class_count=2, shard_images=3) == Split(
        count=0, class_counts=[0, 0], shards=[]
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_what_was_written(tmp_path: Path, make_samples: Make) -> None:
    """Reading gives every sample in its order: key, pixels, label, origin."""
    samples = make_samples(5, channels=3)
    record = write_split(tmp_path, "train", samples, class_count=3, shard_images=5).shards[0]
    for written, read in zip(samples, read_shard(tmp_path / record.name, record), strict=True):
        assert (read.key, read.label, read.meta) == (written.key, written.label, written.meta)
        assert np.array_equal(read.image, written.image)


@pytest.mark.parametrize(
    ("change", "words"), [({"label": 3}, "label 3, want 0..2"), ({"key": "z0.7_001"}, "key 'z0.7_001'")]
)
def test_a_sample_that_the_dataset_cannot_hold_stops_the_write(
    tmp_path: Path, make_samples: Make, change: dict[str, Any], words: str
) -> None:
    """A label outside the classes or a key with a dot is refused, and its shard is never written."""
    samples = make_samples(2)
    samples[1] = Sample(**(vars(samples[1]) | change))
    with pytest.raises(FormatError, match=words):
        write_split(tmp_path, "train", samples, class_count=3, shard_images=9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [95, 96])
def test_a_key_is_as_long_as_ustar_can_hold(tmp_path: Path, make_samples: Make, length: int) -> None:
    """A ustar name has 100 bytes, hence a key at most 95 before ".json"; a longer one is refused like any bad key."""
    sample = Sample(**(vars(make_samples(1)[0]) | {"key": "k" * length}))
    if length > 95:
        with pytest.raises(FormatError, match="key"):
            write_split(tmp_path, "train", [sample], class_count=3, shard_images=9)
    else:
        record = write_split(tmp_path, "train", [sample], class_count=3, shard_images=9).shards[0]
        assert [found.key for found in read_shard(tmp_path / record.name, record)] == ["k" * 95]


def test_a_source_that_fails_leaves_only_whole_shards(tmp_path: Path, make_samples: Make) -> None:
    """When the samples stop with an error after five of six, the first shard of three remains and is readable."""

    def failing() -> Iterator[Sample]:
        yield from make_samples(5)
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="gone"):
        write_split(tmp_path, "train", failing(), class_count=3, shard_images=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train-00000.idx", "train-00000.tar"]
    with tarfile.open(tmp_path / "train-00000.tar") as tar:
        assert len(tar.getnames()) == 9


def _record_boundary(payload: bytes) -> int:
    """Return where the second sample begins: a reader that trusts tar would see a shorter dataset."""
    with tarfile.open(fileobj=io.BytesIO(payload)) as tar:
        return tar.getmembers()[3].offset


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut between two samples": lambda payload: payload[: _record_boundary(payload)],
    "cut within a sample": lambda payload: payload[: _record_boundary(payload) + 700],
    "cut by its last byte": lambda payload: payload[:-1],
    "empty": lambda payload: b"",
    "one bit of a picture flipped": lambda payload: _flip(payload, payload.index(b"IDAT") + 20),
    "one bit of a label flipped": lambda payload: _flip(payload, 512),
    "one bit of padding flipped": lambda payload: _flip(payload, len(payload) - 1),
    "zeros appended": lambda payload: payload + bytes(10240),
    "itself appended": lambda payload: payload + payload,
}


def _flip(payload: bytes, at: int) -> bytes:
    return payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_refused_before_its_first_sample(tmp_path: Path, split: Split, damage: str) -> None:
    """Size and sha256 of the whole file are checked first; the error says which shard and what to do."""
    path = tmp_path / split.shards[0].name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(FormatError, match=r"train-00000\.tar: "):
        next(read_shard(path, split.shards[0]))


def test_a_missing_shard_is_refused(tmp_path: Path, split: Split) -> None:
    """A shard that its manifest lists and that is gone is named."""
    (tmp_path / "train-00001.tar").unlink()
    with pytest.raises(FormatError, match=r"train-00001\.tar: missing"):
        next(read_shard(tmp_path / "train-00001.tar", split.shards[1]))


def _forge(path: Path, members: list[tuple[str, bytes | str]], count: int = 1) -> ShardInfo:
    """Write a tar of these members with a correct record; text is the target of a link."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            header = tarfile.TarInfo(name)
            if isinstance(content, str):
                header.type, header.linkname = tarfile.SYMTYPE, content
                tar.addfile(header)
            else:
                header.size = len(content)
                tar.addfile(header, io.BytesIO(content))
    return _info(path, count)


def _info(path: Path, count: int = 1) -> ShardInfo:
    return ShardInfo(name=path.name, bytes=path.stat().st_size, sha256=_digest(path), count=count, class_counts=[count])


def _good(sample: Sample) -> list[tuple[str, bytes | str]]:
    return [(f"{sample.key}.{kind}", payload) for kind, payload in encode(sample).items()]


class _Evil:
    """Unpickling this makes a folder: proof that it ran."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("kind", ["pyd", "pkl", "pickle", "pth", "cls.pyd", "npy", "jpg", "txt", "PNG", ""])
def test_an_unknown_member_type_is_refused_and_never_run(tmp_path: Path, make_samples: Make, kind: str) -> None:
    """Only cls, json and png are read; a pickle whose shard is as recorded is refused and does not run."""
    evil = pickle.dumps(_Evil(tmp_path / "it ran"))
    sample = make_samples(1)[0]
    info = _forge(tmp_path / "forged.tar", [*_good(sample), (f"{sample.key}.{kind}".rstrip("."), evil)])
    with pytest.raises(FormatError, match=r"forged\.tar: member 's0000.*\.cls, \.json, \.png"):
        list(read_shard(tmp_path / "forged.tar", info))
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize("place", ["cls", "json", "png"])
def test_a_pickle_under_a_known_name_is_refused_and_never_run(tmp_path: Path, make_samples: Make, place: str) -> None:
    """A member is decoded as what its name says: a pickle called png, cls or json is just a bad one."""
    members = encode(make_samples(1)[0]) | {place: pickle.dumps(_Evil(tmp_path / "it ran"))}
    info = _forge(tmp_path / "forged.tar", [(f"a.{kind}", payload) for kind, payload in members.items()])
    with pytest.raises(FormatError, match="sample 'a' cannot be decoded"):
        list(read_shard(tmp_path / "forged.tar", info))
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize("count", [1, 3])
def test_a_shard_with_another_number_of_samples_is_refused(tmp_path: Path, make_samples: Make, count: int) -> None:
    """Two samples are refused where the record says one or three."""
    members = [member for sample in make_samples(2) for member in _good(sample)]
    info = _forge(tmp_path / "forged.tar", members, count=count)
    with pytest.raises(FormatError, match=f"2 samples, the manifest says {count}"):
        list(read_shard(tmp_path / "forged.tar", info))


@pytest.mark.parametrize("target", [None, "elsewhere.png", "a.png"], ids=["no tar", "dangling link", "link"])
def test_a_file_that_is_no_tar_of_plain_files_is_refused(
    tmp_path: Path, make_samples: Make, target: str | None
) -> None:
    """A recorded file that is no tar, or that has a link for a member, raises FormatError and names the file."""
    path, sample = tmp_path / "forged.tar", encode(make_samples(1)[0])
    if target is None:
        path.write_bytes(b"no tar" * 1000)
        info = _info(path)
    else:
        linked = [("b.cls", sample["cls"]), ("b.json", sample["json"]), ("b.png", target)]
        info = _forge(path, [*((f"a.{kind}", payload) for kind, payload in sample.items()), *linked], count=2)
    with pytest.raises(FormatError, match=r"forged\.tar"):
        list(read_shard(path, info))


def test_a_key_that_comes_twice_stops_the_write(tmp_path: Path, make_samples: Make) -> None:
    """Keys are unique within a dataset: readers would join two samples of one key."""
    first, second = make_samples(2)
    twin = Sample(**(vars(second) | {"key": first.key}))
    with pytest.raises(FormatError, match="s0000"):
        write_split(tmp_path, "train", [first, twin], class_count=3, shard_images=9)


def test_a_key_that_comes_again_later_is_refused(tmp_path: Path, make_samples: Make) -> None:
    """A second sample of the same key, apart from the first, exceeds the number of samples on record."""
    first, second = make_samples(2)
    info = _forge(tmp_path / "forged.tar", [*_good(first), *_good(second), *_good(first)], count=2)
    with pytest.raises(FormatError, match="3 samples, the manifest says 2"):
        list(read_shard(tmp_path / "forged.tar", info))


def test_a_preview_is_the_first_of_each_class_from_the_first_shards(tmp_path: Path, split: Split) -> None:
    """With two samples of each class wanted, the third shard is not read."""
    for path in tmp_path.glob("train-00002.*"):
        path.unlink()
    assert [sample.key for sample in preview(tmp_path, split, 2)] == [f"s000{index}" for index in range(6)]


def test_a_preview_reads_only_the_samples_that_it_returns(tmp_path: Path, make_samples: Make) -> None:
    """With every byte of other samples gone the preview of an indexed split is the same."""
    split = write_split(tmp_path, "train", make_samples(30), class_count=3, shard_images=10)
    before = preview(tmp_path, split, 4)
    assert [sample.key for sample in before] == [f"s{index:04d}" for index in range(12)]
    for shard in split.shards:
        path = tmp_path / shard.name
        rows, payload = read_index(path, shard), path.read_bytes()
        kept = [sample.key for sample in read_shard(path, shard) if sample.key < "s0012"]
        end = int(rows["bytes"][: len(kept)].sum())
        path.write_bytes(payload[:end] + bytes(len(payload) - end))
    after = preview(tmp_path, split, 4)
    assert [sample.key for sample in after] == [sample.key for sample in before]
    assert all(np.array_equal(one.image, other.image) for one, other in zip(after, before, strict=True))


def test_a_preview_opens_no_index_without_a_class_that_is_wanted(tmp_path: Path, make_samples: Make) -> None:
    """A shard whose record counts none of the classes that are still missing is passed over."""
    samples = sorted(make_samples(30), key=lambda sample: sample.label)
    split = write_split(tmp_path, "train", samples, class_count=3, shard_images=5)
    for number in (1, 3, 5):
        (tmp_path / f"train-0000{number}.idx").unlink()
    assert [sample.label for sample in preview(tmp_path, split, 5)] == [0] * 5 + [1] * 5 + [2] * 5


def test_a_preview_without_indexes_is_the_same(tmp_path: Path, make_samples: Make) -> None:
    """Shards of version 1 have no index: their samples are found by reading them."""
    indexed, plain = (
        write_split(tmp_path, name, make_samples(7), class_count=3, shard_images=3, indexed=indexed)
        for name, indexed in (("train", True), ("old", False))
    )
    one, other = (preview(tmp_path, split, 2) for split in (indexed, plain))
    assert [(sample.key, sample.label) for sample in one] == [(sample.key, sample.label) for sample in other]


def test_a_preview_refuses_an_altered_sample(tmp_path: Path, split: Split) -> None:
    """What is read without the rest of its shard is checked against its own sum."""
    path = tmp_path / "train-00000.tar"
    path.write_bytes(path.read_bytes().replace(b'"file":"s-0.png"', b'"file":"s-1.png"'))
    with pytest.raises(FormatError, match=r"train-00000\.tar: the sample at byte 0 was altered"):
        preview(tmp_path, split, 2)


INDEX_DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda payload: None,
    "cut": lambda payload: payload[:-20],
    "altered": lambda payload: payload[:-1] + bytes([payload[-1] ^ 1]),
}


@pytest.mark.parametrize("damage", INDEX_DAMAGE)
def test_a_damaged_index_is_refused(tmp_path: Path, split: Split, damage: str) -> None:
    """An index is read against its recorded size and hash, as shards are."""
    path = tmp_path / "train-00000.idx"
    payload = INDEX_DAMAGE[damage](path.read_bytes())
    path.unlink()
    if payload is not None:
        path.write_bytes(payload)
    with pytest.raises(FormatError, match=r"train-00000\.idx: "):
        read_index(tmp_path / "train-00000.tar", split.shards[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": 4, "class_counts": [2, 1, 1]}, "3 samples, the manifest says 4"),
        ({"class_counts": [1, 2, 0]}, "its labels are not those that the manifest counts"),
        ({"class_counts": [2, 1]}, "its labels are not those that the manifest counts"),
        ({"bytes": 512}, "go beyond the 512 bytes of the shard"),
    ],
)
def test_an_index_of_another_shard_is_refused(tmp_path: Path, split: Split, change: dict[str, Any], said: str) -> None:
    """An index whose samples are not those on record would give other images under the same name."""
    info = split.shards[0].model_copy(update=change)
    with pytest.raises(FormatError, match=said):
        read_index(tmp_path / info.name, info)


def test_a_preview_has_all_of_a_small_class(tmp_path: Path, split: Split) -> None:
    """With nine of each class requested and 3, 2, 2 available, all seven are returned."""
    assert [sample.label for sample in preview(tmp_path, split, 9)] == [0, 1, 2, 0, 1, 2, 0]


def test_the_json_member_is_what_the_specification_says(tmp_path: Path, split: Split) -> None:
    """The json member is one JSON object, keys sorted, no spaces."""
    with tarfile.open(tmp_path / "train-00000.tar") as tar:
        member = tar.extractfile("s0000.json")
        assert member is not None
        text = member.read().decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert json.loads(text) == {"origin": {"file": "s-0.png"}}
