"""Small sets of pictures in class folders."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("bar", "dot", "ring")
SIDE = 16


STRENGTH = 40
"""How much brighter a bar is than the noise around it: few pictures of a class are not enough to learn it."""


def picture(label: int, chance: np.random.Generator) -> Image.Image:
    """Return a colour picture of a class: a short bar at the left, the middle or the right, at any height, on noise."""
    pixels = chance.integers(0, 256 - STRENGTH, (SIDE, SIDE, 3), dtype=np.uint8)
    top = int(chance.integers(SIDE - 5))
    pixels[top : top + 6, 5 * label : 5 * label + 4] += STRENGTH
    return Image.fromarray(pixels)


def write_set(folder: Path, each: int, seed: int, classes: tuple[str, ...] = CLASSES, wrong: bool = False) -> Path:
    """Write `each` pictures of every class below `folder`; with `wrong` the labels say nothing of the pictures."""
    chance = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            shown = int(chance.integers(len(classes))) if wrong else label
            picture(shown, chance).save(folder / name / f"{number:03d}.png")
    return folder
