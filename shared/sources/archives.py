"""Published sets: scikit-learn's digits, and MNIST, CIFAR10 and CelebA, downloaded by torchvision or in a folder."""

import gzip
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.sources.items import Item, Source, from_array, from_file, plain
from shared.sources.reading import Reading

IDX_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def digits(place: Path, reading: Reading) -> Source:
    """Return scikit-learn's 1,797 handwritten digits: 8x8 px, grey levels 0..16 stretched to 0..255.

    They are the test part of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998) and
    ship inside scikit-learn's wheel.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    # 16 is white there, 255 everywhere else
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    items = [
        from_array(image, int(label), {"source": "sklearn.datasets.load_digits", "index": index})
        for index, (image, label) in enumerate(zip(pixels, data.target, strict=True))
    ]
    return Source(tuple(str(name) for name in data.target_names), items)


def mnist(place: Path, reading: Reading) -> Source:
    """Return MNIST's 60,000 train and 10,000 test digits, 28x28 px, in their official partition.

    `place` holds the four IDX files, gzipped or not, itself or in `MNIST/raw` as torchvision leaves them; if it
    does not, torchvision downloads them there.
    """
    # people copy the files either way: flat, or with the folders that torchvision makes
    raw = next((folder for folder in (place, place / "MNIST" / "raw") if _idx(folder, IDX_FILES["train"][0])), None)
    if raw is None:
        raw = place / "MNIST" / "raw"
        _download("MNIST", place, raw, f"the four *-ubyte.gz files to {place}")
    items: list[Item] = []
    partition: list[str] = []
    for split, names in IDX_FILES.items():
        images, labels = (_read_idx(raw, name) for name in names)
        if len(images) != len(labels):
            raise BadInput(f"{raw}: {len(images)} {split} images but {len(labels)} labels; fetch the files again")
        items += [
            from_array(image, int(label), {"source": "mnist", "file": names[0], "index": index})
            for index, (image, label) in enumerate(zip(images, labels, strict=True))
        ]
        partition += [split] * len(images)
    return Source(tuple("0123456789"), items, partition)


def _idx(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_idx(folder: Path, name: str) -> NDArray[np.uint8]:
    """Return the uint8 array in an IDX file (LeCun: two zero bytes, type 8, rank, big-endian sizes, the values)."""
    path = _idx(folder, name)
    if path is None:
        raise BadInput(f"{folder}: no {name} or {name}.gz; copy it there")
    try:
        payload = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise BadInput(f"{path}: cannot be unpacked ({error}); fetch it again") from error
    rank = payload[3] if len(payload) > 3 else 0
    sizes = np.frombuffer(payload[4 : 4 + 4 * rank], ">u4").astype(int).tolist()
    # a cut download has the right magic number, so the length is checked too
    if payload[:3] != b"\0\0\x08" or len(payload) != 4 + 4 * rank + int(np.prod(sizes)):
        raise BadInput(f"{path}: not an IDX file of bytes, or cut short; fetch it again")
    return np.frombuffer(payload, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def cifar10(place: Path, reading: Reading) -> Source:
    """Return CIFAR10's 50,000 train and 10,000 test images, 32x32 px, in their official partition.

    `place` holds `cifar-10-batches-py` or `cifar-10-python.tar.gz`; if not, torchvision downloads it there.
    torchvision reads the batches, which are pickles, only where their published md5 is right.
    """
    from torchvision import datasets

    advice = f"cifar-10-python.tar.gz (md5 {datasets.CIFAR10.tgz_md5}) to {place}"
    if not (place / datasets.CIFAR10.base_folder).is_dir():
        _download("CIFAR10", place, place, advice)
    items: list[Item] = []
    partition: list[str] = []
    classes: tuple[str, ...] = ()
    for split in ("train", "test"):
        try:
            # checks the md5 of every batch before it unpickles any
            data: Any = datasets.CIFAR10(str(place), train=split == "train", download=False)
        except RuntimeError as error:
            raise BadInput(f"{place}: CIFAR10 is incomplete or altered (md5 differs); copy {advice}") from error
        classes = tuple(data.classes)
        items += [
            from_array(image, int(label), {"source": "cifar10", "split": split, "index": index})
            for index, (image, label) in enumerate(zip(data.data, data.targets, strict=True))
        ]
        partition += [split] * len(data.targets)
    return Source(classes, items, partition)


CELEBA_MD5 = {
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
    "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
}
"""Copied from torchvision, which would be imported in every process for these three lines alone."""

CELEBA_TABLES = ("list_attr_celeba.txt", "list_eval_partition.txt")


def celeba(place: Path, reading: Reading) -> Source:
    """Return CelebA's aligned faces, 178x218 px, labelled by one of 40 attributes, default Young.

    `place` holds `img_align_celeba`, `list_attr_celeba.txt` and `list_eval_partition.txt`, itself or in `celeba`; if
    not, torchvision downloads them to `celeba` there (it needs gdown). The partition is the official one, in which no
    person is in two splits: 162,770 / 19,867 / 19,962. Class 1 has the attribute, class 0 has not.
    """
    folder = _complete_celeba(place)
    if reading.verify_md5:
        _check_md5(folder)
    wanted = reading.label or ""
    # image by image from the tables, not through torchvision's class, which checks no image and stops in mid-epoch
    names, header, values = _attributes(folder / "list_attr_celeba.txt")
    if wanted not in header:
        raise BadInput(f"--label {wanted}: CelebA has no such attribute; it has {', '.join(header)}")
    column = header.index(wanted)
    partition = _partition(folder / "list_eval_partition.txt", names)
    images = folder / "img_align_celeba"
    # one listing, in place of a question to the file system for each of 202,599 files
    there = {path.name for path in images.iterdir()} if images.is_dir() else set()
    missing = [name for name in names if name not in there]
    if missing:
        raise BadInput(
            f"{images}: {len(missing):,} of {len(names):,} images are missing ({missing[0]}, ...); "
            f"unpack all of img_align_celeba.zip (md5 {CELEBA_MD5['img_align_celeba.zip']}) into {folder}"
        )
    items = [
        from_file(images / name, int(attributes[column] > 0), {"source": "celeba", "file": name, "attribute": wanted})
        for name, attributes in zip(names, values, strict=True)
    ]
    # the attribute's absence needs a name of its own in tables and folders
    opposite = {"Young": "Old", "Male": "Female"}.get(wanted, f"not {wanted}")
    return Source((opposite, wanted), items, partition)


def _complete_celeba(place: Path) -> Path:
    """Return the folder of CelebA's images and tables, downloaded where no images are there.

    It is `place`, or `celeba` in it if that has more of the files. BadInput names what is missing.
    """
    names = (*CELEBA_TABLES, "img_align_celeba")
    inner = place / "celeba"
    folder = max(
        (inner, place), key=lambda candidate: sum((candidate / name).exists() for name in (*CELEBA_MD5, names[-1]))
    )
    missing = [name for name in names if not (folder / name).exists()]
    archive = folder / "img_align_celeba.zip"
    if "img_align_celeba" not in missing:
        if missing:
            raise BadInput(f"{folder}: no {' and no '.join(missing)}; copy what is missing there")
    elif is_zipfile(archive):
        raise BadInput(f"{archive}: is not unpacked; unpack it into {folder}")
    else:
        cut = " (the zip there is cut short)" if archive.exists() else ""
        wanted = [name.replace("img_align_celeba", f"img_align_celeba.zip, unpacked{cut}") for name in missing]
        _download("CelebA", place, inner, f"{'; '.join(wanted)} to {folder}")
        return inner
    return folder


def _attributes(path: Path) -> tuple[list[str], list[str], NDArray[np.int8]]:
    """Return file names, attribute names and values (-1 or 1) of CelebA's attribute table."""
    try:
        first, names, *lines = [*path.read_text(encoding="utf-8").splitlines(), "", ""]
        if not first.strip().isdecimal():
            raise ValueError(f"line 1 was {plain(first.strip()[:40]) or 'empty'}, want the number of images")
        header = names.split()
        rows = [line.split() for line in lines if line.strip()]
        _check_lengths(rows, 1 + len(header), first_line=3)
        values = np.array([row[1:] for row in rows], dtype=np.int8)
        if values.shape != (int(first), len(header)):
            raise ValueError(f"{len(rows)} rows, its first line says {first.strip()}")
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path}: not CelebA's attribute table ({error}); a quota page instead of the file? fetch it again"
        ) from error
    return [row[0] for row in rows], header, values


def _check_lengths(rows: list[list[str]], want: int, first_line: int) -> None:
    """Raise ValueError for the first row that has not `want` words."""
    for number, row in enumerate(rows, first_line):
        if len(row) != want:
            raise ValueError(f"line {number} has {len(row)} words, want {want}")


def _partition(path: Path, names: list[str]) -> list[str]:
    """Return the official split of each of these file names."""
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        _check_lengths(rows, 2, first_line=1)
        splits = {name: {"0": "train", "1": "val", "2": "test"}[number] for name, number in rows}
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(f"{path}: not CelebA's partition ({error}); fetch it again") from error
    missing = [name for name in names if name not in splits]
    if missing:
        raise BadInput(
            f"{path}: {len(missing):,} of {len(names):,} images are missing ({missing[0]}, ...); fetch it again"
        )
    return [splits[name] for name in names]


def _check_md5(folder: Path) -> None:
    for name in CELEBA_TABLES:
        path = folder / name
        # md5 is what torchvision publishes; it guards against a wrong download, not against an attacker
        payload = path.read_bytes() if path.is_file() else None
        digest = "missing" if payload is None else hashlib.md5(payload, usedforsecurity=False).hexdigest()
        if digest != CELEBA_MD5[name]:
            raise BadInput(
                f"{path}: md5 {digest}, want {CELEBA_MD5[name]}; a quota page instead of the file, or another version?"
                "\n"
                f"fetch {name} of CelebA again and copy it to {folder} (or say --no-verify-md5 if it is meant so)"
            )


def _download(name: str, place: Path, inner: Path, advice: str) -> None:
    """Let torchvision download a set to `inner`, `place` or a folder in it; BadInput says what to copy if that fails.

    Folders that were not there before and are empty afterwards are removed.
    """
    from torchvision import datasets

    new = [folder for folder in (inner, *inner.parents) if not folder.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
        getattr(datasets, name)(str(place), download=True)
    except Exception as error:  # torchvision lets every kind through: URLError, RuntimeError, ImportError, BadZipFile
        reason = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        raise BadInput(f"{place}: {name} is not there and could not be downloaded ({reason})\ncopy {advice}") from error
    finally:
        # an empty folder would look like a source whose images are missing
        for folder in new:
            with suppress(OSError):  # one that is not empty stays
                folder.rmdir()
