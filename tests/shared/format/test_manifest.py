import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.errors import FormatError
from shared.format.manifest import Dataset, FileInfo, Manifest, ShardInfo, Split, parse_manifest

HASH = "0" * 64
PATH = Path("volume/real/manifest.json")


def _manifest() -> Manifest:
    shard = ShardInfo(name="train-00000.tar", bytes=1024, sha256=HASH, count=3, class_counts=[2, 1])
    split = Split(count=3, class_counts=[2, 1], shards=[shard])
    return Manifest(
        kind="dataset",
        job="preprocess",
        halfreal="0.1.0",
        options={"seed": 0},
        inputs={"photos": HASH},
        files=[FileInfo(name="notes.json", bytes=2, sha256=HASH)],
        dataset=Dataset(classes=["cat", "dog"], size_px=16, channels=1, preparation={}, splits={"train": split}),
        facts={"source": "photos"},
    )


def _fields() -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(_manifest().to_bytes())
    return fields


def test_reading_undoes_writing() -> None:
    """Parsing returns what was written, and equal manifests are equal bytes."""
    payload = _manifest().to_bytes()
    assert parse_manifest(payload, PATH) == _manifest()
    assert parse_manifest(payload, PATH).to_bytes() == payload


def test_the_fields_are_those_of_the_specification() -> None:
    """A manifest is JSON with exactly these fields: no time, no host, no path."""
    fields = _fields()
    assert sorted(fields) == [
        "dataset",
        "facts",
        "files",
        "format",
        "halfreal",
        "inputs",
        "job",
        "kind",
        "options",
        "version",
    ]
    assert (fields["format"], fields["version"]) == ("halfreal", 1)
    assert sorted(fields["dataset"]) == ["channels", "classes", "preparation", "size_px", "splits"]
    assert sorted(fields["dataset"]["splits"]["train"]) == ["class_counts", "count", "shards"]
    assert fields["dataset"]["splits"]["train"]["shards"] == [
        {"name": "train-00000.tar", "bytes": 1024, "sha256": HASH, "count": 3, "class_counts": [2, 1]}
    ]


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b"\x80\x04}.", b'{"format": "halfreal", '])
def test_what_is_not_json_is_refused(payload: bytes) -> None:
    """A truncated manifest, or another file, is refused with its path."""
    with pytest.raises(FormatError, match=r"volume/real/manifest\.json: is not JSON"):
        parse_manifest(payload, PATH)


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b"{}", b'{"format": "mds", "version": 1}'])
def test_another_format_is_refused(payload: bytes) -> None:
    """JSON without `"format": "halfreal"` was not written by halfreal."""
    with pytest.raises(FormatError, match="is not a halfreal manifest; point at a folder"):
        parse_manifest(payload, PATH)


@pytest.mark.parametrize("version", [0, 2, "1", 1.5, None, [1]])
def test_an_unknown_version_is_refused_in_one_sentence(version: object) -> None:
    """The error names the version found and the one that this build reads."""
    with pytest.raises(FormatError) as caught:
        parse_manifest(json.dumps(_fields() | {"version": version}).encode(), PATH)
    assert str(caught.value) == (f"{PATH}: format version {version!r}, this build reads 1")


def _shard(fields: dict[str, Any]) -> dict[str, Any]:
    shard: dict[str, Any] = fields["dataset"]["splits"]["train"]["shards"][0]
    return shard


PLACES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "": lambda fields: fields,
    "files.0.": lambda fields: fields["files"][0],
    "dataset.": lambda fields: fields["dataset"],
    "dataset.splits.train.": lambda fields: fields["dataset"]["splits"]["train"],
    "dataset.splits.train.shards.0.": _shard,
}


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_field_is_refused_anywhere(place: str) -> None:
    """A field that is not in version 1 may change the meaning of the rest; the error gives its place."""
    fields = _fields()
    PLACES[place](fields)["later"] = 1
    with pytest.raises(FormatError, match=f"field {place}later: "):
        parse_manifest(json.dumps(fields).encode(), PATH)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("", "kind"),
        ("", "options"),
        ("files.0.", "sha256"),
        ("dataset.", "classes"),
        ("dataset.splits.train.", "shards"),
    ],
)
def test_a_missing_field_is_refused(place: str, name: str) -> None:
    """A field that version 1 requires is named when it is absent."""
    fields = _fields()
    del PLACES[place](fields)[name]
    with pytest.raises(FormatError, match=f"field {place}{name}: "):
        parse_manifest(json.dumps(fields).encode(), PATH)


WRONG = [
    ("", "kind", 1),
    ("", "facts", []),
    ("files.0.", "bytes", -1),
    ("files.0.", "bytes", "2"),
    ("files.0.", "bytes", 2.0),
    ("files.0.", "sha256", "0" * 63),
    ("files.0.", "sha256", "G" * 64),
    ("dataset.", "classes", []),
    ("dataset.", "classes", ["cat", 2]),
    ("dataset.", "size_px", 0),
    ("dataset.", "channels", 2),
    ("dataset.", "channels", "1"),
    ("dataset.splits.train.shards.0.", "count", 0),
    ("dataset.splits.train.shards.0.", "count", True),
    ("dataset.splits.train.shards.0.", "name", None),
]


@pytest.mark.parametrize(("place", "name", "value"), WRONG)
def test_a_wrong_value_is_refused(place: str, name: str, value: object) -> None:
    """Values are of their type, without conversion, and within their range."""
    fields = _fields()
    PLACES[place](fields)[name] = value
    with pytest.raises(FormatError, match=f"field {place}{name}"):
        parse_manifest(json.dumps(fields).encode(), PATH)


@pytest.mark.parametrize(("name", "value"), [("count", 4), ("class_counts", [2, 2]), ("shards", [])])
def test_a_split_whose_counts_do_not_add_up_is_refused(name: str, value: object) -> None:
    """A split's count is the sum over its shards and the sum over its classes."""
    fields = _fields()
    fields["dataset"]["splits"]["train"][name] = value
    with pytest.raises(FormatError, match=r"field dataset\.splits\.train: .*differ"):
        parse_manifest(json.dumps(fields).encode(), PATH)


@pytest.mark.parametrize(
    ("split_counts", "shard_counts"),
    [([2, 1], [1, 2]), ([2, 1], [1, 1]), ([3], [3]), ([1, 1, 1], [1, 1, 1])],
    ids=["other classes", "shard short of one", "too few classes", "too many classes"],
)
def test_class_counts_that_do_not_add_up_are_refused(split_counts: list[int], shard_counts: list[int]) -> None:
    """A split's class counts are the sums of its shards', one number for each class of the dataset."""
    fields = _fields()
    fields["dataset"]["splits"]["train"]["class_counts"] = split_counts
    _shard(fields)["class_counts"] = shard_counts
    with pytest.raises(FormatError, match="class"):
        parse_manifest(json.dumps(fields).encode(), PATH)


@pytest.mark.parametrize("name", ["../real/notes.json", "/etc/hostname", "a/../../b", ""])
def test_a_listed_file_lies_within_the_artifact(name: str) -> None:
    """A name is relative to the artifact's folder and stays inside it."""
    fields = _fields()
    fields["files"][0]["name"] = name
    with pytest.raises(FormatError, match=r"files\.0\.name"):
        parse_manifest(json.dumps(fields).encode(), PATH)
