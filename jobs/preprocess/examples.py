"""A few images before and after the preparation, for a picture of it."""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import islice, zip_longest

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.preprocess.options import PreprocessOptions
from shared.data.examples import LARGEST_PX, Example
from shared.sources.items import Item
from shared.sources.prepare import crop_box, prepare, upright
from shared.sources.work import UNREADABLE, opening

EXAMPLES = 8
"""Images that are shown."""


def examples_of(config: PreprocessOptions, labels: NDArray[np.int64], item: Callable[[int], Item]) -> list[Example]:
    """Return the first examples of images, from each class in turn, given their labels, int64 (N,), and each by place.

    What cannot be read is left out.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.unique(labels[order], return_index=True)[1]
    rounds = zip_longest(*np.split(order, starts[1:]))
    made = (_example(config, item(int(place))) for turn in rounds for place in turn if place is not None)
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
