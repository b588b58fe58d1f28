"""Tables as people have them: separators, encodings, names of columns, paths, Hugging Face's layouts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import BadInput
from shared.sources.folders import folder
from shared.sources.items import Source
from shared.sources.reading import Reading
from shared.sources.tables.source import table
from tests.shared.sources.layouts import png


def images(place: Path, *names: str) -> None:
    """Write an image under each name."""
    for number, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(png(number))


def from_text(place: Path, text: str, name: str = "t.csv", encoding: str = "utf-8", **reading: Any) -> Source:
    """Write a table of the images p/0.png and p/1.png and read it."""
    images(place, "p/0.png", "p/1.png")
    (place / name).write_bytes(text.encode(encoding))
    return table(place / name, Reading(**reading))


def labels(source: Source) -> dict[bytes, str]:
    """Return the class of each image by the bytes that are read."""
    return {item.read(): source.classes[item.label] for item in source.items}


EXPECTED = {png(0): "a", png(1): "b"}
PLAIN = "file,label\np/0.png,a\np/1.png,b\n"


@pytest.mark.parametrize(
    ("name", "encoding", "text"),
    [
        ("t.csv", "utf-8", PLAIN),
        ("t.CSV", "utf-8-sig", PLAIN),
        ("t.csv", "utf-16", PLAIN.replace(",", "\t")),
        ("t.csv", "utf-8", PLAIN.replace(",", ";").replace("\n", "\r\n")),
        ("t.csv", "utf-8", PLAIN.replace(",", "\t")),
        ("t.csv", "utf-8", PLAIN.replace("a\n", "a,\n")),
        ("t.tsv", "utf-8", "file\tlabel\tnote\np/0.png\ta\tone, two, three\np/1.png\tb\t\n"),
        ("t.csv", "utf-8", "\n id, label ,file\n 1, a ,p/0.png\n 2, b\t, p/1.png\n,,\n"),
        ("t.csv", "utf-8", PLAIN.replace("p/", "p\\")),
        ("t.csv", "utf-8", PLAIN.replace("p/", ".\\p\\")),
        ("t.jsonl", "utf-8", '{"file": "p/0.png", "label": "a"}\n\n{"label": "b", "x": [1], "file": "p/1.png"}\n'),
    ],
)
def test_the_ways_to_write_a_table(tmp_path: Path, name: str, encoding: str, text: str) -> None:
    """Excel's byte order mark and UTF-16, semicolons, tabs, spaces, Windows' line ends and backslashes."""
    assert labels(from_text(tmp_path, text, name, encoding)) == EXPECTED


@pytest.mark.parametrize("file", ["File", "file_name", "filename", "path", "image", "img_path", "image_name"])
@pytest.mark.parametrize("label", ["Label", "class", "category", "target"])
def test_the_usual_names_of_columns(tmp_path: Path, file: str, label: str) -> None:
    """In any letter case, among columns with other names."""
    text = f"id,{label},{file}\n1,a,p/0.png\n2,b,p/1.png\n"
    assert labels(from_text(tmp_path, text)) == EXPECTED


def test_unusual_and_several_names_need_an_option(tmp_path: Path) -> None:
    """The columns are listed; the option wins over a usual name too."""
    text = "x,breed,file,class\np/1.png,a,p/0.png,1\np/0.png,b,p/1.png,2\n"
    assert labels(from_text(tmp_path, text, label="breed")) == EXPECTED
    assert labels(from_text(tmp_path, text, label="breed", file_column="x")) == {png(1): "a", png(0): "b"}
    with pytest.raises(BadInput, match="--label species: no such column; it has x, breed, file, class"):
        from_text(tmp_path, text, label="species")
    with pytest.raises(BadInput, match=r"several columns may be the label \(label, class\)"):
        from_text(tmp_path, "file,label,class\n")
    with pytest.raises(BadInput, match="--label a: more than one such column"):
        from_text(tmp_path, "file,a,a\n", label="a")
    with pytest.raises(
        BadInput, match=r"no column is the label; it has file, breed\nwant one of label, .*--label NAME"
    ):
        from_text(tmp_path, "file,breed\n")


def test_a_backslash_may_be_part_of_a_name(tmp_path: Path) -> None:
    """Where a file has just that name it is meant."""
    images(tmp_path, "p\\0.png", "p/0.png")
    (tmp_path / "t.csv").write_text("file,label\np\\0.png,a\np/0.png,b\n")
    assert labels(table(tmp_path / "t.csv", Reading())) == {png(0): "a", png(1): "b"}


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("t.jsonl", '{"file": "a", "label": "b"}\n{', "t.jsonl: line 2 is no JSON"),
        ("t.jsonl", '{"file": "a", "label": "b"}\n[1]', r"t.jsonl: line 2 is \[1\]; want an object"),
        ("t.jsonl", '{"file": "a", "label": ["b"]}', r"line 1: column label is \['b'\]; want text of one line"),
        ("t.jsonl", '{"file": "a", "label": true}', "line 1: column label is True; want text"),
        ("t.jsonl", '{"file": null, "label": "a"}', r"line 1 has no file \(column file\)"),
        ("t.csv", "file,label\n,a", r"line 2 has no file \(column file\); fill it in or remove the line"),
        ("t.csv", "file;label;note\nx;a;b;c", r"line 2 has 4 values \(x;a;b;c\), want 3: file;label;note"),
        ("t.parquet", "PAR1", "t.parquet: cannot be read as Parquet"),
        ("t.xlsx", "", r"t.xlsx: no table; want a file .csv, .tsv.*\nt.xlsx: a spreadsheet, not read; save it as CSV"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, name: str, text: str, error: str) -> None:
    """The table, the line, what was there and what was wanted, in three lines."""
    with pytest.raises(BadInput, match=error) as caught:
        from_text(tmp_path, text, name)
    assert len(str(caught.value).splitlines()) <= 3


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A table in another encoding would give class names that nobody wrote."""
    with pytest.raises(BadInput, match=r"t\.csv: line 2 is not in UTF-8; save it as UTF-8"):
        from_text(tmp_path, "file,label\nx,é", encoding="latin-1")


def test_paths_that_begin_with_a_split(tmp_path: Path) -> None:
    """They say the split where no column does and all of them do."""
    images(tmp_path, "train/0.png", "test/1.png")
    (tmp_path / "t.csv").write_text("file,label\ntrain/0.png,a\ntest/1.png,b\n")
    found = table(tmp_path / "t.csv", Reading())
    assert (found.partition, found.notes) == (["train", "test"], ["splits train 1, test 1 as the folders say"])


def test_a_table_for_each_split(tmp_path: Path) -> None:
    """train.csv and test.csv in a folder; other tables there are none of the set."""
    images(tmp_path, "p/0.png", "p/1.png")
    (tmp_path / "train.csv").write_text("file,label\np/0.png,a\n")
    (tmp_path / "test_labels.tsv").write_text("file\tlabel\np/1.png\tb\n")
    (tmp_path / "other.csv").write_text("x")
    found = table(tmp_path, Reading())
    assert (labels(found), found.partition) == (EXPECTED, ["test", "train"])
    assert found.notes == ["splits train 1, test 1 as the names of files and folders say"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty: no table; want a file"):
        table(tmp_path / "empty", Reading())


@pytest.mark.parametrize("read", [folder, table])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("where", ["above", "in each split"])
def test_metadata_of_an_imagefolder(
    tmp_path: Path, read: Callable[[Path, Reading], Source], kind: str, where: str
) -> None:
    """Hugging Face's `file_name` and a label, for all images or next to those of each split."""
    images(tmp_path, "train/0.png", "test/1.png")
    rows = {"train": ("0.png", "a"), "test": ("1.png", "b")}
    if where == "above":
        tables = {tmp_path: [(f"{split}/{name}", label) for split, (name, label) in rows.items()]}
    else:
        tables = {tmp_path / split: [row] for split, row in rows.items()}
    for place, listed in tables.items():
        if kind == "csv":
            text = "file_name,label\n" + "".join(f"{name},{label}\n" for name, label in listed)
        else:
            text = "".join(json.dumps({"file_name": name, "label": label}) + "\n" for name, label in listed)
        (place / f"metadata.{kind}").write_text(text)
    found = read(tmp_path, Reading())
    assert labels(found) == EXPECTED
    assert {item.origin["file"] for item in found.items} == {"train/0.png", "test/1.png"}
    assert {item.read(): split for item, split in zip(found.items, found.partition or [], strict=True)} == {
        png(0): "train",
        png(1): "test",
    }


def test_images_that_the_metadata_do_not_list_are_named(tmp_path: Path) -> None:
    """They are not taken; one without a label is listed, and is said once."""
    images(tmp_path, "a.png", "b.png", "c.png", "more/d.png")
    (tmp_path / "metadata.csv").write_text("file_name,label\n./a.png,x\nb.png,y\nc.png,\n")
    found = folder(tmp_path, Reading())
    assert (found.classes, found.ignored) == (("x", "y"), 3)
    assert found.warnings == [
        "images without a label, not taken: 1 (c.png)",
        "images that the metadata do not list, not taken: 2 (c.png, more/d.png)",
    ]


def test_metadata_without_a_label_leaves_the_classes_to_the_folders(tmp_path: Path) -> None:
    """Captions are no classes; nor are the columns of a table that lists no files."""
    images(tmp_path, "a/0.png", "b/1.png")
    for text in ("file_name,text\na/0.png,x\nb/1.png,y\n", "id,label\n1,x\n2,y\n"):
        (tmp_path / "metadata.csv").write_text(text)
        assert folder(tmp_path, Reading()).classes == ("a", "b")
    (tmp_path / "metadata.csv").write_text("file_name,text\na/0.png,x\nb/1.png,y\n")
    assert folder(tmp_path, Reading(label="text")).classes == ("x", "y")


def hugging_face(count: int, names: list[str], **more: Any) -> Any:
    """Return a set of `datasets` whose images have labels in turn."""
    from datasets import ClassLabel, Dataset, Features, Image, Value

    features = {"picture": Image(), "animal": ClassLabel(names=names)} | dict.fromkeys(more, Value("string"))
    rows = {
        "picture": [{"bytes": png(number), "path": f"{number}.png"} for number in range(count)],
        "animal": [number % len(names) for number in range(count)],
    }
    return Dataset.from_dict(rows | more, features=Features(features))


def test_parquet_as_datasets_writes_it(tmp_path: Path) -> None:
    """Names of a ClassLabel in its order, bytes of the images, files for each split and several for one."""
    made = hugging_face(9, ["dog", "cat", "ant"], who=[str(number // 3) for number in range(9)])
    (tmp_path / "data").mkdir()
    for name, rows in {
        "train-00000-of-00002": range(4),
        "train-00001-of-00002": range(4, 6),
        "test": range(6, 9),
    }.items():
        made.select(rows).to_parquet(tmp_path / "data" / f"{name}.parquet")
    for read in (folder, table):
        found = read(tmp_path, Reading(group_column="who"))
        assert found.classes == ("dog", "cat", "ant")
        assert labels(found) == {png(number): ("dog", "cat", "ant")[number % 3] for number in range(9)}
        assert found.notes == ["splits train 6, test 3 as the names of files and folders say"]
        assert sorted(found.groups or ()) == ["0"] * 3 + ["1"] * 3 + ["2"] * 3
        item = next(item for item in found.items if item.read() == png(5))
        assert item.origin == {"source": "csv", "file": "data/train-00001-of-00002.parquet", "key": "5.png", "index": 1}
        assert np.asarray(item.decode(item.read())).shape == (8, 8, 3)


def test_parquet_of_a_converted_set(tmp_path: Path) -> None:
    """Hugging Face's own conversion names the folders for the splits; a missing label is one."""
    from datasets import ClassLabel, Dataset, Features, Image

    made = hugging_face(4, ["b", "a"])
    hidden = Dataset.from_dict(
        {"picture": [{"bytes": png(5), "path": None}] * 2, "animal": [-1, None]},
        features=Features({"picture": Image(), "animal": ClassLabel(names=["b", "a"])}),
    )
    for split, part in (("train", made), ("validation", made.select(range(2))), ("test", hidden)):
        (tmp_path / "default" / split).mkdir(parents=True)
        part.to_parquet(tmp_path / "default" / split / "0000.parquet")
    found = folder(tmp_path, Reading())
    assert (found.classes, found.ignored) == (("b", "a"), 2)
    assert found.partition == ["train"] * 4 + ["val"] * 2


def test_parquet_of_two_sets_is_refused(tmp_path: Path) -> None:
    """Files that declare other classes are of another set."""
    hugging_face(2, ["a", "b"]).to_parquet(tmp_path / "1.parquet")
    hugging_face(2, ["b", "a"]).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(BadInput, match=r"2\.parquet: declares other classes than 1\.parquet"):
        folder(tmp_path, Reading())


def test_parquet_with_paths_or_plain_bytes(tmp_path: Path) -> None:
    """A column of paths is relative to the file; bytes need no name that is usual; a row without an image says so."""
    import pyarrow
    from pyarrow import parquet

    images(tmp_path, "p/0.png", "p/1.png")
    parquet.write_table(
        pyarrow.table({"path": ["p/0.png", "p\\1.png"], "label": ["a", "b"]}), tmp_path / "paths.parquet"
    )
    assert labels(table(tmp_path / "paths.parquet", Reading())) == EXPECTED
    parquet.write_table(pyarrow.table({"x": [png(0), png(1), None], "label": [1, 0, 1]}), tmp_path / "bytes.parquet")
    found = table(tmp_path / "bytes.parquet", Reading())
    assert labels_without_last(found) == {png(0): "1", png(1): "0"}
    with pytest.raises(ValueError, match="no image in this row"):
        found.items[2].read()
    parquet.write_table(
        pyarrow.table({"image": [{"bytes": None, "path": "p/0.png"}, {"bytes": png(1), "path": None}], "y": [1, 2]}),
        tmp_path / "both.parquet",
    )
    assert labels(table(tmp_path / "both.parquet", Reading())) == {png(0): "1", png(1): "2"}
    with pytest.raises(BadInput, match=re.escape("--file-column z: no such column; it has image, y")):
        table(tmp_path / "both.parquet", Reading(file_column="z"))


def labels_without_last(source: Source) -> dict[bytes, str]:
    """Return the class of each image but the last."""
    return {item.read(): source.classes[item.label] for item in source.items[:-1]}
