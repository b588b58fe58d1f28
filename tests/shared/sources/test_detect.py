"""Paths that people type are found by one rule, and the source that reads each is told by its names."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.sources.detect import files_of, find, kind_of


def _tar(path: Path, names: list[str], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name in names:
            archive.addfile(tarfile.TarInfo(name), BytesIO())
    return path


def test_a_relative_path_is_looked_for_where_one_is_then_below_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./here` is what the shell completes; without it, recipes that name a folder of the volume go on to work."""
    here, sources = tmp_path / "here", tmp_path / "volume" / "sources"
    (here / "photos").mkdir(parents=True)
    for name in ("photos", "other"):
        (sources / name).mkdir(parents=True)
    monkeypatch.chdir(here)
    assert find("./photos", "folder", sources) == here / "photos"
    assert find("other", "folder", sources) == sources / "other"
    assert find(str(sources / "photos"), "folder", sources) == sources / "photos"
    assert find(None, "folder", sources) == sources / "folder"
    # on the volume an experiment may have the name of a source
    monkeypatch.chdir(tmp_path / "volume")
    (tmp_path / "volume" / "photos" / "real").mkdir(parents=True)
    assert find("photos", "folder", sources) == sources / "photos"
    assert find("./sources/other", "folder", sources) == tmp_path / "volume" / "sources" / "other"
    monkeypatch.setenv("HOME", str(here))
    assert find("~/photos", "folder", sources) == here / "photos"


def test_a_path_that_is_nowhere_is_refused_with_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where halfreal looked, and the rule."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        find("gone", "folder", tmp_path / "volume" / "sources")
    assert str(caught.value) == (
        f"gone: there is neither {tmp_path / 'gone'} nor {tmp_path / 'volume' / 'sources' / 'gone'}; "
        "a relative path is looked for where you are, then below sources/\n"
        "want a folder of images, a table, shards or an archive; is the name mistyped?"
    )
    with pytest.raises(BadInput, match="/gone: does not exist\nwant a folder of images, a table, shards or an archive"):
        find("/gone", "folder", tmp_path)
    with pytest.raises(BadInput, match="~nobody-here/a: there is neither"):
        find("~nobody-here/a", "folder", tmp_path / "volume" / "sources")
    assert find("new", "mnist", tmp_path / "sources", may_be_new=True) == tmp_path / "sources" / "new"
    for address in ("https://example.org/a.tar", "s3://bucket/a.tar", "hf://datasets/a", "pipe:cat a.tar"):
        with pytest.raises(BadInput, match="an address; download the files first"):
            find(address, "folder", tmp_path)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("d-{000..003}.tar", ["d-000.tar", "d-001.tar", "d-002.tar", "d-003.tar"]),
        ("d-{9..11}.tar", ["d-9.tar", "d-10.tar", "d-11.tar"]),
        ("d-{09..11}.tar", ["d-09.tar", "d-10.tar", "d-11.tar"]),
        ("d-{2..1}.tar", ["d-2.tar", "d-1.tar"]),
        ("{train,val}-{0..1}.tar", ["train-0.tar", "train-1.tar", "val-0.tar", "val-1.tar"]),
        ("{x}.tar", ["{x}.tar"]),
        ("plain.tar", []),
    ],
)
def test_braces_are_expanded_as_in_a_shell(tmp_path: Path, pattern: str, names: list[str]) -> None:
    """Ranges keep the width of their ends, lists their order; a path without braces is no pattern."""
    assert [path.name for path in files_of(tmp_path / pattern)] == names


def test_a_file_with_braces_in_its_name_is_itself(tmp_path: Path) -> None:
    """What exists under just this name is no pattern."""
    (tmp_path / "{0..1}").mkdir()
    assert files_of(tmp_path / "{0..1}") == []
    assert kind_of(tmp_path / "{0..1}") == "folder"


def test_a_mistyped_range_is_refused(tmp_path: Path) -> None:
    """A range of a billion names would fill the memory."""
    for pattern in ("d-{0..999999999}.tar", "{0..999}{0..999}.tar"):
        with pytest.raises(BadInput, match="want at most 100,000"):
            files_of(tmp_path / pattern)


def test_a_pattern_is_found_by_any_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source then names the files that are missing."""
    _tar(tmp_path / "here" / "d-1.tar", ["a.png", "a.cls"])
    monkeypatch.chdir(tmp_path / "here")
    assert find("d-{0..1}.tar", "webdataset", tmp_path) == tmp_path / "here" / "d-{0..1}.tar"
    assert kind_of(Path("d-{0..1}.tar")) == "webdataset"


def test_the_kind_of_a_path(tmp_path: Path) -> None:
    """Folders, tables, shards and archives are told apart by names, tars by their members."""
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "images" / "dog").mkdir()
    _tar(tmp_path / "images" / "leftover.tar", ["x.png"])
    _tar(tmp_path / "shards" / "0.tar", ["a.png", "a.cls"])
    _tar(tmp_path / "packed" / "0.tar.gz", ["a.png", "a.cls"], "w:gz")
    for split in ("train", "test"):
        _tar(tmp_path / "split" / split / "0.tar", ["a.png", "a.cls"])
    own = _tar(tmp_path / "own" / "train-00000.tar", ["a.png", "a.cls"]).parent
    (own / "manifest.json").touch()
    (own / "figures").mkdir()
    for name in ("a.csv", "A.TSV", "a.jsonl", "a.parquet", "a.zip", "a.docx"):
        (tmp_path / name).touch()
    _tar(tmp_path / "folders.tar", ["cat/1.png", "dog/1.png"])
    _tar(tmp_path / "stylegan.tar", ["0/1.png", "dataset.json"])
    _tar(tmp_path / "folders.tgz", ["cat/1.png"], "w:gz")
    _tar(tmp_path / "one.tar", ["a.png", "a.json"])
    kinds = {
        "folder": ("images", "a.zip", "folders.tar", "stylegan.tar", "folders.tgz"),
        "webdataset": ("shards", "packed", "split", "own", "one.tar", "new-{0..3}.tar"),
        "csv": ("a.csv", "A.TSV", "a.jsonl", "a.parquet"),
    }
    assert {name: kind_of(tmp_path / name) for names in kinds.values() for name in names} == {
        name: kind for kind, names in kinds.items() for name in names
    }
    with pytest.raises(BadInput, match=r"a\.docx: no source; want a folder of images, a table"):
        kind_of(tmp_path / "a.docx")
    with pytest.raises(BadInput, match="does not exist"):
        kind_of(tmp_path / "gone")
