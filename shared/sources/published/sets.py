"""scikit-learn's digits, and MNIST and CIFAR10, downloaded by torchvision or in a folder."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.disk.durable import remove_if_empty
from shared.errors import BadInput, Interrupted
from shared.format.outside import open_regular
from shared.limits import FILE_BYTES
from shared.sources.items import Item, Source, from_array
from shared.sources.reading import Reading
from shared.store.locks import holder, locked

Found = TypeVar("Found")

DOWNLOAD = "download"
"""What is locked in a folder while somebody downloads to it."""

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
    folders = (place, place / "MNIST" / "raw")
    raw = settled(place, lambda: next((folder for folder in folders if _idx(folder, IDX_FILES["train"][0])), None))
    if raw is None:
        raw = place / "MNIST" / "raw"
        download("MNIST", place, raw, f"the four *-ubyte.gz files to {place}")
    items: list[Item] = []
    partition: list[str] = []
    for split, names in IDX_FILES.items():
        images, labels = _read_idx(raw, names[0], 3), _read_idx(raw, names[1], 1)
        if len(images) != len(labels):
            raise BadInput(f"{raw}: {len(images)} {split} images but {len(labels)} labels; fetch the files again")
        if (labels > 9).any():
            raise BadInput(f"{raw / names[1]}: has the label {labels.max()}, want digits 0 to 9; fetch it again")
        items += [
            from_array(image, int(label), {"source": "mnist", "file": names[0], "index": index})
            for index, (image, label) in enumerate(zip(images, labels, strict=True))
        ]
        partition += [split] * len(images)
    return Source(tuple("0123456789"), items, partition)


def _idx(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_idx(folder: Path, name: str, rank: int) -> NDArray[np.uint8]:
    """Return the uint8 array in an IDX file (LeCun: two zero bytes, type 8, rank, big-endian sizes, the values)."""
    path = _idx(folder, name)
    if path is None:
        raise BadInput(f"{folder}: no {name} or {name}.gz; copy it there")
    try:
        with open_regular(path) as stream, gzip.open(stream) if path.suffix == ".gz" else stream as unpacked:
            payload = unpacked.read(FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path}: cannot be unpacked ({error}); fetch it again") from error
    start = 4 + 4 * rank
    sizes = [int.from_bytes(payload[at : at + 4], "big") for at in range(4, start, 4)]
    # a cut download has the right magic number, so the length is checked too
    if payload[:4] != b"\0\0\x08" + bytes([rank]) or len(payload) != start + prod(sizes):
        raise BadInput(f"{path}: not an IDX file of bytes with {rank} dimensions, or cut short; fetch it again")
    return np.frombuffer(payload, np.uint8, offset=start).reshape(sizes)


def cifar10(place: Path, reading: Reading) -> Source:
    """Return CIFAR10's 50,000 train and 10,000 test images, 32x32 px, in their official partition.

    `place` holds `cifar-10-batches-py` or `cifar-10-python.tar.gz`; if not, torchvision downloads it there.
    torchvision reads the batches, which are pickles, only where their published md5 is right.
    """
    from torchvision import datasets

    advice = f"cifar-10-python.tar.gz (md5 {datasets.CIFAR10.tgz_md5}) to {place}"
    if not settled(place, (place / datasets.CIFAR10.base_folder).is_dir):
        download("CIFAR10", place, place, advice)
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


def download(name: str, place: Path, inner: Path, advice: str) -> None:
    """Let torchvision download a set to `inner`, `place` or a folder in it; BadInput says what to copy if that fails.

    One process at a time: torchvision leaves what another one has downloaded meanwhile. Folders that were not there
    before and are empty afterwards are removed.
    """
    from torchvision import datasets

    new = [folder for folder in (inner, *inner.parents) if not folder.exists()]
    try:
        with _downloading(place):
            getattr(datasets, name)(str(place), download=True)
    except Interrupted:
        raise
    except Exception as error:  # torchvision lets every kind through: URLError, RuntimeError, ImportError, BadZipFile
        reason = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        raise BadInput(f"{place}: {name} is not there and could not be downloaded ({reason})\ncopy {advice}") from error
    finally:
        # an empty folder would look like a source whose images are missing
        for folder in new:
            remove_if_empty(folder)


def settled(place: Path, look: Callable[[], Found]) -> Found:
    """Return what `look` finds in `place` while no other process downloads to it: half of a set is not all of it."""
    while True:
        while _being_downloaded(place):
            with _downloading(place):
                pass
        found = look()
        # a download that has begun since then shows a part of its files
        if not _being_downloaded(place):
            return found


def _being_downloaded(place: Path) -> bool:
    # a lock that a killed process left on a volume that is read only by now cannot be taken, and nobody has it
    return holder(place / DOWNLOAD) is not None and os.access(place, os.W_OK)


@contextmanager
def _downloading(place: Path) -> Iterator[None]:
    """Hold the lock of downloads to `place`."""
    with locked(place / DOWNLOAD, wait=True):
        yield
