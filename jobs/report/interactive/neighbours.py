"""The gallery: synthetic images, each with the training image nearest to it and a real one of its class."""

from dataclasses import dataclass

import numpy as np
import torch
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from jobs.report.embedding import webp_address
from shared.data.images import Images, load_learned, load_split
from shared.format.sample import Sample
from shared.format.shards import preview
from shared.plots.classes import choices
from shared.plots.image_grid import tile
from shared.store.artifacts import Artifact
from shared.store.records.base import parse_record
from shared.store.records.datasets import RealRecord, SampleMeta, SyntheticRecord

MOST, MOST_TRAIN, BLOCK = 60, 20_000, 2_000
"""Synthetic images in the gallery, in all; training images that are searched, evenly spread; how many at a time."""

KINDS = ("synthetic image", "nearest training image", "real image of its class")
"""What is next to each other; the field of each is a cell of one sheet."""

SETS = 10
"""How many are next to each other in the sheet: a picture of one column would be too high for its format."""


@dataclass(frozen=True)
class Gallery:
    """The sheet of all cells as an address, and for each synthetic image what it is, in words."""

    sheet: str
    words: list[str]

    def html(self, searched: str) -> Markup:
        """Return the gallery as HTML; `searched` says which training images were compared with."""
        rows = -(-len(self.words) // SETS)
        places = [divmod(number, SETS) for number in range(len(self.words))]
        items = [_item(words, row, column, rows) for words, (row, column) in zip(self.words, places, strict=True)]
        return Markup(
            '<p class="find" data-rows=".gallery li" data-what="images" hidden>'
            '<label for="find-image">Search the images</label> '
            '<input type="search" id="find-image" autocomplete="off" placeholder="part of a class name"> '
            '<span role="status">{count} images</span></p>'
            '<div role="region" tabindex="0" class="gallery-box" aria-label="Gallery" style="--sheet: url({sheet}); '
            '--columns: {columns}"><ul class="gallery">{items}</ul></div>'
            "<figcaption>From left to right: a synthetic image, the nearest of {searched} by its pixels as they are, "
            "and a real training image of the class that the annotator gave. Look for pairs that are the same picture."
            "</figcaption>"
        ).format(
            count=len(self.words),
            sheet=self.sheet,
            columns=SETS * len(KINDS),
            items=Markup("").join(items),
            searched=searched,
        )


def gallery(real: Artifact[RealRecord], synthetic: Artifact[SyntheticRecord]) -> Markup:
    """Return the gallery of a synthetic set: its first images of each class that is shown."""
    record, classes = synthetic.record, synthetic.dataset.classes
    choice = choices.of_labels(record.annotated_counts, record.asked_counts)
    each = max(MOST // len(choice.places), 1)
    samples = preview(synthetic.folder, synthetic.dataset.splits["train"], each, choice.places)
    samples.sort(key=lambda sample: sample.label)
    size_px, resize_filter = synthetic.dataset.size_px, synthetic.preparation.resize_filter
    train = load_learned(real).at(size_px, resize_filter)
    labelled = load_split(real, "train").at(size_px, resize_filter)
    drawn = torch.from_numpy(np.stack([sample.image.transpose(2, 0, 1) for sample in samples]))
    searched = torch.linspace(0, len(train) - 1, min(len(train), MOST_TRAIN)).round().long()
    near = train.pixels[nearest(drawn, train, searched)]
    of_class = _of_class(samples, labelled, drawn)
    cells = torch.stack([drawn, near, of_class], dim=1).flatten(0, 1)
    sheet = webp_address(Image.fromarray(tile(cells, SETS * len(KINDS), gap_px=0)))
    everything = len(searched) == len(train)
    words = f"{'all' if everything else 'a spread of'} {len(searched):,} training images"
    return Gallery(sheet, [_words(sample, classes) for sample in samples]).html(words)


def nearest(drawn: Tensor, train: Images, searched: Tensor) -> Tensor:
    """Return, for each of uint8 images (N, channels, size, size), the number of the nearest of `searched` train images.

    By Euclidean distance of pixels; of equal ones the first.
    """
    wanted = drawn.flatten(1).float()
    best = torch.full((len(drawn),), torch.inf)
    found = torch.zeros(len(drawn), dtype=torch.int64)
    for numbers in searched.split(BLOCK):
        near, at = torch.cdist(wanted, train.pixels[numbers].flatten(1).float()).min(dim=1)
        found = torch.where(near < best, numbers[at], found)
        best = torch.minimum(near, best)
    return found


def _of_class(samples: list[Sample], labelled: Images, drawn: Tensor) -> Tensor:
    """Return a real image of the label of each sample, another one each time; white where there is none."""
    taken: dict[int, int] = {}
    kept: dict[int, Tensor] = {}
    pictures = []
    for sample in samples:
        number = taken.get(sample.label, 0)
        taken[sample.label] = number + 1
        if sample.label not in kept:
            kept[sample.label] = labelled.first_of(sample.label, MOST)
        of_label = kept[sample.label]
        pictures.append(of_label[number % len(of_label)] if len(of_label) else torch.full_like(drawn[0], 255))
    return torch.stack(pictures)


def _words(sample: Sample, classes: list[str]) -> str:
    """Return the class that was asked for, if any was, the annotator's, and how sure it was."""
    meta = parse_record(SampleMeta, sample.meta, f"sample {sample.key}: its json")
    asked = meta.origin.asked_label
    names = classes[sample.label] if asked is None else f"{classes[asked]} \N{RIGHTWARDS ARROW} {classes[sample.label]}"
    return f"{names}, {meta.annotation.confidence:.2f}"


def _item(words: str, row: int, column: int, rows: int) -> Markup:
    across, down = SETS * len(KINDS) - 1, max(rows - 1, 1)
    cells = [
        Markup('<span class="cell" role="img" aria-label="{}" style="background-position: {}% {}%"></span>').format(
            kind, round(100 * (len(KINDS) * column + place) / across, 4), round(100 * row / down, 4)
        )
        for place, kind in enumerate(KINDS)
    ]
    return Markup('<li><div class="cells">{}</div><span data-name>{}</span></li>').format(Markup("").join(cells), words)
