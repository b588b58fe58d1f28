"""The picture of what preprocess does to images: originals with what is cut out of them, above what becomes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from shared.data.examples import Example
from shared.plots.figures import COLOURS, GREY_PIXELS, shorten

CELL, GAP = 1.15, 0.12
"""Side of an image, and the space next to it, in inches."""

CHECKS = 12
"""Fields of the checkerboard behind transparent pixels, along the longest side."""


def before_and_after(examples: Sequence[Example], classes: Sequence[str], preparation: Mapping[str, object]) -> Figure:
    """Draw each example as it was, with its size and a frame around what is cut out, above what is in the shards."""
    head, between, left = 0.75, 0.3, 0.75
    width = left + len(examples) * (CELL + GAP)
    height = head + 2 * CELL + between + 0.05
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    below = head + CELL + between
    transparent = any(example.original.shape[2] == 4 for example in examples)
    for column, example in enumerate(examples):
        middle = left + column * (CELL + GAP) + CELL / 2
        _original(axes, example, middle, head)
        side = example.prepared.shape[0]
        picture = example.prepared[:, :, 0] if example.prepared.shape[2] == 1 else example.prepared
        axes.imshow(picture, extent=(middle - CELL / 2, middle + CELL / 2, below + CELL, below), **GREY_PIXELS)
        axes.text(middle, head - 0.22, shorten(classes[example.label], 14), fontsize=9, ha="center", va="bottom")
        axes.text(middle, head - 0.06, "{}x{} px".format(*example.size), fontsize=8.5, ha="center", va="bottom")
        axes.text(middle, below - 0.06, f"{side}x{side} px", fontsize=8.5, ha="center", va="bottom")
    for words, top in (("original", head), ("prepared", below)):
        axes.text(left - 0.1, top + CELL / 2, words, fontsize=9, ha="right", va="center")
    axes.text(width / 2, 0.18, in_words(preparation, transparent), fontsize=9, ha="center", va="center")
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_axis_off()
    return figure


def in_words(preparation: Mapping[str, object], transparent: bool) -> str:
    """Return what happens to images, from what the manifest says of it; `transparent` if some have such pixels."""
    resized = f"{preparation['resizer']}'s {preparation['resize_filter']} filter"
    under = f"; transparent pixels over {preparation['background']}" if transparent else ""
    if preparation["crop"] == "center":
        return f"centre square (frame) cut out, then resized: {resized}{under}"
    return f"whole image (frame) resized to a square: {resized}{under}"


def _original(axes: Axes, example: Example, middle: float, top: float) -> None:
    """Draw an original in its own proportions into a square cell, and the frame of what is cut out of it."""
    width, height = example.size
    scale = CELL / max(width, height)
    x, y = middle - width * scale / 2, top + (CELL - height * scale) / 2
    extent = (x, x + width * scale, y + height * scale, y)
    shown: dict[str, Any] = {"interpolation": "nearest" if max(width, height) < 64 else "antialiased"}
    axes.imshow(_over_checks(example.original), extent=extent, **shown)
    left, upper, right, lower = (scale * side for side in example.crop)
    frame = Rectangle((x + left, y + upper), right - left, lower - upper, fill=False, edgecolor=COLOURS[1], linewidth=2)
    axes.add_patch(frame)


def _over_checks(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels (H, W, 3 or 4) as RGB, transparent ones over a checkerboard."""
    if pixels.shape[2] == 3:
        return pixels
    rows, columns = np.indices(pixels.shape[:2]) * CHECKS // max(pixels.shape[:2])
    board = np.where((rows + columns) % 2, 255, 215)[:, :, None]
    alpha = pixels[:, :, 3:] / 255
    flat: NDArray[np.uint8] = np.rint(pixels[:, :, :3] * alpha + board * (1 - alpha)).astype(np.uint8)
    return flat
