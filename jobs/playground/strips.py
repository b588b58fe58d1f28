"""Images next to each other: the same latents drawn in several ways, and a strip from one image to another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from jobs.commands.drawing import Experiment, SampleRequest
from shared.errors import BadConfig
from shared.models.gans.interpolation import along_arc, draw_between, mixes_classes
from shared.models.snapshots import latents_of
from shared.plots.image_grid import evenly

COLUMNS, MOST_ROWS = 6, 12
"""Latents next to each other, as many as a phone shows; rows below each other, at most."""

TRUNCATIONS = (0.25, 0.5, 1.0, 2.0, None)
"""Limits of the latents that are compared, in standard deviations; the last one is none."""


@dataclass(frozen=True)
class Strip:
    """Images (N, channels, size, size) with the labels given to them (N,), and the annotator's confidence in each (N,).

    `name` says what they have in common; `asked` is the label that was asked for, None where no single one was.
    """

    name: str
    images: Tensor
    given: Tensor
    confidence: Tensor
    asked: int | None = None


def _strip(opened: Experiment, request: SampleRequest, name: str) -> Strip:
    drawn = opened.images(request)
    return Strip(name, drawn.images, drawn.given, drawn.confidence, request.label)


def _some(count: int, wanted: int) -> list[int]:
    """Return places among `count`: all, or evenly spread ones and the one that is wanted."""
    return sorted({*evenly(count, MOST_ROWS), wanted})


def by_snapshot(opened: Experiment, request: SampleRequest) -> Iterator[Strip]:
    """Yield a strip for each snapshot, or for some of many; the one asked for is among them."""
    files = list(opened.snapshots.items())
    for place in _some(len(files), list(opened.snapshots.values()).index(request.snapshot)):
        epoch, file = files[place]
        chosen = ", chosen by evaluate" if epoch == opened.chosen else ""
        yield _strip(opened, replace(request, snapshot=file), f"epoch {epoch}{chosen}")


def by_replicate(opened: Experiment, request: SampleRequest) -> Iterator[Strip]:
    """Yield a strip for each replicate that is scored, by the snapshot that was chosen for it and its own annotator."""
    there = opened.replicates
    for place in _some(len(there), there.index(opened.replicate)):
        other = Experiment(opened.folder, there[place])
        name = f"replicate {other.replicate}, epoch {other.chosen}"
        yield _strip(other, replace(request, snapshot=other.snapshot(None)), name)


def by_class(opened: Experiment, request: SampleRequest) -> Iterator[Strip]:
    """Yield a strip for each class, or for some of many; BadConfig where the generator knows none."""
    if request.label is None:
        raise BadConfig("this generator was trained without classes: compare snapshots, replicates or truncations")
    for label in _some(len(opened.classes), request.label):
        yield _strip(opened, replace(request, label=label), f"class {opened.classes[label]}")


def by_truncation(opened: Experiment, request: SampleRequest) -> Iterator[Strip]:
    """Yield a strip for each limit of the latents."""
    for limit in TRUNCATIONS:
        name = "no truncation" if limit is None else f"truncation {limit:g}"
        yield _strip(opened, replace(request, truncation=limit), name)


@dataclass(frozen=True)
class Comparison:
    """What is below each other: a strip for each, from the same latents, and what to know of them."""

    strips: Callable[[Experiment, SampleRequest], Iterator[Strip]]
    about: str


COMPARED = {
    "Snapshots": Comparison(by_snapshot, "The generator after more and more epochs."),
    "Replicates": Comparison(
        by_replicate,
        "Each is a generator of its own, with its chosen snapshot and its own annotator: a latent is another image to "
        "each.",
    ),
    "Classes": Comparison(by_class, "A latent often gives each class the same style, such as slant or thickness."),
    "Truncations": Comparison(by_truncation, "From typical images to diverse ones."),
}
"""What can be compared, by its name on the page."""


def interpolated(opened: Experiment, first: SampleRequest, last: SampleRequest, steps: int) -> Strip:
    """Return `steps` images from the first image of one request to that of another, which differ in seed and class."""
    source = opened.generator(first.snapshot)
    seeds = [end.latent_seeds[0] for end in (first, last)]
    start, end = latents_of(seeds, source.latent, first.truncation) * first.latent_scale
    shares = torch.linspace(0, 1, steps)
    labels = first.label or 0, last.label or 0
    images = draw_between(source.network, along_arc(start, end, shares), labels, shares)
    jumps = labels[0] != labels[1] and not mixes_classes(source.network)
    name = "Each class has a generator of its own: the class changes half-way." if jumps else ""
    return Strip(name, images, *source.annotated(images))
