"""MNIST, CIFAR10 and CelebA in their own layouts: official partitions, and errors on unusable files."""

import gzip
import hashlib
import pickle
import shutil
import struct
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from shared.errors import BadInput
from shared.sources.published.celeba import CELEBA_MD5, celeba
from shared.sources.published.sets import mnist
from shared.sources.reading import Reading
from tests.jobs.preprocess.source_files import done, everything, picture, preprocess, samples
from tests.jobs.preprocess.test_validate import config

pytestmark = pytest.mark.usefixtures("as_if_sent")


def idx(values: np.ndarray[Any, Any]) -> bytes:
    """Return an IDX file of bytes (LeCun)."""
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write_mnist(folder: Path, zipped: bool) -> None:
    """Write 60 train and 20 test images in MNIST's layout; every pixel is twice the index, plus 1 in test."""
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
    """A truncated, mistyped or missing file ends the job with 2 and its name."""
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
    """Any attribute may be the label; a limit keeps the partition's proportions."""
    write_celeba(tmp_path / "sources" / "celeba")
    words = ("--source", "celeba", "--no-verify-md5", "--label", "Smiling", "--limit", "20")
    artifact = done(tmp_path, *words)
    assert artifact.dataset.classes == ["not Smiling", "Smiling"]
    assert {name: split.count for name, split in artifact.dataset.splits.items()} == {"train": 10, "val": 5, "test": 5}


def test_celeba_in_its_own_folder(tmp_path: Path) -> None:
    """--source-path may be the folder that holds the tables and images itself, under any name."""
    write_celeba(tmp_path).rename(tmp_path / "faces")
    artifact = done(tmp_path, "--source", "celeba", "--no-verify-md5", "--source-path", str(tmp_path / "faces"))
    assert sum(split.count for split in artifact.dataset.splits.values()) == 40


def as_kaggle_ships_it(folder: Path) -> Path:
    """Turn CelebA's layout into Kaggle's: tables as .csv with a header, the folder of images in one of its name."""
    table, partition = folder / "list_attr_celeba.txt", folder / "list_eval_partition.txt"
    _, header, *rows = table.read_text().splitlines()
    lines = [",".join(["image_id", *header.split()]), *(",".join(row.split()) for row in rows)]
    table.with_suffix(".csv").write_text("\n".join(lines))
    rows = ["image_id,partition", *(row.replace(" ", ",") for row in partition.read_text().splitlines())]
    partition.with_suffix(".csv").write_text("\n".join(rows))
    for path in (table, partition):
        path.unlink()
    inner = folder / "img_align_celeba"
    inner.rename(folder / "images")
    inner.mkdir()
    (folder / "images").rename(inner / "img_align_celeba")
    return folder


def test_celeba_as_kaggle_ships_it(tmp_path: Path) -> None:
    """The same images, labels and splits; md5 are published for the authors' tables alone, which is said."""
    plain = celeba(write_celeba(tmp_path / "authors"), Reading(label="Smiling", verify_md5=False))
    folder = as_kaggle_ships_it(write_celeba(tmp_path / "kaggle"))
    found = celeba(folder, Reading(label="Smiling"))
    assert [(item.label, item.origin) for item in found.items] == [(item.label, item.origin) for item in plain.items]
    assert (found.classes, found.partition) == (plain.classes, plain.partition)
    assert found.items[3].read() == plain.items[3].read()
    assert found.warnings == [
        "tables that Kaggle made, for which no md5 is published: list_attr_celeba.csv, list_eval_partition.csv"
    ]
    assert celeba(folder, Reading(label="Smiling", verify_md5=False)).warnings == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("header", "list_attr_celeba.csv: not CelebA's attribute table (line 1 was 000001.jpg"),
        ("cut", "list_eval_partition.csv: 40 images, the attributes are of 39; fetch both again"),
        ("row", "list_attr_celeba.csv: not CelebA's attribute table (line 3 has 2 words, want 3)"),
        ("gone", "no list_eval_partition.txt; copy what is missing there"),
    ],
)
def test_a_celeba_of_kaggle_that_is_cut_is_refused(tmp_path: Path, damage: str, said: str) -> None:
    """A table without its header, with fewer rows than the other, a short row, and one that is missing."""
    folder = as_kaggle_ships_it(write_celeba(tmp_path))
    table = folder / "list_attr_celeba.csv"
    lines = table.read_text().splitlines()
    if damage == "row":
        lines[2] = lines[2].rpartition(",")[0]
    table.write_text("\n".join(lines[1:] if damage == "header" else lines[:-1] if damage == "cut" else lines))
    if damage == "gone":
        (folder / "list_eval_partition.csv").unlink()
    with pytest.raises(BadInput) as caught:
        celeba(folder, Reading(label="Young"))
    assert said in str(caught.value)


@pytest.mark.parametrize("source", ["mnist", "cifar10", "celeba"])
@pytest.mark.parametrize("there", [True, False])
def test_a_failed_download_leaves_no_empty_folder(
    tmp_path: Path, source: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed download leaves no files; the user's own empty folder stays."""

    def offline(*given: Any, **named: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setitem(sys.modules, "gdown", None)  # what CelebA comes through
    mine = tmp_path / "mine"
    (mine / "kept").mkdir(parents=True)
    place = mine / "kept" if there else mine / "a" / "b"
    result = preprocess(tmp_path, "--source", source, "--source-path", str(place))
    assert result.exit_code == 2
    assert f"{place}: " in result.stderr
    assert "could not be downloaded" in result.stderr
    assert list(mine.rglob("*")) == [mine / "kept"]


@pytest.mark.parametrize("where", ["train", "everywhere"])
def test_an_attribute_that_no_image_has_is_refused(tmp_path: Path, where: str) -> None:
    """Each class has images in the official train part, or the job ends with 2 before anything is written."""
    folder = write_celeba(tmp_path / "sources" / "celeba")
    first, header, *rows = (folder / "list_attr_celeba.txt").read_text().splitlines()
    count = 20 if where == "train" else 40
    rows = [f"{row.rsplit(maxsplit=1)[0]} -1" if number < count else row for number, row in enumerate(rows)]
    (folder / "list_attr_celeba.txt").write_text("\n".join([first, header, *rows]))
    words = ("--source", "celeba", "--no-verify-md5", "--label", "Smiling")
    result = preprocess(tmp_path, *words)
    assert result.exit_code == 2
    assert "celeba: 1 of 2 classes have no image that can be used (Smiling) among the 20 taken" in result.stderr
    assert (
        "want images of every class to learn from; add images of each class, or take another --label" in result.stderr
    )
    assert len(result.stderr.splitlines()) <= 3
    assert not (tmp_path / "e" / "real").exists()
    assert preprocess(tmp_path, *words, "--split", "random").exit_code == (0 if where == "train" else 2)


TABLES = {"table": "list_attr_celeba.txt", "partition": "list_eval_partition.txt"}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("half", "img_align_celeba.zip"),
        ("quota", "celeba.txt: not CelebA's attribute table (line 1 was <html>Quota exceeded</html>, want the number"),
        ("empty table", "line 1 was empty, want the number of images"),
        ("one line", "0 rows, its first line says 40"),
        ("md5", "md5"),
        ("attribute", "Young, Smiling"),
        ("nothing", "could not be downloaded"),
        ("no table", "no list_attr_celeba.txt; copy"),
        ("no partition", "no list_eval_partition.txt; copy"),
        ("cut table", "line 4 has 2 words, want 3"),
        ("cut partition", "line 3 has 1 words, want 2"),
        ("short partition", "38 of 40 images are missing (000003.jpg, ...)"),
        ("packed", "img_align_celeba.zip: is not unpacked"),
        ("cut zip", "img_align_celeba.zip, unpacked (the zip there is cut short)"),
    ],
)
def test_a_celeba_that_cannot_be_used_says_what_to_copy_where(tmp_path: Path, damage: str, said: str) -> None:
    """Half unpacked, not unpacked, truncated, a quota page, a wrong md5, nothing at all: exit 2 and what to do."""
    words = ["--source", "celeba", "--no-verify-md5"]
    if damage != "nothing":
        folder = write_celeba(tmp_path / "sources" / "celeba")
    if damage == "half":
        (folder / "img_align_celeba" / "000007.jpg").unlink()
    if damage == "quota":
        (folder / "list_attr_celeba.txt").write_text("<html>Quota exceeded</html>")
    if damage in ("empty table", "one line"):
        (folder / "list_attr_celeba.txt").write_text("" if damage == "empty table" else "40")
    if damage in ("no table", "no partition"):
        (folder / TABLES[damage[3:]]).unlink()
    if damage in ("cut table", "cut partition"):
        path = folder / TABLES[damage[4:]]
        lines = path.read_text().splitlines()
        keep = 4 if damage == "cut table" else 3
        path.write_text("\n".join([*lines[: keep - 1], lines[keep - 1].rpartition(" ")[0]]))
    if damage == "short partition":
        path = folder / TABLES["partition"]
        path.write_text("\n".join(path.read_text().splitlines()[:2]))
    if damage in ("packed", "cut zip"):
        archive = Path(shutil.make_archive(str(folder / "img_align_celeba"), "zip", folder, "img_align_celeba"))
        shutil.rmtree(folder / "img_align_celeba")
        archive.write_bytes(archive.read_bytes()[: None if damage == "packed" else -300])
    if damage == "md5":
        words.remove("--no-verify-md5")
    if damage == "attribute":
        words += ["--label", "Sleepy"]
    result = preprocess(tmp_path, *words)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert len(result.output.strip().splitlines()) <= 3


def test_celebas_md5_are_those_that_torchvision_publishes() -> None:
    """The two tables and the archive have the md5 and the folder of torchvision's list."""
    from torchvision.datasets import CelebA

    published = {name: md5 for _, md5, name in CelebA.file_list}
    assert {name: published[name] for name in CELEBA_MD5} == CELEBA_MD5
    assert CelebA.base_folder == "celeba"


def test_mnist_is_read_as_torchvision_does(tmp_path: Path) -> None:
    """Images, labels and their order are those of torchvision's own class."""
    from torchvision.datasets import MNIST

    write_mnist(tmp_path / "MNIST" / "raw", zipped=False)
    source = mnist(tmp_path, config(source="mnist").reading)
    assert source.partition is not None
    for split in ("train", "test"):
        theirs = MNIST(str(tmp_path), train=split == "train", download=False)
        ours = [item for item, part in zip(source.items, source.partition, strict=True) if part == split]
        assert [item.label for item in ours] == theirs.targets.tolist()
        np.testing.assert_array_equal(np.stack([item.decode(item.read()) for item in ours]), theirs.data.numpy())


def test_celeba_is_read_as_torchvision_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, attribute and partition are those of torchvision's own class, whose check of the md5 is left out."""
    from torchvision.datasets import CelebA

    folder = write_celeba(tmp_path)
    names = sorted(path.name for path in (folder / "img_align_celeba").iterdir())
    # tables that torchvision opens too
    (folder / "identity_CelebA.txt").write_text("".join(f"{name} 1\n" for name in names))
    for table in ("list_bbox_celeba.txt", "list_landmarks_align_celeba.txt"):
        (folder / table).write_text(f"{len(names)}\nx\n" + "".join(f"{name} 1\n" for name in names))
    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)
    for label in ("Young", "Smiling"):
        source = celeba(tmp_path, config(source="celeba", label=label, verify_md5=False).reading)
        assert source.partition is not None
        for split, name in (("train", "train"), ("val", "valid"), ("test", "test")):
            theirs = CelebA(str(tmp_path), split=name, target_type="attr", download=False)
            ours = [item for item, part in zip(source.items, source.partition, strict=True) if part == split]
            assert [item.origin["file"] for item in ours] == list(theirs.filename)
            assert [item.label for item in ours] == theirs.attr[:, theirs.attr_names.index(label)].tolist()
