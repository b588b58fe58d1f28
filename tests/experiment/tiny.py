"""A tiny experiment, made in seconds, and spies that record the inputs of its functions."""

import os
import signal
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from torch import Tensor

from jobs.__main__ import main as halfreal
from shared.data.images import Images, load_split
from shared.models.fitting import FitExtras
from shared.sources.items import Source, from_array
from shared.sources.reading import Reading
from shared.store.artifacts import Artifact
from tests.conftest import flags_replace, quicken

CLASSES = ("left", "middle", "right")
SIZE_PX, SEEN_PX = 16, 32
"""The sides of the stored images and of the annotator's input: resizing filters differ between them."""

FILTER = "lanczos"
"""Not the default, so that a use of another filter is noticed."""

TRAIN, VAL, TEST = 66, 24, 30
EVALUATED = 70
"""Images drawn for each score: more than there are train images, so that scores of real images are of all of them."""

OPTIONS: dict[str, list[object]] = {
    "preprocess": ["--size-px", SIZE_PX, "--val-fraction", 0.2, "--test-fraction", 0.25],
    "train_classifier": ["--steps", 30, "--measure-every", 15, "--width", 4],
    "train_gan": ["--family", "dcgan", "--epochs", 3, "--width", 4, "--latent", 8, "--batch-images", 16],
    "evaluate": ["--images", EVALUATED],
    "synthesize": ["--share", 3, "--shard-images", 40],
    "train_mixed": ["--steps", 2, "--measure-every", 1, "--patience", 3, "--batch-images", 8, "--width", 2],
}
"""Options that make every job quick. The synthetic images are enough for every arm."""

OPTIONS["train_classifier"] += ["--size-px", SEEN_PX, "--resize-filter", FILTER]


def bars(folder: Path, reading: Reading) -> Source:
    """Return 120 noisy pictures in three classes: a bright bar at the left, in the middle or at the right."""
    chance = np.random.default_rng(5)
    items = []
    for index in range(120):
        label = 0 if index % 10 < 5 else 1 if index % 10 < 8 else 2
        pixels = chance.integers(0, 120, (SIZE_PX, SIZE_PX), dtype=np.uint8)
        pixels[:, 5 * label : 5 * label + 4] += 120
        items.append(from_array(pixels, label, {"index": index}))
    return Source(CLASSES, items)


def call(job: str, data_root: Path, *words: object, drawn: bool = False) -> Result:
    """Return the result of a job with its options of OPTIONS and `words`, on the CPU, in this process.

    Figures are dots unless `drawn`.
    """
    place = ["--data-root", data_root, "--experiment", "tiny", "--device", "cpu"]
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.MonkeyPatch.context() as patch:
            quicken(patch, drawn)
            flags_replace(patch)
            return CliRunner().invoke(halfreal, [job, *map(str, [*place, *OPTIONS.get(job, []), *words])])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def set_replicates(patch: pytest.MonkeyPatch, replicates: int) -> None:
    """Let jobs make that many replicates, in this process; take away all else that the environment says of jobs."""
    for name in [name for name in os.environ if name.startswith("HALFREAL_")]:
        patch.delenv(name)
    patch.setenv("HALFREAL_REPLICATES", str(replicates))
    patch.setenv("HALFREAL_PROCESSES", "1")  # spies see no other process


@dataclass
class Spy:
    """Calls `function` and records its arguments and results."""

    function: Callable[..., Any]
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)
    returned: list[Any] = field(default_factory=list)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function."""
        self.calls.append((arguments, named))
        self.returned.append(self.function(*arguments, **named))
        return self.returned[-1]

    def parts(self, count: int) -> list["Spy"]:
        """Return what it recorded in `count` equal parts, in order."""
        size, rest = divmod(len(self.calls), count)
        assert not rest
        places = [slice(size * number, size * (number + 1)) for number in range(count)]
        return [Spy(self.function, self.calls[place], self.returned[place]) for place in places]


@dataclass(frozen=True)
class Fit:
    """The inputs of a classifier's fit, and the network that it returned."""

    train: Images
    val: Images
    seed: int
    extras: FitExtras
    network: Any


def fits(spy: Spy) -> list[Fit]:
    """Return the fits that a spy on `fit` saw, in their order."""
    return [
        Fit(
            arguments[0],
            arguments[1],
            named["seed"],
            named.get("extras", FitExtras()),
            deepcopy(fitted.network),
        )
        for (arguments, named), fitted in zip(spy.calls, spy.returned, strict=True)
    ]


def enlarged(images: Tensor) -> Tensor:
    """Return grey uint8 images (N, 1, S, S) at (N, 1, SEEN_PX, SEEN_PX), as Pillow's own FILTER makes them."""
    made = [
        Image.fromarray(pixels[0].numpy()).resize((SEEN_PX, SEEN_PX), Image.Resampling[FILTER.upper()])
        for pixels in images
    ]
    return torch.from_numpy(np.stack([np.asarray(image) for image in made]))[:, None]


def seen(dataset: Artifact, split: str) -> Images:
    """Return a split of the real images as classifiers should see it."""
    stored = load_split(dataset, split)
    return Images(enlarged(stored.images), stored.labels)


def same(first: Images, second: Images) -> bool:
    """Whether both have the same images with the same labels, in the same order."""
    return torch.equal(first.images, second.images) and torch.equal(first.labels, second.labels)


def places(images: Tensor, among: Tensor) -> list[int]:
    """Return the index in `among` of each of `images`, -1 for an image that is not there."""
    known = {image.numpy().tobytes(): place for place, image in enumerate(among)}
    return [known.get(image.numpy().tobytes(), -1) for image in images]
