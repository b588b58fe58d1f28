"""Small sets of pictures in class folders."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("bar", "dot", "ring")
SIDE = 16


def picture(label: int, chance: np.random.Generator, noise: int = 60) -> Image.Image:
    """Return a colour picture of a class: a bright bar at the left, the middle or the right, on noise."""
    pixels = chance.integers(0, noise + 1, (SIDE, SIDE, 3), dtype=np.uint8)
    pixels[:, 5 * label : 5 * label + 4] += 120
    return Image.fromarray(pixels)


def write_set(
    folder: Path, each: int, seed: int, classes: tuple[str, ...] = CLASSES, noise: int = 60, wrong: bool = False
) -> Path:
    """Write `each` pictures of every class below `folder`; with `wrong` the labels say nothing of the pictures."""
    chance = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            shown = int(chance.integers(len(classes))) if wrong else label
            picture(shown, chance, noise).save(folder / name / f"{number:03d}.png")
    return folder
