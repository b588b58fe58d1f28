"""Sets of emoji as somebody could have them: real ones, held-out ones, and synthetic ones of known worth."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

CLASSES = ("flags", "objects", "people-and-body", "smileys-and-emotion", "symbols", "travel-and-places")

VARIANTS = ("200d", *(f"1f3f{tone}" for tone in "bcdef"))
"""Parts of the names of emoji that are others in another skin colour or sex: near-copies, which no split may tear."""

SHIFT_PX = 2


@dataclass(frozen=True)
class Sizes:
    """Images of each class in the real set, in sets of other real images, and held out."""

    real: int = 65
    other: int = 50
    held_out: int = 42


def make_sets(emoji: Path, out: Path, sizes: Sizes, seed: int = 0) -> None:
    """Write `real`, `held-out` and a folder for each of SETS below `out`, each with a folder for each class."""
    chance = random.Random(seed)
    for name in CLASSES:
        files = sorted(file for file in (emoji / name).glob("*.png") if not any(part in file.name for part in VARIANTS))
        chance.shuffle(files)
        parts = iter(files)
        real, other, held_out = (list(_take(parts, count, name)) for count in (sizes.real, sizes.other, sizes.held_out))
        _write(out / "real" / name, [(file.name, opened(file)) for file in real])
        _write(out / "held-out" / name, [(file.name, opened(file)) for file in held_out])
        for made in SETS:
            sources = real if made.of_real else other
            pictures = [(file.name, made.change(opened(file), chance)) for file in sources]
            _write(out / made.name / name, pictures)


def _take(files: Iterator[Path], count: int, name: str) -> Iterator[Path]:
    for number in range(count):
        file = next(files, None)
        if file is None:
            raise ValueError(f"{name}: {number} of {count} emoji")
        yield file


def _write(folder: Path, pictures: Sequence[tuple[str, Image.Image]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures:
        picture.save(folder / name)


def opened(file: Path) -> Image.Image:
    """Return an emoji in RGB on white."""
    with Image.open(file) as picture:
        coloured = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")


def unchanged(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Return the picture itself."""
    return picture


def mirrored_and_shifted(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Return the picture in a mirror, shifted by up to SHIFT_PX in each direction, white at the edges."""
    moved = Image.new("RGB", picture.size, "white")
    moved.paste(ImageOps.mirror(picture), tuple(chance.choice((-SHIFT_PX, -1, 1, SHIFT_PX)) for _ in range(2)))
    return moved


def noise(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Return uniform noise of the picture's size."""
    drawn = np.random.default_rng(chance.randrange(2**32)).integers(0, 256, (*picture.size, 3), dtype=np.uint8)
    return Image.fromarray(drawn)


def drawn_by_pencil(picture: Image.Image, chance: random.Random) -> Image.Image:
    """Return the outlines of the picture, grey on white: another style of the same things."""
    outlines = ImageOps.invert(picture.convert("L").filter(ImageFilter.FIND_EDGES))
    return ImageOps.autocontrast(outlines.filter(ImageFilter.SMOOTH)).convert("RGB")


@dataclass(frozen=True)
class Made:
    """A set of synthetic images, made from the real images themselves (`of_real`) or from other ones.

    `outcomes` are the right ones of the headline where real images are held out; `copies` says whether the set is to
    be flagged.
    """

    name: str
    about: str
    of_real: bool
    change: Callable[[Image.Image, random.Random], Image.Image]
    outcomes: tuple[str, ...]
    copies: bool = False


SETS = (
    Made("other", "other real emoji: a perfect generator", False, unchanged, ("helped", "no effect shown")),
    Made("copies", "byte for byte the real emoji", True, unchanged, ("no effect shown", "copies"), copies=True),
    Made(
        "shifted",
        "the real emoji, mirrored and shifted",
        True,
        mirrored_and_shifted,
        ("no effect shown", "copies"),
        copies=True,
    ),
    Made("noise", "noise with labels", False, noise, ("hurt", "no effect shown")),
    Made("pencil", "other real emoji as outlines", False, drawn_by_pencil, ("helped", "hurt", "no effect shown")),
)
