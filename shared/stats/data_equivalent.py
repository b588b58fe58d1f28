"""How many real images synthetic ones are equivalent to, read off the learning curve of real images."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class DataEquivalent(TypedDict):
    """A number of real images; `beyond` is "more" or "fewer" at an end of the learning curve, else None."""

    images: int
    beyond: str | None


def data_equivalent(counts: Sequence[int], curve: Sequence[float], value: float) -> DataEquivalent:
    """Return the number of real `images` that reach an accuracy of `value`, and whether that is `beyond` the curve.

    `curve` is the accuracy at `counts` images, both rising; made monotone first, since a dip is noise, then read off
    linearly in log n. `beyond` is "more" or "fewer" where the value lies above or below the whole curve, and `images`
    the end of the curve there.
    """
    heights = np.maximum.accumulate(np.asarray(curve, dtype=float))
    if value > heights[-1]:
        return {"images": int(counts[-1]), "beyond": "more"}
    if value < heights[0]:
        return {"images": int(counts[0]), "beyond": "fewer"}
    # of equal heights the smaller number of images counts
    rising = np.append(True, np.diff(heights) > 0)
    log_images = np.interp(value, heights[rising], np.log(np.asarray(counts, dtype=float))[rising])
    return {"images": round(float(np.exp(log_images))), "beyond": None}
