import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import FormatError
from shared.format import pages
from shared.format.files import sha256
from shared.format.pages import PagedShards, write_pages
from shared.format.records import IndexInfo, PageInfo, ShardInfo

HASH = "0" * 64


def _shard(number: int, counts: list[int]) -> ShardInfo:
    index = IndexInfo(bytes=16 + 20 * sum(counts), sha256="1" * 64)
    return ShardInfo(
        name=f"train-{number:05d}.tar", bytes=10_240, sha256=HASH, count=sum(counts), class_counts=counts, index=index
    )


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three shards a page."""
    monkeypatch.setattr(pages, "PAGE_SHARDS", 3)


SHARDS = [_shard(number, [number, 0, 2]) for number in range(8)]


@pytest.mark.usefixtures("small_pages")
def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """All records come back in order, by going through them, by place, from the end and as a slice."""
    write_pages(tmp_path, "train", SHARDS, 3)
    paged = PagedShards(tmp_path, write_pages(tmp_path, "train", SHARDS, 3).pages, 3)
    assert [(page.name, page.shards, page.count) for page in paged.pages] == [
        ("train-shards-00000.json", 3, 9),
        ("train-shards-00001.json", 3, 18),
        ("train-shards-00002.json", 2, 17),
    ]
    assert len(paged) == 8
    assert list(paged) == SHARDS
    assert [paged[place] for place in range(8)] == SHARDS
    assert [paged[place - 8] for place in range(8)] == SHARDS
    assert paged[2:7:2] == SHARDS[2:7:2]
    for place in (8, -9):
        with pytest.raises(IndexError):
            paged[place]


def test_no_shard_gives_no_page(tmp_path: Path) -> None:
    """A split without shards has no page."""
    paged = write_pages(tmp_path, "val", [], 3)
    assert (len(paged), list(paged), paged.pages) == (0, [], [])
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_what_the_specification_says(tmp_path: Path) -> None:
    """A page is a JSON list, a line for each shard; `class_counts` has the classes that occur."""
    write_pages(tmp_path, "train", SHARDS[:2], 3)
    payload = (tmp_path / "train-shards-00000.json").read_bytes()
    assert payload.count(b"\n") == 4
    assert json.loads(payload) == [
        {
            "name": f"train-0000{number}.tar",
            "bytes": 10_240,
            "sha256": HASH,
            "count": number + 2,
            "class_counts": {"0": 1, "2": 2} if number else {"2": 2},
            "index": {"bytes": 16 + 20 * (number + 2), "sha256": "1" * 64},
        }
        for number in range(2)
    ]


@pytest.mark.usefixtures("small_pages")
def test_a_page_is_read_when_a_shard_of_it_is_asked_for(tmp_path: Path) -> None:
    """The length needs no page; the first shards need one page alone; a few pages are kept."""
    paged = write_pages(tmp_path, "train", SHARDS, 3)
    for number in (1, 2):
        (tmp_path / f"train-shards-0000{number}.json").unlink()
    assert len(paged) == 8
    assert [paged[0], paged[2]] == [SHARDS[0], SHARDS[2]]
    with pytest.raises(FormatError, match=r"train-shards-00001\.json: missing"):
        paged[3]
    (tmp_path / "train-shards-00000.json").unlink()
    assert paged[1] == SHARDS[1]


def test_only_a_few_pages_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going through a split of many pages holds some of them at a time, and reads each once."""
    monkeypatch.setattr(pages, "PAGE_SHARDS", 1)
    read: list[str] = []
    read_whole = pages.read_whole
    monkeypatch.setattr(
        pages, "read_whole", lambda path, *record: [read.append(path.name), read_whole(path, *record)][1]
    )
    paged = write_pages(tmp_path, "train", SHARDS, 3)
    assert list(paged) == SHARDS
    assert read == [page.name for page in paged.pages]
    assert len(paged._kept) == pages.KEPT_PAGES


def _rewritten(folder: Path, change: dict[str, Any], drop: str = "", **record: int) -> PagedShards:
    """Write one page of two shards with a change in the second, and a record that has the page's size and hash."""
    page = write_pages(folder, "train", SHARDS[:2], 3).pages[0]
    path = folder / page.name
    rows = json.loads(path.read_bytes())
    rows[1] |= change
    rows[1].pop(drop, None)
    path.write_text(json.dumps(rows))
    fields = page.model_dump() | {"bytes": path.stat().st_size, "sha256": sha256(path.read_bytes())} | record
    return PagedShards(folder, [PageInfo(**fields)], 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"later": 1}, r"field 1\.later: "),
        ({"name": "../train-00001.tar"}, r"field 1\.name: "),
        ({"sha256": "0"}, r"field 1\.sha256: "),
        ({"bytes": "1"}, r"field 1\.bytes: "),
        ({"index": None}, r"field 1\.index: "),
        ({"class_counts": [1, 0, 2]}, r"field 1\.class_counts: "),
        ({"class_counts": {"0": 1, "one": 2}}, r"field 1\.class_counts"),
        ({"class_counts": {"0": 1, "3": 2}}, "counts a class that is none of the 3"),
        ({"class_counts": {"0": 1, "-1": 2}}, r"field 1\.class_counts"),
        ({"class_counts": {"0": 1, "2": 1}}, "field 1: .*count differs from the sum over classes"),
        ({"class_counts": {"0": 4, "2": -1}}, r"field 1\.class_counts"),
    ],
)
def test_a_wrong_record_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """The error names the page, the shard's place there and the field."""
    with pytest.raises(FormatError, match=rf"train-shards-00000\.json: .*{said}"):
        list(_rewritten(tmp_path, change))


@pytest.mark.parametrize("name", ["name", "bytes", "sha256", "count", "class_counts", "index"])
def test_a_missing_field_is_refused(tmp_path: Path, name: str) -> None:
    """A shard of version 2 has every field, its index among them."""
    with pytest.raises(FormatError, match=rf"train-shards-00000\.json: field 1\.{name}: "):
        list(_rewritten(tmp_path, {}, drop=name))


@pytest.mark.parametrize("record", [{"shards": 3}, {"shards": 1}, {"count": 6}])
def test_a_page_of_other_totals_than_its_record_is_refused(tmp_path: Path, record: dict[str, int]) -> None:
    """The manifest's numbers of shards and samples of a page are those in the page."""
    with pytest.raises(FormatError, match="2 shards with 5 samples, the manifest says"):
        list(_rewritten(tmp_path, {}, **record))


def test_an_altered_page_is_refused(tmp_path: Path) -> None:
    """A page is checked against the hash in the manifest, so that the manifest's hash names every byte below it."""
    paged = write_pages(tmp_path, "train", SHARDS[:2], 3)
    path = tmp_path / "train-shards-00000.json"
    path.write_bytes(path.read_bytes().replace(b"10240", b"10241"))
    with pytest.raises(FormatError, match=r"train-shards-00000\.json: altered"):
        list(paged)


def test_a_shard_without_an_index_is_not_listed(tmp_path: Path) -> None:
    """A page has no place for a shard that cannot be read by its index."""
    with pytest.raises(ValueError, match=r"train-00000\.tar: has no index"):
        write_pages(tmp_path, "train", [SHARDS[1].model_copy(update={"index": None, "name": "train-00000.tar"})], 3)
