"""Folders and tables: messages on skipped files, duplicates and the wrong line of a table."""

import os
from pathlib import Path

import pytest

from shared.store.artifacts import open_artifact
from tests.jobs.preprocess.source_files import done, everything, fill, picture, preprocess

pytestmark = pytest.mark.usefixtures("as_if_sent")


def test_skipped_files_are_reported_and_counted(tmp_path: Path) -> None:
    """Images outside the class folders, files without an image suffix and empty folders have a line each."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"cats": 20, "dogs": 20, "owls": 0, "pigs": 0})
    (tmp_path / "elsewhere").mkdir()
    for name in ("d.png", "c.jpg", "b.PNG", "a.png"):
        (place / name).write_bytes(b"x")
    for name in ("labels.csv", "cats/photo", "cats/img.jpg_", "dogs/Thumbs.db", "pigs/png", "cats/.hidden"):
        (place / name).write_bytes(b"x")
    (place / "cats" / "linked").symlink_to(tmp_path / "elsewhere")
    (place / "dogs" / "two\nlines").write_bytes(b"x")
    result = preprocess(tmp_path, "--source", "folder")
    assert result.exit_code == 0, result.output
    warnings = [line for line in result.stderr.splitlines() if "warning" in line]
    assert warnings == [
        "preprocess: warning: images outside the class folders, not taken: 4 (a.png, b.PNG, c.jpg, ...); "
        "move each into the folder of its class",
        "preprocess: warning: files without the suffix of an image, not taken: 6 "
        "(cats/img.jpg_, cats/photo, dogs/Thumbs.db, ...); save images as PNG or JPEG",
        "preprocess: warning: links to folders, not followed: 1 (cats/linked/); "
        "copy the folder to the place of the link",
        "preprocess: warning: folders without an image, which are no class: 2 (owls, pigs); "
        "put images there, or remove them",
    ]
    artifact = open_artifact(tmp_path / "e" / "real", "dataset", "preprocess")
    assert artifact.dataset.classes == ["cats", "dogs"]
    assert artifact.facts["ignored"] == 11


def test_names_that_would_break_a_line_are_escaped(tmp_path: Path) -> None:
    """A file name with a line break is escaped on its one line."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"cats": 20, "dogs": 20})
    (place / "dogs" / "two\nlines").write_bytes(b"x")
    assert r"not taken: 1 ('dogs/two\nlines');" in preprocess(tmp_path, "--source", "folder").stderr


def test_too_few_classes_report_the_skipped_files(tmp_path: Path) -> None:
    """Where all images are outside the folders or have odd suffixes, the error says so, in three lines."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"cats": 2, "dogs": 0})
    (place / "a.png").write_bytes(b"x")
    result = preprocess(tmp_path, "--source", "folder")
    assert result.exit_code == 2
    assert "folder: 1 classes (cats), want at least 2" in result.stderr
    assert "not taken: 1 (a.png)" in result.stderr
    assert "no class: 1 (dogs)" in result.stderr


@pytest.mark.parametrize("name", [b"caf\xe9", b"two\nlines"])
def test_a_folder_whose_name_is_no_class_is_refused(tmp_path: Path, name: bytes) -> None:
    """A class name is one line of text; a file name may hold any bytes."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 20, "b": 20})
    (place / "a" / "000.png").rename(place / "a" / f"{os.fsdecode(name)}.png")
    assert done(tmp_path, "--source", "folder").facts["rejected"] == 0
    (place / "b").rename(place / os.fsdecode(name))
    result = preprocess(tmp_path, "--source", "folder", "--force")
    assert result.exit_code == 2
    assert f"the folder {os.fsdecode(name)!a} has a name that is no text of one line" in result.stderr


def test_duplicates_are_reported(tmp_path: Path) -> None:
    """Copies are reported with an example, those under two labels with both; broken files are no copies."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 30, "b": 30})
    for copy, first in (("a/copy.png", "a/004.png"), ("b/torn.png", "a/005.png")):
        (place / copy).write_bytes((place / first).read_bytes())
    for name in ("a/bad.png", "b/bad.png"):
        (place / name).write_bytes(b"<html>")
    result = preprocess(tmp_path, "--source", "folder", "--max-rejected", "0.1")
    assert result.exit_code == 0, result.output
    assert "images that are copies of others: 2 (a/copy.png equals a/004.png)" in result.stderr
    said = "warning: images equal to one with another label: 1 (b/torn.png (b) equals a/005.png (a)); both are kept"
    assert said in result.stderr
    artifact = open_artifact(tmp_path / "e" / "real", "dataset", "preprocess")
    assert (artifact.facts["duplicates"], artifact.facts["duplicates_with_other_label"]) == (2, 1)
    assert sum(split.count for split in artifact.dataset.splits.values()) == 62


def test_a_set_without_copies_or_oddities_is_silent(tmp_path: Path) -> None:
    """A plain folder gives no message except that it is complete."""
    fill(tmp_path / "sources" / "folder", {"a": 20, "b": 20})
    result = preprocess(tmp_path, "--source", "folder")
    assert result.stderr.splitlines()[0].startswith("preprocess: complete in ")


def test_fractions_are_exact_and_of_the_distinct_images(tmp_path: Path) -> None:
    """A tenth of 30 distinct images is 3 and a fifth is 6, however many copies there are."""
    place = tmp_path / "sources"
    fill(place / "p", {"a": 15, "b": 15})
    rows = [f"p/{name}/{index:03d}.png,{name}" for name in "ab" for index in range(15)]
    (place / "t.csv").write_text("\n".join(["file,label", *rows, *rows[:5]]))
    artifact = done(tmp_path, "--source", "folder", "--source-path", "t.csv")
    different = {
        name: len({sample.meta["origin"]["sha256"] for sample in found}) for name, found in everything(artifact).items()
    }
    assert different == {"train": 21, "val": 3, "test": 6}
    assert sum(split.count for split in artifact.dataset.splits.values()) == 35


def table(root: Path, text: str) -> Path:
    """Write 20 pictures p/00.png, ... and a table whose %s is a line for each, labelled a and b in turn."""
    place = root / "sources"
    (place / "p").mkdir(parents=True)
    for index in range(20):
        picture(index).save(place / "p" / f"{index:02d}.png")
    rows = "\n".join(f"p/{index:02d}.png,{'ab'[index % 2]}" for index in range(20))
    (place / "t.csv").write_text(text.replace("%s", rows), encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "file,label\n%s\np/00.png,a,b\n",
            "line 22 has 3 values (p/00.png,a,b), want 2: file,label\nput text with ','",
        ),
        ('file,label\n%s\np/00.png,"a\nb"\n', r"line 22: column label is 'a\nb'; want text of one line"),
        ('file,label\np/00.png,"a\n%s\n', "line 2 is no CSV (unexpected end of data); is a quote missing?"),
        ("file,label\n%s\n,a\n", "line 22 has no file (column file); fill it in or remove the line"),
        ('file,label\n"p/00.png","b\nc"\n,a\n%s', r"line 2: column label is 'b\nc'; want text of one line"),
        ("file,label\n\n\n,a\n%s", "line 4 has no file (column file)"),
        ("", "is empty; want a first line with the names of its columns, such as file,label"),
        ("\n \n,\n", "is empty; want a first line with the names"),
        ("%s", "no column is the file; it has p/00.png, a\nwant one of file, file_name, filename, "),
        ("file;animal\n", "no column is the label; it has file, animal\nwant one of label, labels, class, "),
        ("file,label,label\n%s", "several columns may be the label (label, label); it has file, label, label\nwant"),
        ("file,class,target\n%s", "several columns may be the label (class, target); it has file, class, target"),
        ("file,label\n", "0 classes, want at least 2"),
        ("file,label,split\np/00.png,a,train\np/01.png,b,tset", "line 3: column split is tset; want train, val (valid"),
        ("file,label,split\np/00.png,a,train\np/01.png,b,", "line 3: column split is empty; want train, val (valid"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    """The message names the table, the line, the value and what was expected; exit 2, at most three lines."""
    table(tmp_path, text)
    result = preprocess(tmp_path, "--source", "folder", "--source-path", "t.csv")
    assert result.exit_code == 2
    error = result.stderr[result.stderr.index("error: ") :]
    assert f"t.csv: {said}" in error
    assert [line for line in error.replace(str(tmp_path), "").splitlines() if len(line) > 200] == []
    assert len(error.splitlines()) <= 3
    assert not (tmp_path / "e" / "real").exists()


def test_a_table_may_have_blank_lines_spaces_and_other_columns(tmp_path: Path) -> None:
    """Empty lines are skipped, spaces around values are ignored, other columns are not read."""
    table(
        tmp_path,
        "\n id, label ,file\n   \n" + "".join(f"{i}, {'ab'[i % 2]} , p/{i:02d}.png\n" for i in range(20)) + ",,\n  ",
    )
    artifact = done(tmp_path, "--source", "folder", "--source-path", "t.csv")
    assert artifact.dataset.classes == ["a", "b"]
    assert sum(split.count for split in artifact.dataset.splits.values()) == 20
    assert artifact.facts["rejected"] == 0


def test_a_table_may_name_files_anywhere(tmp_path: Path) -> None:
    """A path may be absolute or lead above the table's folder; the origin holds it as the table does."""
    place = table(tmp_path, "")
    named = [str(place / "p" / f"{i:02d}.png") if i % 2 else f"../sources/p/{i:02d}.png" for i in range(20)]
    (place / "t.csv").write_text("file,label\n" + "\n".join(f"{name},{'ab'[i % 2]}" for i, name in enumerate(named)))
    artifact = done(tmp_path, "--source", "folder", "--source-path", "t.csv")
    found = {sample.meta["origin"]["file"] for split in everything(artifact).values() for sample in split}
    assert found == set(named)


def test_a_limit_that_leaves_too_few_images_is_named(tmp_path: Path) -> None:
    """Next to a fraction that works with it."""
    fill(tmp_path / "sources" / "folder", {"a": 20, "b": 20})
    result = preprocess(tmp_path, "--source", "folder", "--limit", "10")
    assert result.exit_code == 2
    assert "--val-fraction 0.11 gives 2; or raise --limit 10\n" in result.stderr
