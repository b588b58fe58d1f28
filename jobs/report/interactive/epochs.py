"""The slider over epochs: what the generator drew from the same latents, one epoch at a time."""

import numpy as np
from markupsafe import Markup
from PIL import Image

from jobs.report.embedding import webp_address
from shared.plots.image_grid import tile
from shared.plots.training.panels import Progress

SLIDER = Markup(
    '<div class="slider" data-epochs="{epochs}" hidden>'
    '<div class="frames" style="aspect-ratio: {width} / {height}; max-width: {most}px">'
    '<img src="{address}" alt="{alt}" style="height: {count}00%"></div>'
    '<p><label>Epoch <input type="range" min="0" max="{last}" value="{last}" step="1"></label> '
    "<output>{epoch}</output> of {total}</p></div>"
)

LARGEST_PIXEL_PX = 6
"""How large a pixel of a generated image is shown, at most."""


def epoch_slider(progress: Progress, alt: str) -> Markup:
    """Return one picture of all epochs below each other, of which the page's script shows one; hidden without it."""
    # (rows, columns, channels, size, size) of each epoch, as one sheet
    sheets = [tile(images.flatten(0, 1), images.shape[1]) for images in progress.images]
    height, width = sheets[0].shape[:2]
    return SLIDER.format(
        epochs=" ".join(map(str, progress.epochs)),
        width=width,
        height=height,
        most=LARGEST_PIXEL_PX * width,
        address=webp_address(Image.fromarray(np.concatenate(sheets))),
        alt=alt,
        count=len(sheets),
        last=len(sheets) - 1,
        epoch=progress.epochs[-1],
        total=progress.last,
    )
