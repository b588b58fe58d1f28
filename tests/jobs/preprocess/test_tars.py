"""Foreign shards give their images and labels; what cannot be used is rejected with a reason."""

import json
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.preprocess.source_files import done, picture, preprocess, samples

pytestmark = pytest.mark.usefixtures("as_if_sent")


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> None:
    """Write a tar as other tools do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, payload in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(payload)
            tar.addfile(header, BytesIO(payload))


def encoded(number: int, kind: str) -> bytes:
    """Return a picture's file."""
    buffer = BytesIO()
    picture(number).save(buffer, format=kind, **({"lossless": True} if kind == "WEBP" else {}))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("suffix", "kind", "label"), [("png", "PNG", "cls"), ("jpg", "JPEG", "cls"), ("webp", "WEBP", "json")]
)
def test_foreign_shards(tmp_path: Path, suffix: str, kind: str, label: str) -> None:
    """jpg, png and webp with cls or json are read; numeric labels are ordered as numbers; pickles are ignored."""
    members: dict[str, bytes] = {}
    for index in range(24):
        name = f"dir/sample{index:03d}"
        text = str(9 + index % 2)
        members[f"{name}.{suffix}"] = encoded(index, kind)
        members[f"{name}.{label}"] = json.dumps({"label": int(text)}).encode() if label == "json" else text.encode()
        members[f"{name}.extra.pyd"] = b"cposix\nsystem\n(S'exit 1'\ntR."
    write_tar(tmp_path / "sources" / "webdataset" / "part-0.tar", members)
    artifact = done(tmp_path, "--source", "webdataset")
    assert artifact.dataset.classes == ["9", "10"]
    for sample in samples(artifact, "train"):
        index = int(sample.meta["origin"]["key"][-3:])
        assert sample.label == index % 2
        if kind != "JPEG":
            np.testing.assert_array_equal(sample.image, np.asarray(picture(index)))


@pytest.mark.parametrize("damage", ["gzip", "no tar", "cut", "cut in an image", "broken in the middle"])
def test_foreign_shards_that_cannot_be_used(tmp_path: Path, damage: str) -> None:
    """A compressed, truncated or broken tar, even after whole samples, ends the job with 2 and the tar's name."""
    path = tmp_path / "sources" / "webdataset" / "part-0.tar"
    members = {
        f"s{index}.{kind}": encoded(index, "PNG") if kind == "png" else b"%d" % (index % 2)
        for index in range(9)
        for kind in ("png", "cls")
    }
    if damage != "no tar":
        write_tar(path, members, "w:gz" if damage == "gzip" else "w")
    if damage.startswith("cut"):
        path.write_bytes(path.read_bytes()[: 700 if damage == "cut" else 2000])
    if damage == "broken in the middle":
        with tarfile.open(path) as tar:
            fifth = tar.getmembers()[4].offset
        payload = path.read_bytes()
        path.write_bytes(payload[:fifth] + b"x" * 512 + payload[fifth + 512 :])
    result = preprocess(tmp_path, "--source", "webdataset")
    assert result.exit_code == 2
    said = "part-0.tar: cannot be read as an uncompressed tar"
    if damage == "no tar":
        said = f"{tmp_path / 'sources' / 'webdataset'}: want a .tar, or a folder of them, there is no such"
    assert said in " ".join(result.output.split())
    assert ("cut short in s" in result.output) == damage.startswith("cut")


@pytest.mark.parametrize("mark", ["none", "cut", "whole"])
def test_a_tar_without_an_end_mark_is_taken_with_a_warning(tmp_path: Path, mark: str) -> None:
    """Some writers omit the zeros at the end; a cut between two samples looks the same, hence the warning."""
    place = tmp_path / "sources" / "webdataset"
    write_tar(place / "part-0.tar", members_of(30))
    write_tar(place / "part-1.tar", {f"t{name}": payload for name, payload in members_of(30).items()})
    path = place / "part-1.tar"
    with tarfile.open(path) as tar:
        end = tar.getmembers()[20].offset
        payload = path.read_bytes()[:end]
    if mark != "none":
        payload += bytes(100 if mark == "cut" else 1024)
    path.write_bytes(payload)
    result = preprocess(tmp_path, "--source", "webdataset")
    assert result.exit_code == 0, result.output
    said = (
        "warning: tars without an end mark, perhaps cut short: 1 (part-1.tar); "
        "compare their number of samples, or fetch them again"
    )
    assert (f"preprocess: {said}\n" in result.stderr) == (mark == "none")
    artifact = done(tmp_path, "--source", "webdataset")
    assert sum(split.count for split in artifact.dataset.splits.values()) == 30 + 10


@pytest.mark.parametrize("where", ["header", "data", "between members"])
def test_a_tar_that_ends_in_a_sample_is_cut_short(tmp_path: Path, where: str) -> None:
    """A cut within a member is refused; one between an image and its label rejects that sample with a message."""
    path = tmp_path / "sources" / "webdataset" / "part-0.tar"
    write_tar(path, members_of(30))
    with tarfile.open(path) as tar:
        label = tar.getmembers()[41]
    end = {"header": label.offset + 100, "data": label.offset_data + 5, "between members": label.offset}[where]
    path.write_bytes(path.read_bytes()[:end])
    result = preprocess(tmp_path, "--source", "webdataset")
    said = {
        "header": f".tar: cannot be read as an uncompressed tar (cut short in the header at byte {label.offset:,}",
        "data": "part-0.tar: cannot be read as an uncompressed tar (cut short in s020.json)",
        "between members": "the first: part-0.tar, key s020: perhaps cut short: no label (.cls, .json); members: png",
    }
    assert result.exit_code == 2
    assert said[where] in result.stderr


def members_of(count: int) -> dict[str, bytes]:
    """Return the members of whole samples s000, s001, ... with the labels a and b in turn, in a json."""
    found: dict[str, bytes] = {}
    for index in range(count):
        found[f"s{index:03d}.png"] = encoded(index, "PNG")
        found[f"s{index:03d}.json"] = json.dumps({"label": "ab"[index % 2], "caption": "x"}).encode()
    return found


BAD = {
    "broken": ({"png": b"", "json": b"{,"}, "json is broken: Expecting property name"),
    "deep": ({"png": b"", "json": b"[" * 100_000}, "json is broken: nested too deep"),
    "list": ({"png": b"", "json": b"[1]"}, "json is a list; want an object with the field 'label'"),
    "other": ({"png": b"", "json": b'{"a": 1, "b": 2}'}, "json has no field 'label'; it has fields: a, b"),
    "many": ({"png": b"", "json": b'{"label": [1, 2]}'}, "field 'label' is a list; want text or a whole number"),
    "half": ({"png": b"", "json": b'{"label": 0.5}'}, "field 'label' is a decimal number; want text or a whole number"),
    "yes": ({"png": b"", "json": b'{"label": true}'}, "field 'label' is true or false; want text or a whole number"),
    "none": ({"png": b"", "json": b"null"}, "json is null; want an object with the field 'label'"),
    "lines": (
        {"png": b"", "cls": b"a\nb"},
        "cls is no text of one line, of at most 255 letters; want text or a whole number",
    ),
    "half-letter": ({"png": b"", "json": b'{"label": "\\ud800"}'}, "field 'label' is no text of one line, of at"),
    "bare": ({"png": b""}, "no label (.cls, .json); members: png"),
    "blind": ({"cls": b"a", "txt": b"x"}, "no image (.jpg, .jpeg, .png, .webp); members: cls, txt"),
}
"""Unusable samples by key, and the reason given for each."""


def test_bad_samples_are_rejected_each_with_its_reason(tmp_path: Path) -> None:
    """A sample without a label or an image is left out and counted; the others are complete."""
    members = members_of(120)
    members |= {f"{key}.{kind}": payload for key, (kinds, _) in BAD.items() for kind, payload in kinds.items()}
    # labels that mean none, by the rule of every source: not broken, but left out
    members |= {
        "u1.png": b"",
        "u1.json": b'{"label": null}',
        "u2.png": b"",
        "u2.cls": b" \n",
        "u3.png": b"",
        "u3.cls": b"-1",
    }
    members |= {"README": b"x", "folder/._s000.png": b"x"}  # neither key nor suffix: WebDataset skips them too
    write_tar(tmp_path / "sources" / "webdataset" / "part-0.tar", members)
    result = preprocess(tmp_path, "--source", "webdataset", "--max-rejected", "0.1")
    assert result.exit_code == 0, result.output
    assert "warning: members without key or suffix, not taken: 2 (README, folder/._s000.png)" in result.stderr
    assert "warning: images without a label, not taken: 3 (part-0.tar, key u1, part-0.tar, key u2" in result.stderr
    artifact = done(tmp_path, "--source", "webdataset", "--max-rejected", "0.1")
    assert artifact.dataset.classes == ["a", "b"]
    assert (artifact.facts["rejected"], artifact.facts["ignored"]) == (len(BAD), 2 + 3)
    rows = [json.loads(line) for line in artifact.read("rejected.jsonl").splitlines()]
    assert [row["origin"]["key"] for row in rows] == list(BAD)
    for row in rows:
        assert row["reason"].startswith(BAD[row["origin"]["key"]][1])
    assert sum(split.count for split in artifact.dataset.splits.values()) == 120


def test_too_many_bad_samples_fail_the_job(tmp_path: Path) -> None:
    """Bad samples count like images that cannot be read: 2 of 22 are more than a hundredth, not more than a tenth."""
    members = members_of(20) | {"bad.png": b"", "worse.cls": b"a"}
    write_tar(tmp_path / "sources" / "webdataset" / "part-0.tar", members)
    result = preprocess(tmp_path, "--source", "webdataset")
    assert result.exit_code == 2
    assert "2 of 22 images cannot be read, more than --max-rejected 1.0%" in result.stderr
    assert "the first: part-0.tar, key bad: no label" in result.stderr
    done(tmp_path, "--source", "webdataset", "--max-rejected", "0.1")


def test_limits_draw_from_whole_samples_and_bad_ones_in_proportion(tmp_path: Path) -> None:
    """--limit takes bad samples in their proportion, as it takes images that prove broken."""
    members = members_of(80) | {f"bad{index:02d}.png": b"" for index in range(20)}
    write_tar(tmp_path / "sources" / "webdataset" / "part-0.tar", members)
    artifact = done(tmp_path, "--source", "webdataset", "--max-rejected", "0.3", "--limit", "50")
    assert artifact.facts["rejected"] == 10
    assert sum(split.count for split in artifact.dataset.splits.values()) == 40


def test_a_wrong_field_is_answered_with_the_existing_fields(tmp_path: Path) -> None:
    """Where no sample has the field that --label names, the job ends with 2 for any --max-rejected."""
    write_tar(tmp_path / "sources" / "webdataset" / "part-0.tar", members_of(20))
    result = preprocess(tmp_path, "--source", "webdataset", "--label", "digit", "--max-rejected", "1")
    assert result.exit_code == 2
    assert "none of 20 images can be used" in result.stderr
    assert "key s000: json has no field 'digit'; it has fields: label, caption" in " ".join(result.stderr.split())
    assert len(result.stderr.splitlines()) <= 3


def test_one_label_is_not_enough(tmp_path: Path) -> None:
    """As with folders and tables, at least two classes are needed."""
    members = {f"s{index}.{kind}": b"1" for index in range(9) for kind in ("png", "cls")}
    write_tar(tmp_path / "sources" / "webdataset" / "part-0.tar", members)
    result = preprocess(tmp_path, "--source", "webdataset")
    assert (result.exit_code, "1 classes (1), want at least 2" in result.stderr) == (2, True)


def test_labels_that_are_numbers_have_one_order(tmp_path: Path) -> None:
    """Numbers are ordered as numbers; what only looks like a number is text."""
    for name, labels, classes in (
        ("n", ["10", "01", "2"], ["01", "2", "10"]),
        ("t", ["²", "10", "9"], ["10", "9", "²"]),
    ):
        members: dict[str, bytes] = {}
        for index in range(30):
            members |= {f"s{index}.png": encoded(index, "PNG"), f"s{index}.cls": labels[index % 3].encode()}
        write_tar(tmp_path / "sources" / f"{name}.tar", members)
        artifact = done(tmp_path, "--source", "webdataset", "--source-path", f"{name}.tar", "--force")
        assert artifact.dataset.classes == classes
