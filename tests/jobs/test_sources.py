"""Every source gives its images, labels and official partition, and says plainly what it cannot use."""

import gzip
import hashlib
import json
import pickle
import struct
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.preprocess.__main__ import main
from shared.artifacts import Artifact, open_artifact
from shared.format.sample import Sample
from shared.format.shards import read_shard


def preprocess(root: Path, *words: str) -> Result:
    """Run the command on `root` with small defaults."""
    common = ["--data-root", str(root), "--experiment", "e", "--size-px", "8", "--channels", "3"]
    return CliRunner().invoke(main, [*common, *words])


def done(root: Path, *words: str) -> Artifact:
    """Run the command, which must succeed, and open what it made."""
    result = preprocess(root, *words)
    assert result.exit_code == 0, result.output
    return open_artifact(root / "e" / "real", "dataset", "preprocess")


def samples(artifact: Artifact, split: str) -> list[Sample]:
    """Return the samples of a split."""
    return [sample for path, info in artifact.shards(split) for sample in read_shard(path, info)]


def everything(artifact: Artifact) -> dict[str, list[Sample]]:
    """Return the samples of every split."""
    return {split: samples(artifact, split) for split in ("train", "val", "test")}


def picture(number: int, size: tuple[int, int] = (8, 8)) -> Image.Image:
    """Return a picture that no other number has."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8))


def fill(folder: Path, classes: dict[str, int], suffix: str = ".png") -> None:
    """Write different pictures, so many for each class."""
    for place, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            picture(1000 * place + index).save(folder / name / f"{index:03d}{suffix}")


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


def test_what_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    """A broken file is left out, counted, and stands in rejected.jsonl; the rest is complete."""
    place = tmp_path / "sources" / "folder"
    fill(place, {"a": 60, "b": 60})
    whole = (place / "a" / "007.png").read_bytes()
    (place / "a" / "007.png").write_bytes(whole[: len(whole) // 2])
    artifact = done(tmp_path, "--source", "folder")
    assert artifact.facts["rejected"] == 1
    (row,) = [json.loads(line) for line in artifact.read("rejected.jsonl").splitlines()]
    assert row["origin"]["file"] == "a/007.png"
    assert row["reason"]
    assert sum(split.count for split in artifact.dataset.splits.values()) == 119


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
    assert not (tmp_path / "e" / "real").exists()
    listed = (tmp_path / "e" / "real-rejected.jsonl").read_text().splitlines()
    assert len(listed) == 1


def test_equal_images_stay_in_one_split(tmp_path: Path) -> None:
    """Copies of a file under other names, even in another class, never stand in two splits."""
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
    """--limit keeps each class's share; --per-class draws as many of each; both are the same for the same seed."""
    fill(tmp_path / "sources" / "folder", {"a": 80, "b": 40})
    artifact = done(tmp_path, "--source", "folder", "--limit", "60")
    assert np.sum([s.class_counts for s in artifact.dataset.splits.values()], axis=0).tolist() == [40, 20]
    artifact = done(tmp_path, "--source", "folder", "--per-class", "30", "--limit-seed", "4")
    assert np.sum([s.class_counts for s in artifact.dataset.splits.values()], axis=0).tolist() == [30, 30]
    again = done(tmp_path, "--source", "folder", "--per-class", "30", "--limit-seed", "4", "--force")
    assert again.sha256 == artifact.sha256


def idx(values: np.ndarray[Any, Any]) -> bytes:
    """Return an IDX file of bytes (LeCun)."""
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write_mnist(folder: Path, zipped: bool) -> None:
    """Write 60 train and 20 test images of MNIST's layout; every pixel is twice the index, plus 1 in test."""
    folder.mkdir(parents=True)
    for images, labels, count in (
        ("train-images-idx3", "train-labels-idx1", 60),
        ("t10k-images-idx3", "t10k-labels-idx1", 20),
    ):
        label = np.arange(count, dtype=np.uint8) % 10
        level = 2 * np.arange(count) + (count == 20)
        pixels = np.broadcast_to(level[:, None, None], (count, 28, 28)).astype(np.uint8)
        for name, payload in ((images, idx(pixels)), (labels, idx(label))):
            path = folder / f"{name}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(payload) if zipped else payload)


@pytest.mark.parametrize(("inner", "zipped"), [("", True), ("MNIST/raw", False)])
def test_mnist_in_a_folder(tmp_path: Path, inner: str, zipped: bool) -> None:
    """The IDX files are found gzipped or not, in either layout; test is official, val is drawn from train."""
    write_mnist(tmp_path / "sources" / "mnist" / inner, zipped)
    artifact = done(tmp_path, "--source", "mnist", "--val-fraction", "0.2")
    found = everything(artifact)
    assert {name: len(split) for name, split in found.items()} == {"train": 48, "val": 12, "test": 20}
    assert {sample.meta["origin"]["file"] for sample in found["test"]} == {"t10k-images-idx3-ubyte"}
    for sample in found["train"] + found["val"]:
        index = sample.meta["origin"]["index"]
        assert sample.label == index % 10
        assert np.unique(sample.image).tolist() == [2 * index]


@pytest.mark.parametrize("damage", ["cut", "magic", "gone"])
def test_a_broken_mnist_says_which_file(tmp_path: Path, damage: str) -> None:
    """A file that is cut short, of another kind or missing ends the job with 2 and its name."""
    folder = tmp_path / "sources" / "mnist"
    write_mnist(folder, zipped=False)
    path = folder / "t10k-labels-idx1-ubyte"
    payload = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(payload[:-1] if damage == "cut" else b"\x01" + payload[1:])
    result = preprocess(tmp_path, "--source", "mnist")
    assert result.exit_code == 2
    assert path.name in result.output


def write_cifar10(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write CIFAR10's batches with 10 images each, and make torchvision expect their md5."""
    from torchvision.datasets import CIFAR10

    inner = folder / CIFAR10.base_folder
    inner.mkdir(parents=True)
    lists: dict[str, list[list[str]]] = {"train_list": [], "test_list": []}
    for number, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        pixels = np.random.default_rng(number).integers(0, 256, (10, 3072), np.uint8)
        payload = pickle.dumps({"data": pixels, "labels": list(range(10))})
        (inner / name).write_bytes(payload)
        row = [name, hashlib.md5(payload).hexdigest()]
        lists["test_list" if name == "test_batch" else "train_list"].append(row)
    names = pickle.dumps({"label_names": list("abcdefghij")})
    (inner / "batches.meta").write_bytes(names)
    meta = {"filename": "batches.meta", "key": "label_names", "md5": hashlib.md5(names).hexdigest()}
    for name, value in {**lists, "meta": meta}.items():
        monkeypatch.setattr(CIFAR10, name, value)


def test_cifar10_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels are stored as 3 planes of 32x32; test is the official test batch."""
    write_cifar10(tmp_path / "sources" / "cifar10", monkeypatch)
    artifact = done(tmp_path, "--source", "cifar10", "--size-px", "32", "--val-fraction", "0.2")
    assert artifact.dataset.classes == list("abcdefghij")
    held_out = samples(artifact, "test")
    assert len(held_out) == 10
    planes = np.random.default_rng(5).integers(0, 256, (10, 3072), np.uint8).reshape(10, 3, 32, 32)
    for sample in held_out:
        np.testing.assert_array_equal(sample.image, planes[sample.meta["origin"]["index"]].transpose(1, 2, 0))


def test_cifar10_with_another_md5_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An altered batch ends the job with 2 before anything is unpickled, and says what to copy where."""
    folder = tmp_path / "sources" / "cifar10"
    write_cifar10(folder, monkeypatch)
    bomb = folder / "cifar-10-batches-py" / "data_batch_3"
    bomb.write_bytes(b"cposix\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    result = preprocess(tmp_path, "--source", "cifar10")
    assert result.exit_code == 2
    assert "cifar-10-python.tar.gz" in result.output
    assert not (tmp_path / "ran").exists()


def write_celeba(folder: Path, count: int = 40) -> Path:
    """Write CelebA's layout with two attributes; every second face is Young, every fourth Smiling."""
    images = folder / "celeba" / "img_align_celeba"
    images.mkdir(parents=True)
    names = [f"{index + 1:06d}.jpg" for index in range(count)]
    for index, name in enumerate(names):
        picture(index, (218, 178)).save(images / name, quality=90)
    rows = [f"{name} {1 if i % 2 else -1:2d} {1 if i % 4 == 3 else -1:2d}" for i, name in enumerate(names)]
    (folder / "celeba" / "list_attr_celeba.txt").write_text("\n".join([str(count), "Young Smiling", *rows]) + "\n")
    splits = [f"{name} {0 if i < count // 2 else 1 if i < 3 * count // 4 else 2}" for i, name in enumerate(names)]
    (folder / "celeba" / "list_eval_partition.txt").write_text("\n".join(splits) + "\n")
    return folder / "celeba"


def test_celeba_has_its_official_partition_and_young_as_label(tmp_path: Path) -> None:
    """Class 0 is Old, class 1 Young; train, val and test are those of the partition file."""
    write_celeba(tmp_path / "sources" / "celeba")
    artifact = done(tmp_path, "--source", "celeba", "--no-verify-md5")
    assert artifact.dataset.classes == ["Old", "Young"]
    found = everything(artifact)
    assert {name: len(split) for name, split in found.items()} == {"train": 20, "val": 10, "test": 10}
    for sample in found["test"]:
        number = int(Path(sample.meta["origin"]["file"]).stem)
        assert number > 30
        assert sample.label == (number - 1) % 2


def test_celeba_with_another_attribute_and_a_limit(tmp_path: Path) -> None:
    """Any attribute can be the label; a limit keeps the partition's proportions."""
    write_celeba(tmp_path / "sources" / "celeba")
    words = ("--source", "celeba", "--no-verify-md5", "--label", "Smiling", "--limit", "20")
    artifact = done(tmp_path, *words)
    assert artifact.dataset.classes == ["not Smiling", "Smiling"]
    assert {name: split.count for name, split in artifact.dataset.splits.items()} == {"train": 10, "val": 5, "test": 5}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("half", "img_align_celeba.zip"),
        ("quota", "list_attr_celeba.txt"),
        ("md5", "md5"),
        ("attribute", "Young, Smiling"),
        ("nothing", "could not be downloaded"),
    ],
)
def test_a_celeba_that_cannot_be_used_says_what_to_copy_where(tmp_path: Path, damage: str, said: str) -> None:
    """A half-unpacked folder, a quota page, a wrong md5, an unknown attribute, nothing at all: exit 2, what to do."""
    words = ["--source", "celeba", "--no-verify-md5"]
    if damage != "nothing":
        folder = write_celeba(tmp_path / "sources" / "celeba")
    if damage == "half":
        (folder / "img_align_celeba" / "000007.jpg").unlink()
    if damage == "quota":
        (folder / "list_attr_celeba.txt").write_text("<html>Quota exceeded</html>")
    if damage == "md5":
        words.remove("--no-verify-md5")
    if damage == "attribute":
        words += ["--label", "Sleepy"]
    result = preprocess(tmp_path, *words)
    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.strip().splitlines()) <= 3


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
    """jpg, png and webp with cls or json come in; numeric labels are ordered as numbers; a pickle beside is ignored."""
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


@pytest.mark.parametrize("damage", ["gzip", "no label", "no image", "no tar", "cut"])
def test_foreign_shards_that_cannot_be_used(tmp_path: Path, damage: str) -> None:
    """A compressed or cut tar and a sample without image or label end the job with 2 and the tar's name."""
    path = tmp_path / "sources" / "webdataset" / "part-0.tar"
    members = {
        f"s{index}.{kind}": encoded(index, "PNG") if kind == "png" else b"1"
        for index in range(9)
        for kind in ("png", "cls")
    }
    if damage.startswith("no "):
        members.pop({"no label": "s3.cls", "no image": "s3.png", "no tar": "s0.png"}[damage])
    if damage != "no tar":
        write_tar(path, members, "w:gz" if damage == "gzip" else "w")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:700])
    result = preprocess(tmp_path, "--source", "webdataset")
    assert result.exit_code == 2
    assert "webdataset" in result.output
