"""The real images of the search and those of the confirmation: no image is in both.

Each class is put in the order of the hashes of its images, and the first half is searched on. A part of each half
is the test split, the rest is the pool from which train and val come. MNIST has an official test part: the
confirmation is tested on that, and the search on images of the official train part.
"""

import gzip
import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

SEARCH, CONFIRM = "search", "confirm"

TEST_SHARE, MOST_TEST = 0.45, 200
"""The share of each half of a class that is tested on, and how many images of a class at most."""


class Overlap(Exception):
    """The confirmation would see an image or a seed of the search."""


@dataclass(frozen=True)
class RealImage:
    """An image: its label, what it holds as bytes of a file or of pixels, and the part of a published partition."""

    label: int
    content: bytes
    name: str
    official_test: bool = False

    @property
    def digest(self) -> str:
        """The sha256 of its content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Half:
    """The images of one phase; `pool` is in an order of which any beginning is a smaller set of the same kind."""

    pool: list[RealImage]
    test: list[RealImage]

    @property
    def digests(self) -> set[str]:
        """The hashes of all of them."""
        return {image.digest for image in (*self.pool, *self.test)}

    @property
    def digest(self) -> str:
        """The sha256 of all of them, in their order."""
        parts = ([f"{image.label} {image.digest}" for image in part] for part in (self.pool, self.test))
        return hashlib.sha256("\n".join([*next(parts), "test", *next(parts)]).encode()).hexdigest()


def halves(images: Sequence[RealImage]) -> dict[str, Half]:
    """Return the images of both phases. Raises Overlap where one image would be in both."""
    distinct: dict[str, RealImage] = {}
    for image in images:
        # of equal images the official test image stays, so that no test image was trained on
        if image.official_test or image.digest not in distinct:
            distinct[image.digest] = image
    found = {SEARCH: Half([], []), CONFIRM: Half([], [])}
    official = [image for image in distinct.values() if image.official_test]
    for label in sorted({image.label for image in images}):
        members = sorted(
            (image for image in distinct.values() if image.label == label and not image.official_test),
            key=lambda image: image.digest,
        )
        middle = len(members) // 2
        for phase, mine in ((SEARCH, members[:middle]), (CONFIRM, members[middle:])):
            own_test = phase == SEARCH or not official
            tested = min(int(TEST_SHARE * len(mine)), MOST_TEST) if own_test else 0
            found[phase].test.extend(mine[:tested])
            found[phase].pool.extend(mine[tested:])
    found[CONFIRM].test.extend(official)
    check_apart(found)
    return found


def check_apart(found: Mapping[str, Half]) -> None:
    """Raise Overlap unless no image of the search is one of the confirmation, and no pool image is tested on."""
    both = found[SEARCH].digests & found[CONFIRM].digests
    if both:
        raise Overlap(f"{len(both)} images are in the search and in the confirmation; want none")
    for phase, half in found.items():
        inside = {image.digest for image in half.pool} & {image.digest for image in half.test}
        if inside:
            raise Overlap(f"{phase}: {len(inside)} test images are train images; want none")


def chosen(half: Half, per_class: int) -> list[RealImage]:
    """Return `per_class` images of each class of the pool, for train and val; 0: all of them."""
    taken: dict[int, int] = {}
    kept = []
    for image in half.pool:
        taken[image.label] = taken.get(image.label, 0) + 1
        if not per_class or taken[image.label] <= per_class:
            kept.append(image)
    if per_class and min(taken.values()) < per_class:
        raise ValueError(f"{per_class} images a class, but a class has {min(taken.values())} in this half")
    return kept


def mnist(data: Path) -> list[RealImage]:
    """Return MNIST's images from its IDX files, the official test images marked."""
    found = []
    for part, prefix in enumerate(("train", "t10k")):
        images = _idx(data / "mnist" / f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        labels = _idx(data / "mnist" / f"{prefix}-labels-idx1-ubyte.gz", 8)
        found += [
            RealImage(int(label), image.tobytes(), f"{prefix}-{number}", part == 1)
            for number, (image, label) in enumerate(zip(images, labels, strict=True))
        ]
    return found


def digits(data: Path) -> list[RealImage]:
    """Return scikit-learn's digits, 8x8 px."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pixels = np.rint(loaded.images * (255 / 16)).astype(np.uint8)
    return [
        RealImage(int(label), image.tobytes(), f"digit-{number}")
        for number, (image, label) in enumerate(zip(pixels, loaded.target, strict=True))
    ]


def emoji(data: Path) -> list[RealImage]:
    """Return the emoji, each the bytes of its file."""
    folders = sorted(folder for folder in (data / "emoji").iterdir() if folder.is_dir())
    return [
        RealImage(label, path.read_bytes(), f"{folder.name}/{path.name}")
        for label, folder in enumerate(folders)
        for path in sorted(folder.iterdir())
    ]


SETS: Mapping[str, Callable[[Path], list[RealImage]]] = MappingProxyType(
    {"mnist": mnist, "digits": digits, "emoji": emoji}
)


def write_source(name: str, images: Sequence[RealImage], test: Sequence[RealImage], folder: Path) -> None:
    """Write the images where preprocess reads them: `images` are train and val, `test` is test."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if name == "emoji":
        _write_folders(unfinished, {"train": images, "test": test})
    else:
        side = int(np.sqrt(len(images[0].content)))
        for prefix, part in (("train", images), ("t10k", test)):
            pixels = np.frombuffer(b"".join(image.content for image in part), np.uint8).reshape(-1, side, side)
            labels = np.array([image.label for image in part], np.uint8)
            (unfinished / f"{prefix}-images-idx3-ubyte").write_bytes(_idx_bytes(pixels))
            (unfinished / f"{prefix}-labels-idx1-ubyte").write_bytes(_idx_bytes(labels))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def source_options(name: str, folder: Path) -> dict[str, object]:
    """Return the options of preprocess that read what `write_source` wrote."""
    # digits are written as MNIST's files, of which no mirror keeps the class
    return {"preprocess.source": "folder" if name == "emoji" else "mnist", "preprocess.source_path": str(folder)}


def _write_folders(folder: Path, splits: Mapping[str, Sequence[RealImage]]) -> None:
    for split, images in splits.items():
        for image in images:
            path = folder / split / image.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image.content)


def _idx(path: Path, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def _idx_bytes(values: NDArray[np.uint8]) -> bytes:
    sizes = np.array(values.shape, ">u4").tobytes()
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()
