import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.errors import FormatError
from shared.format.files import json_bytes, sha256
from shared.format.manifest import Dataset, Manifest, ShardInfo, Split, parse_manifest
from shared.format.records import IndexInfo

HASH = "0" * 64
PATH = Path("volume/real/manifest.json")


SPLITS: dict[int, dict[str, Any]] = {
    1: {
        "count": 3,
        "class_counts": [2, 1],
        "shards": [{"name": "train-00000.tar", "bytes": 1024, "sha256": HASH, "count": 3, "class_counts": [2, 1]}],
    },
    2: {
        "count": 3,
        "class_counts": [2, 1],
        "shards": 1,
        "pages": [{"name": "train-shards-00000.json", "bytes": 200, "sha256": HASH, "shards": 1, "count": 3}],
    },
}


def _fields(version: int = 2) -> dict[str, Any]:
    fields = {
        "format": "halfreal",
        "version": version,
        "kind": "dataset",
        "job": "preprocess",
        "halfreal": "0.1.0",
        "options": {"seed": 0},
        "inputs": {"photos": HASH},
        "files": [{"name": "notes.json", "bytes": 2, "sha256": HASH}],
        "dataset": {
            "classes": ["cat", "dog"],
            "size_px": 16,
            "channels": 1,
            "preparation": {},
            "splits": {"train": SPLITS[version]},
        },
        "facts": {"source": "photos"},
    }
    copy: dict[str, Any] = json.loads(json.dumps(fields))
    return copy


def _parsed(fields: dict[str, Any]) -> Manifest:
    return parse_manifest(json.dumps(fields).encode(), PATH)


@pytest.mark.parametrize("version", SPLITS)
def test_writing_undoes_reading(version: int) -> None:
    """The bytes of a manifest are those that it was read from, in both versions: nothing is lost or added."""
    payload = json_bytes(_fields(version))
    assert parse_manifest(payload, PATH).to_bytes() == payload


def test_both_versions_say_the_same_of_a_split() -> None:
    """Totals, number of shards and all that is not about shards are equal; no page is read for that."""
    first, second = (_parsed(_fields(version)) for version in SPLITS)
    assert first.dataset is not None
    assert second.dataset is not None
    one, two = first.dataset.splits["train"], second.dataset.splits["train"]
    assert (one.count, one.class_counts, len(one.shards)) == (two.count, two.class_counts, len(two.shards))
    assert first.dataset.classes == second.dataset.classes
    assert (first.options, first.inputs, first.files, first.facts) == (
        second.options,
        second.inputs,
        second.files,
        second.facts,
    )


def test_the_fields_are_those_of_the_specification(tmp_path: Path) -> None:
    """A manifest that is written is of version 2 with exactly these fields: no time, no host, no path."""
    index = IndexInfo(bytes=76, sha256=HASH)
    shard = ShardInfo(name="train-00000.tar", bytes=1024, sha256=HASH, count=3, class_counts=[2, 1], index=index)
    split = Split(count=3, class_counts=[2, 1], shards=[shard])
    dataset = Dataset(classes=["cat", "dog"], size_px=16, channels=1, preparation={}, splits={"train": split})
    manifest = Manifest(
        kind="dataset", job="preprocess", halfreal="0.1.0", options={}, inputs={}, dataset=dataset.paged(tmp_path)
    )
    fields = json.loads(manifest.to_bytes())
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
    assert (fields["format"], fields["version"]) == ("halfreal", 2)
    assert sorted(fields["dataset"]) == ["channels", "classes", "preparation", "size_px", "splits"]
    page = (tmp_path / "train-shards-00000.json").read_bytes()
    assert fields["dataset"]["splits"]["train"] == {
        "count": 3,
        "class_counts": [2, 1],
        "shards": 1,
        "pages": [
            {"name": "train-shards-00000.json", "bytes": len(page), "sha256": sha256(page), "shards": 1, "count": 3}
        ],
    }


def test_a_manifest_whose_shards_no_page_lists_is_not_written() -> None:
    """Version 2 has no place for shards but in pages."""
    split = Split(count=0, class_counts=[0], shards=[])
    dataset = Dataset(classes=["cat"], size_px=16, channels=1, preparation={}, splits={"train": split})
    with pytest.raises(ValueError, match="has no pages"):
        Manifest(kind="dataset", job="a", halfreal="0", options={}, inputs={}, dataset=dataset).to_bytes()


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


@pytest.mark.parametrize("version", [0, 3, "1", 1.5, 1.0, True, None, [1]])
def test_an_unknown_version_is_refused_in_one_sentence(version: object) -> None:
    """The error names the version found and those that this build reads."""
    with pytest.raises(FormatError) as caught:
        _parsed(_fields() | {"version": version})
    assert str(caught.value) == (f"{PATH}: format version {version!r}, this build reads 1 and 2")


@pytest.mark.parametrize(("version", "other"), [(1, 2), (2, 1)])
def test_a_split_of_the_other_version_is_refused(version: int, other: int) -> None:
    """The version says how splits are stored: pages are unknown to version 1, and version 2 counts its shards."""
    fields = _fields(version)
    fields["dataset"]["splits"]["train"] = SPLITS[other]
    with pytest.raises(FormatError, match=r"field dataset\.splits\.train\.(shards|pages): "):
        _parsed(fields)


def _shard(fields: dict[str, Any]) -> dict[str, Any]:
    shard: dict[str, Any] = fields["dataset"]["splits"]["train"]["shards"][0]
    return shard


def _page(fields: dict[str, Any]) -> dict[str, Any]:
    page: dict[str, Any] = fields["dataset"]["splits"]["train"]["pages"][0]
    return page


PLACES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "": lambda fields: fields,
    "files.0.": lambda fields: fields["files"][0],
    "dataset.": lambda fields: fields["dataset"],
    "dataset.splits.train.": lambda fields: fields["dataset"]["splits"]["train"],
    "dataset.splits.train.shards.0.": _shard,
    "dataset.splits.train.pages.0.": _page,
}


def _version_of(place: str) -> int:
    return 1 if "shards.0" in place else 2


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_field_is_refused_anywhere(place: str) -> None:
    """A field that is not in a version may change the meaning of the rest; the error gives its place."""
    fields = _fields(_version_of(place))
    PLACES[place](fields)["later"] = 1
    with pytest.raises(FormatError, match=f"field {place}later: "):
        _parsed(fields)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("", "kind"),
        ("", "options"),
        ("files.0.", "sha256"),
        ("dataset.", "classes"),
        ("dataset.splits.train.", "shards"),
        ("dataset.splits.train.", "pages"),
        ("dataset.splits.train.shards.0.", "sha256"),
        ("dataset.splits.train.pages.0.", "sha256"),
        ("dataset.splits.train.pages.0.", "shards"),
    ],
)
def test_a_missing_field_is_refused(place: str, name: str) -> None:
    """A field that a version requires is named when it is absent."""
    fields = _fields(_version_of(place))
    del PLACES[place](fields)[name]
    with pytest.raises(FormatError, match=f"field {place}{name}: "):
        _parsed(fields)


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
    ("dataset.splits.train.shards.0.", "name", "../train-00000.tar"),
    ("dataset.splits.train.pages.0.", "name", "../train-shards-00000.json"),
    ("dataset.splits.train.pages.0.", "count", 0),
    ("dataset.splits.train.pages.0.", "shards", "1"),
    ("dataset.splits.train.", "shards", True),
]


@pytest.mark.parametrize(("place", "name", "value"), WRONG)
def test_a_wrong_value_is_refused(place: str, name: str, value: object) -> None:
    """Values are of their type, without conversion, and within their range."""
    fields = _fields(_version_of(place))
    PLACES[place](fields)[name] = value
    with pytest.raises(FormatError, match=f"field {place}{name}"):
        _parsed(fields)


@pytest.mark.parametrize(
    ("version", "name", "value"),
    [
        (1, "count", 4),
        (1, "class_counts", [2, 2]),
        (1, "shards", []),
        (2, "count", 4),
        (2, "class_counts", [2, 2]),
        (2, "shards", 2),
        (2, "pages", []),
    ],
)
def test_a_split_whose_counts_do_not_add_up_is_refused(version: int, name: str, value: object) -> None:
    """A split's count is the sum over its shards or pages and the sum over its classes."""
    fields = _fields(version)
    fields["dataset"]["splits"]["train"][name] = value
    with pytest.raises(FormatError, match=r"field dataset\.splits\.train: .*differ"):
        _parsed(fields)


@pytest.mark.parametrize(
    ("split_counts", "shard_counts"),
    [([2, 1], [1, 2]), ([2, 1], [1, 1]), ([3], [3]), ([1, 1, 1], [1, 1, 1])],
    ids=["other classes", "shard short of one", "too few classes", "too many classes"],
)
def test_class_counts_that_do_not_add_up_are_refused(split_counts: list[int], shard_counts: list[int]) -> None:
    """In version 1 a split's class counts are the sums of its shards', one number for each class of the dataset."""
    fields = _fields(1)
    fields["dataset"]["splits"]["train"]["class_counts"] = split_counts
    _shard(fields)["class_counts"] = shard_counts
    with pytest.raises(FormatError, match="class"):
        _parsed(fields)


def test_version_2_counts_each_class_of_the_dataset() -> None:
    """A split with a number for fewer or more classes than the dataset has is refused."""
    for counts in ([3], [1, 1, 1]):
        fields = _fields(2)
        fields["dataset"]["splits"]["train"]["class_counts"] = counts
        with pytest.raises(FormatError, match=r"field dataset: .*classes of 2"):
            _parsed(fields)


def test_version_1_knows_no_index() -> None:
    """An index in a manifest of version 1 is an unknown field: it would not be checked."""
    fields = _fields(1)
    _shard(fields)["index"] = {"bytes": 76, "sha256": HASH}
    with pytest.raises(FormatError, match="a shard of version 1 has no index"):
        _parsed(fields)


@pytest.mark.parametrize("name", ["../real/notes.json", "/etc/hostname", "a/../../b", ""])
def test_a_listed_file_lies_within_the_artifact(name: str) -> None:
    """A name is relative to the artifact's folder and stays inside it."""
    fields = _fields()
    fields["files"][0]["name"] = name
    with pytest.raises(FormatError, match=r"files\.0\.name"):
        _parsed(fields)
