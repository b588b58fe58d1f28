"""Made faces in CelebA's layout whose attributes can be seen: bright halves, a dark stripe."""

from pathlib import Path

import numpy as np
from PIL import Image

ATTRIBUTES = ("Young", "Smiling", "Male")

LABEL = ",".join(ATTRIBUTES)


def bits_of_face(index: int) -> tuple[bool, bool, bool]:
    """Return whether face `index` is Young, Smiling, Male; every Male is Young: two combinations have no face."""
    young = index % 3 > 0
    return young, index // 3 % 2 == 0, young and index // 2 % 2 == 0


def face(index: int) -> Image.Image:
    """Return face `index`, unlike every other one."""
    young, smiling, male = bits_of_face(index)
    pixels = np.random.default_rng(index).integers(60, 100, (24, 20, 3))
    pixels[:, :10] += 120 * young
    pixels[:, 10:] += 120 * smiling
    pixels[10:14] -= 60 * male
    return Image.fromarray(pixels.astype(np.uint8))


def write_faces(root: Path, count: int) -> Path:
    """Write `count` faces into `sources` of a data root, with one more attribute, Bald; return their folder.

    Of twelve, seven are train, two val and three test.
    """
    folder = root / "sources" / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    rows, parts = [], []
    for index in range(count):
        name = f"{index + 1:06d}.png"
        face(index).save(folder / "img_align_celeba" / name)
        bits = bits_of_face(index)
        values = [bits[2], index % 2 == 0, bits[0], bits[1]]
        rows.append(" ".join([name, *("1" if value else "-1" for value in values)]))
        place = (index * 7 + index // 12) % 12
        parts.append(f"{name} {0 if place < 7 else 1 if place < 9 else 2}")
    header = "Male Bald Young Smiling"
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(count), header, *rows]) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    return folder
