"""Folders and tables give their images and labels, and report what cannot be used."""

import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.preprocess.source_files import done, everything, fill, preprocess, samples

pytestmark = pytest.mark.usefixtures("as_if_sent")


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    """Each folder with images is a class, in alphabetical order; subfolders count, hidden and other files do not."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"dogs": 10, "cats": 12, "cats/deep": 3})
    (place / "empty").mkdir()
    (place / "cats" / "notes.txt").write_text("x")
    (place / "cats" / ".hidden.png").write_bytes(b"x")
    artifact = done(tmp_path, "--source", "folder")
    assert artifact.dataset.classes == ["cats", "dogs"]
    totals = np.sum([split.class_counts for split in artifact.dataset.splits.values()], axis=0)
    assert totals.tolist() == [15, 10]


def test_a_table_of_files_and_labels(tmp_path: Path) -> None:
    """A CSV names files relative to itself and labels of any text; a sample's json says which file it was."""
    place = tmp_path / "sources"
    fill(place / "pictures", {"all": 20})
    rows = [f"pictures/all/{index:03d}.png,{'odd, yes' if index % 2 else 'even'}" for index in range(20)]
    quoted = [row.replace(",odd, yes", ',"odd, yes"') for row in rows]
    (place / "table.csv").write_text("file,label\n" + "\n".join(quoted) + "\n")
    artifact = done(tmp_path, "--source", "folder", "--source-path", "table.csv")
    assert artifact.dataset.classes == ["even", "odd, yes"]
    for sample in samples(artifact, "train"):
        assert int(Path(sample.meta["origin"]["file"]).stem) % 2 == sample.label


@pytest.mark.fault(21)
def test_classes_of_very_different_size_are_warned_of(tmp_path: Path) -> None:
    """Before anything is trained: which classes, and what to look at; nine times as many are no reason."""
    fill(tmp_path / "sources" / "folder", {"cats": 100, "dogs": 6})
    said = preprocess(tmp_path, "--source", "folder").output
    assert "warning: classes of very different size: 69 of cats, 4 of dogs; a classifier that never answers" in said
    assert "--class-weights balanced" in said
    shutil.rmtree(tmp_path / "sources" / "folder" / "cats")
    fill(tmp_path / "sources" / "folder", {"cats": 50})
    assert "different size" not in preprocess(tmp_path, "--source", "folder", "--force").output


def test_unreadable_files_are_listed_with_a_reason(tmp_path: Path) -> None:
    """A broken file is left out, counted, and listed in rejected.jsonl; the rest is complete."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 60, "b": 60})
    whole = (place / "a" / "007.png").read_bytes()
    (place / "a" / "007.png").write_bytes(whole[: len(whole) // 2])
    artifact = done(tmp_path, "--source", "folder")
    assert artifact.facts["rejected"] == 1
    (row,) = [json.loads(line) for line in artifact.read("rejected.jsonl").splitlines()]
    assert row["origin"]["file"] == "a/007.png"
    assert row["reason"].startswith("cannot be read: ")
    assert sum(split.count for split in artifact.dataset.splits.values()) == 119


def bomb() -> bytes:
    """Return a tiny PNG that claims to have 400 million pixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(2501))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def test_hostile_files_are_listed_too(tmp_path: Path) -> None:
    """A decompression bomb, a dangling link and a name with a NUL are rejected, each with its reason."""
    place = tmp_path / "sources"
    fill(place / "folder", {"a": 60, "b": 60})
    (place / "folder" / "a" / "bomb.png").write_bytes(bomb())
    (place / "folder" / "b" / "lost.png").symlink_to("nowhere.png")
    artifact = done(tmp_path, "--source", "folder", "--max-rejected", "0.1")
    listed = [json.loads(line) for line in artifact.read("rejected.jsonl").splitlines()]
    reasons = {row["origin"]["file"]: row["reason"] for row in listed}
    assert reasons.keys() == {"a/bomb.png", "b/lost.png"}
    assert "400,000,000 pixels" in reasons["a/bomb.png"]
    rows = [f"folder/{name}/{index:03d}.png,{name}" for name in "ab" for index in range(60)]
    (place / "t.csv").write_text("file,label\n" + "\n".join(rows) + "\nfolder/a/\0.png,a\n")
    result = preprocess(tmp_path, "--source", "folder", "--source-path", "t.csv", "--max-rejected", "0.001", "--force")
    assert result.exit_code == 2, result.output
    assert "null byte" in result.output


@pytest.mark.parametrize("broken", ["text", "missing"])
def test_too_many_rejects_fail_the_job(tmp_path: Path, broken: str) -> None:
    """Above --max-rejected the job ends with 2, names the first file and leaves no artifact."""
    place = tmp_path / "sources"
    fill(place / "p", {"a": 10, "b": 10})
    bad = place / "p" / "a" / "003.png"
    rows = [f"p/{name}/{index:03d}.png,{name}" for name in "ab" for index in range(10)]
    (place / "t.csv").write_text("file,label\n" + "\n".join(rows))
    bad.unlink() if broken == "missing" else bad.write_text("<html>quota exceeded</html>")
    result = preprocess(tmp_path, "--source", "folder", "--source-path", "t.csv")
    assert result.exit_code == 2
    assert "003.png" in result.output
    assert "--max-rejected" in result.output
    assert "those found so far, with reasons: " in result.output
    assert not (tmp_path / "e" / "real").exists()
    listed = (tmp_path / "e" / "real-rejected.jsonl").read_text().splitlines()
    assert len(listed) == 1
    done(tmp_path, "--source", "folder", "--source-path", "t.csv", "--max-rejected", "0.1")
    assert not (tmp_path / "e" / "real-rejected.jsonl").exists()  # the artifact now has its own


def test_a_class_without_usable_images_is_refused(tmp_path: Path) -> None:
    """A class left without images by the limit or by decoding ends the job with 2 and its name, without an artifact."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 60, "b": 1})
    result = preprocess(tmp_path, "--source", "folder", "--limit", "10")
    assert result.exit_code == 2
    assert "folder: 1 of 2 classes have no image that can be used (b) among the 10 taken" in result.stderr
    assert "add images of each class, or raise --limit" in result.stderr
    (place / "b" / "000.png").unlink()
    for index in range(12):
        (place / "b" / f"{index}.png").write_text(f"<html>{index}</html>")
    result = preprocess(tmp_path, "--source", "folder", "--max-rejected", "0.5")
    assert result.exit_code == 2
    assert "1 of 2 classes have no image that can be used (b)" in result.stderr
    assert not (tmp_path / "e" / "real").exists()


def test_equal_images_stay_in_one_split(tmp_path: Path) -> None:
    """Copies of a file under other names, even in another class, are never in two splits."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 30, "b": 30})
    for index in range(0, 30, 3):
        copy = (place / "a" / f"{index:03d}.png").read_bytes()
        (place / "a" / f"copy-{index:03d}.png").write_bytes(copy)
    (place / "b" / "other-label.png").write_bytes((place / "a" / "004.png").read_bytes())
    artifact = done(tmp_path, "--source", "folder")
    hashes = {name: {s.meta["origin"]["sha256"] for s in found} for name, found in everything(artifact).items()}
    assert not hashes["train"] & hashes["val"]
    assert not hashes["train"] & hashes["test"]
    assert not hashes["val"] & hashes["test"]
    assert artifact.facts["duplicates"] == 11
    assert artifact.facts["duplicates_with_other_label"] == 1


def test_limits_keep_the_proportions(tmp_path: Path) -> None:
    """--limit keeps each class's share; --per-class draws equally many of each; equal seeds draw equally."""
    fill(tmp_path / "sources" / "folder", {"a": 80, "b": 40})
    artifact = done(tmp_path, "--source", "folder", "--limit", "60")
    assert np.sum([s.class_counts for s in artifact.dataset.splits.values()], axis=0).tolist() == [40, 20]
    artifact = done(tmp_path, "--source", "folder", "--per-class", "30", "--limit-seed", "4")
    assert np.sum([s.class_counts for s in artifact.dataset.splits.values()], axis=0).tolist() == [30, 30]
    again = done(tmp_path, "--source", "folder", "--per-class", "30", "--limit-seed", "4", "--force")
    assert again.sha256 == artifact.sha256


def test_a_path_is_relative_to_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--source-path ./here` reads what the shell completed, and says which folder that is."""
    fill(tmp_path / "home" / "here", {"a": 20, "b": 20})
    monkeypatch.chdir(tmp_path / "home")
    result = preprocess(tmp_path / "volume", "--source", "folder", "--source-path", "./here")
    assert result.exit_code == 0, result.output
    assert f"reading {tmp_path / 'home' / 'here'}" in result.stderr
