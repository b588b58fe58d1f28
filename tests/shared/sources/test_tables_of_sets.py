"""Several tables of one set: two that list the same images, and parts of which some are missing."""

from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.sources.folders import folder
from shared.sources.reading import Reading
from shared.sources.tables.source import table
from tests.shared.sources.layouts import png

METADATA = {
    "metadata.csv": "file_name,label\n0.png,a\n1.png,b\n",
    "metadata.jsonl": '{"file_name": "0.png", "label": "a"}\n{"file_name": "1.png", "label": "b"}\n',
    "metadata.parquet": "anything",
}


@pytest.mark.parametrize("names", [("metadata.csv", "metadata.jsonl"), ("metadata.jsonl", "metadata.parquet")])
@pytest.mark.parametrize("split", ["", "train"])
def test_two_metadata_in_one_folder_are_refused(tmp_path: Path, names: tuple[str, str], split: str) -> None:
    """Each image would enter twice, perhaps with two labels; one alone is read."""
    place = tmp_path / split
    place.mkdir(exist_ok=True)
    for number in range(2):
        (place / f"{number}.png").write_bytes(png(number))
    (place / names[0]).write_text(METADATA[names[0]])
    assert len(folder(tmp_path, Reading()).items) == 2
    (place / names[1]).write_text(METADATA[names[1]])
    for read in (folder, table):
        with pytest.raises(BadInput, match=f"both {names[0]} and {names[1]} list its images; want one"):
            read(tmp_path, Reading())


def write_parts(place: Path, *names: str) -> Path:
    """Write a Parquet file of two images, one of each class, under each name."""
    import pyarrow
    from pyarrow import parquet

    for number, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        pictures = [png(2 * number), png(2 * number + 1)]
        parquet.write_table(pyarrow.table({"image": pictures, "label": ["a", "b"]}), place / name)
    return place


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["train-00000-of-00003.parquet"], r"2 of 3 files are missing \(train-00001-of-00003.parquet, train-00002"),
        (["data/train-00001-of-00002.parquet"], r"1 of 2 files are missing \(data/train-00000-of-00002.parquet\)"),
        (["a-00000-of-00002-3f5e.parquet"], r"1 of 2 files are missing \(a-00001-of-00002-\*.parquet\)"),
        (["train-00000-of-00001.parquet", "test-00001-of-00002.parquet"], r"1 of 2 .*\(test-00000-of-00002.parquet"),
    ],
)
def test_parts_that_are_missing_are_named(tmp_path: Path, names: list[str], missing: str) -> None:
    """By what the names of those that are there say; a file alone may be given."""
    write_parts(tmp_path, *names)
    for read in (folder, table):
        with pytest.raises(BadInput, match=missing):
            read(tmp_path, Reading())
    assert len(folder(tmp_path / names[0], Reading()).items) == 2


def test_all_parts_are_read(tmp_path: Path) -> None:
    """Those of each split have numbers of their own, and a fingerprint at the end is no part of them."""
    names = [f"data/train-0000{number}-of-00002-{number}f.parquet" for number in range(2)]
    found = folder(write_parts(tmp_path, *names, "data/test-00000-of-00001.parquet"), Reading())
    assert found.partition is not None
    assert sorted(found.partition) == ["test"] * 2 + ["train"] * 4
