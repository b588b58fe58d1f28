"""A few images before and after the preparation, for a picture of it."""

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice, zip_longest

import numpy as np
from PIL import Image

from jobs.preprocess.options import PreprocessOptions
from shared.data.examples import LARGEST_PX, Example
from shared.sources.items import Item
from shared.sources.prepare import crop_box, prepare, upright
from shared.sources.work import UNREADABLE, opening

EXAMPLES = 8
"""Images that are shown."""


def examples_of(config: PreprocessOptions, items: Sequence[Item]) -> list[Example]:
    """Return the first examples of `items`, taken from each class in turn; what cannot be read is left out."""
    by_class: dict[int, list[Item]] = {}
    for item in items:
        by_class.setdefault(item.label, []).append(item)
    rounds = zip_longest(*(by_class[label] for label in sorted(by_class)))
    made = (_example(config, item) for turn in rounds for item in turn if item is not None)
    chosen = list(islice((example for example in made if example is not None), EXAMPLES))
    return sorted(chosen, key=lambda example: example.label)


def _example(config: PreprocessOptions, item: Item) -> Example | None:
    with opening(config.max_pixels):
        try:
            picture = item.decode(item.read())
            with picture if isinstance(picture, Image.Image) else nullcontext():
                prepared = prepare(picture, config.target)
                original = upright(picture)
                size = original.size
                original = original.convert("RGBA" if original.has_transparency_data else "RGB")
        except UNREADABLE:
            return None
    if max(size) > LARGEST_PX:
        original.thumbnail((LARGEST_PX, LARGEST_PX), Image.Resampling.LANCZOS)
    return Example(np.asarray(original), size, crop_box(*size, config.crop), prepared, item.label)
