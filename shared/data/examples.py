"""Some real images as they were and as they are in the shards: what a picture of the preparation needs.

The shards do not hold the originals, so `preprocess` writes a few of them, small, next to the shards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shared.store.artifacts import Artifact
from shared.store.checkpoints import load, save
from shared.store.records.base import Record, parse_record

EXAMPLES_FILE = "examples.safetensors"

LARGEST_PX = 224
"""Sides of stored originals at most."""


@dataclass(frozen=True)
class Example:
    """An image before and after its preparation.

    `original` is upright, uint8 (height, width, 3) or with alpha (height, width, 4), at most LARGEST_PX a side; it was
    `size` (width, height). `crop` is what was cut out of it: left, top, right, bottom in its own pixels. `prepared` is
    uint8 (size_px, size_px, 1 or 3), of class `label`.
    """

    original: NDArray[np.uint8]
    size: tuple[int, int]
    crop: tuple[int, int, int, int]
    prepared: NDArray[np.uint8]
    label: int


class ExampleRow(Record):
    """The numbers of an example; see Example."""

    size: list[int]
    crop: list[int]
    label: int


class ExamplesHeader(Record):
    """The header of the file."""

    rows: list[ExampleRow]


def save_examples(folder: Path, examples: Sequence[Example]) -> None:
    """Write the examples into the folder of a dataset; equal ones give equal bytes."""
    tensors = {}
    for number, example in enumerate(examples):
        tensors[f"original.{number}"] = torch.from_numpy(example.original.copy())
        tensors[f"prepared.{number}"] = torch.from_numpy(example.prepared.copy())
    rows = [ExampleRow(size=[*each.size], crop=[*each.crop], label=each.label) for each in examples]
    save(folder / EXAMPLES_FILE, tensors, ExamplesHeader(rows=rows).facts())


def load_examples(real: Artifact) -> list[Example]:
    """Return the examples of a dataset; none where an earlier version of halfreal wrote it."""
    if EXAMPLES_FILE not in {info.name for info in real.manifest.files}:
        return []
    where = str(real.folder / EXAMPLES_FILE)
    tensors, facts = load(real.read(EXAMPLES_FILE), where)
    rows = parse_record(ExamplesHeader, facts, f"{where}: its header").rows
    return [
        Example(
            original=tensors[f"original.{number}"].numpy(),
            size=(row.size[0], row.size[1]),
            crop=(row.crop[0], row.crop[1], row.crop[2], row.crop[3]),
            prepared=tensors[f"prepared.{number}"].numpy(),
            label=row.label,
        )
        for number, row in enumerate(rows)
    ]
