"""Small pictures whose colour tells their class and split, and the files that people keep them in."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

SIDE = 8

COUNT = 10
"""Pictures of each class where there is no split."""

SPLITS = {"train": 10, "val": 3, "test": 3}
"""Pictures of each class in each split."""

SHADES = {"": 30, "train": 90, "val": 150, "test": 210}
"""Green of a picture, by the split that its file says."""

STEP = 45
"""Difference of red between a class and the next."""


class Picture(NamedTuple):
    """A picture's class, as its place in the order of classes and as a name, its split, its number there, its file."""

    kind: int
    label: str
    split: str
    number: int
    data: bytes


def encoded(kind: int, number: int, split: str = "", suffix: str = "png", group: int = 0) -> bytes:
    """Return the file of a picture: red is its class, green its split, blue its group; noise tells it from others."""
    chance = np.random.default_rng([kind, number, len(split)])
    noise = chance.integers(-12, 13, (SIDE // 2, SIDE))
    colour = np.array([30 + STEP * kind, SHADES[split], 30 + 10 * group])
    # a mean of zero keeps the mean colour
    pixels = colour + np.concatenate([noise, -noise])[:, :, None]
    out = io.BytesIO()
    form = {"jpg": "JPEG", "jpeg": "JPEG", "JPEG": "JPEG"}.get(suffix, suffix.upper())
    Image.fromarray(pixels.astype(np.uint8)).save(out, form)
    return out.getvalue()


def kind_of(image: np.ndarray) -> int:
    """Return the class that the colour of prepared pixels (H, W, 3) tells."""
    return round((float(image[:, :, 0].mean()) - 30) / STEP)


def split_of(image: np.ndarray) -> str:
    """Return the split that the colour of prepared pixels tells; empty where files said none."""
    return min(SHADES, key=lambda name: abs(SHADES[name] - float(image[:, :, 1].mean())))


def group_of(image: np.ndarray) -> int:
    """Return the group that the colour of prepared pixels tells."""
    return round((float(image[:, :, 2].mean()) - 30) / 10)


def pictures(*labels: str, suffix: str = "png", count: int = COUNT) -> list[Picture]:
    """Return `count` pictures of each class, without a split; labels are in the order of classes."""
    return [
        Picture(kind, label, "", number, encoded(kind, number, suffix=suffix))
        for kind, label in enumerate(labels)
        for number in range(count)
    ]


def split_pictures(*labels: str, suffix: str = "png", splits: Sequence[str] = tuple(SPLITS)) -> list[Picture]:
    """Return pictures of each class in each of `splits`."""
    return [
        Picture(kind, label, split, number, encoded(kind, number, split, suffix))
        for split in splits
        for kind, label in enumerate(labels)
        for number in range(SPLITS[split])
    ]


def write(path: Path, content: bytes | str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def csv(rows: Iterable[Sequence[object]], between: str = ",", end: str = "\n") -> str:
    """Return rows as lines of text."""
    return "".join(between.join(map(str, row)) + end for row in rows)


def tar(path: Path, members: Iterable[tuple[str, bytes | str]], mode: str = "w") -> None:
    """Write a tar of files, in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as out:  # type: ignore[call-overload]
        for name, content in members:
            payload = content if isinstance(content, bytes) else content.encode()
            header = tarfile.TarInfo(name)
            header.size = len(payload)
            out.addfile(header, io.BytesIO(payload))


def zipped(path: Path, members: Iterable[tuple[str, bytes | str]]) -> None:
    """Write a zip of files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as out:
        for name, content in members:
            out.writestr(name, content)


def named(some: Iterable[Picture], pattern: str, splits: dict[str, str] | None = None) -> list[tuple[str, Picture]]:
    """Return each picture with its path: `pattern` with {label}, {kind}, {number}, {split}; `splits` renames splits."""
    words = splits or {}
    return [
        (
            pattern.format(label=p.label, kind=p.kind, number=p.number, split=words.get(p.split, p.split)),
            p,
        )
        for p in some
    ]


def files(
    some: Iterable[Picture], pattern: str, splits: dict[str, str] | None = None, **others: bytes | str
) -> Callable[[Path], None]:
    """Return what writes each picture to its path, and `others`: name and content of further files."""

    def make(root: Path) -> None:
        for path, p in named(some, pattern, splits):
            write(root / path, p.data)
        for name, content in others.items():
            write(root / name, content)

    return make
