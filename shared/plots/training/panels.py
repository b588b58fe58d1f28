"""What a GAN draws while it trains: real next to generated images of one snapshot, the same latents over epochs."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from shared.models.snapshots import (
    GRID_COLUMNS,
    GRID_SEED,
    SnapshotFiles,
    draw_images,
    latents_of,
    load_snapshot,
    side_by_side,
)
from shared.plots import figures
from shared.plots.image_grid import evenly
from shared.store.records.gan import GanRecord

FRAMES, STRIP_COLUMNS, STRIP_ROWS = 20, 10, 6
"""Epochs of an animation and of a strip, at most; rows that a strip of few classes is filled up to."""

FRAME_ROWS, FRAME_COLUMNS, FRAME_PIXELS = 10, 5, 60_000
"""Rows of a frame, images in a row, and their pixels, at most: the animation is a part of the page."""

MOST_BYTES = 300_000
"""The size of an animation, at most."""

FRAME_MS, LAST_MS = 400, 2000
"""How long a frame is shown, and the last one."""


def real_and_generated(real: Tensor, drawn: Tensor, names: Sequence[str], title: str) -> Figure:
    """Draw uint8 images (N, channels, size, size), GRID_COLUMNS a row: real ones left, generated ones right.

    `names` are those of the rows; none for an unconditional generator, whose images are of no known class.
    """
    shown = side_by_side(real.split(GRID_COLUMNS), drawn.split(GRID_COLUMNS))
    return figures.image_rows(shown, 2 * GRID_COLUMNS + 1, title, names)


@dataclass(frozen=True)
class Progress:
    """What a GAN draws from fixed latents after some of its `epochs`, of `last` in all.

    `images` are uint8 (epochs, rows, columns, channels, size, size). A row is a class, called as in `names`; without
    names it is a few latents of an unconditional generator.
    """

    epochs: list[int]
    last: int
    names: list[str]
    images: Tensor


def draw_progress(record: GanRecord, files: SnapshotFiles, classes: Sequence[str]) -> Progress:
    """Draw from the latents of the sample grids after at most FRAMES snapshots, evenly spread, first and last too."""
    shape = record.generator.get("member", record.generator)
    assert isinstance(shape, dict)
    cells = FRAME_PIXELS / (int(shape["size_px"]) + 1) ** 2
    lines = min(max(int(1.5 * cells**0.5), 2), FRAME_ROWS)
    rows = evenly(len(classes), lines) if record.conditional else list(range(lines))
    columns = max(min(int(cells / len(rows)), FRAME_COLUMNS), 2)
    places = [(row, row * GRID_COLUMNS + column) for row in rows for column in range(columns)]
    latents = latents_of([GRID_SEED + place for _, place in places], record.latent)
    labels = torch.tensor([row if record.conditional else 0 for row, _ in places])
    snapshots = [record.snapshots[place] for place in evenly(len(record.snapshots), FRAMES)]
    cpu = torch.device("cpu")  # a page must not depend on the machine that draws it
    drawn = [draw_images(load_snapshot(files, each.file, cpu), latents, labels) for each in snapshots]
    return Progress(
        epochs=[each.epoch for each in snapshots],
        last=record.snapshots[-1].epoch,
        names=[classes[row] for row in rows] if record.conditional else [],
        images=torch.stack(drawn).unflatten(1, (len(rows), columns)),
    )


def strip(progress: Progress) -> Figure:
    """Draw a column for each of at most STRIP_COLUMNS epochs, a row for each latent: of each class at least one."""
    shown = evenly(len(progress.epochs), STRIP_COLUMNS)
    rows, columns = progress.images.shape[1:3]
    each = min(max(STRIP_ROWS // rows, 1), columns)
    images = progress.images[shown, :, :each].flatten(1, 2).transpose(0, 1).flatten(0, 1)
    names = [name if first else "" for name in progress.names for first in [True, *[False] * (each - 1)]]
    figure = figures.image_rows(images, len(shown), "the same latents over epochs", names)
    (axes,) = figure.axes
    side = images.shape[-1]
    axes.set_axis_on()
    axes.set(xticks=[place * (side + 1) + side / 2 for place in range(len(shown))])
    axes.set_xticklabels([str(progress.epochs[place]) for place in shown], fontsize=9)
    axes.tick_params(length=0, bottom=False, left=False)
    axes.set_xlabel("epoch")
    if not names:
        axes.set(yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return figure


def animation(progress: Progress) -> bytes:
    """Return the same as an animated WebP of at most MOST_BYTES: a frame for each epoch, over and over.

    One epoch gives one frame, which does not move.
    """
    frames = [_frame(progress, place) for place in range(len(progress.epochs))]
    size = max(frame.width for frame in frames), max(frame.height for frame in frames)
    canvases = []
    for frame in frames:
        # titles differ in width
        canvases.append(Image.new("RGB", size, "white"))
        canvases[-1].paste(frame, (0, 0))
    for quality in (70, 50, 30):
        encoded = _webp(canvases, quality)
        if len(encoded) <= MOST_BYTES:
            break
    while len(encoded) > MOST_BYTES and len(canvases) > 2:  # noise has no small picture: fewer frames of it
        canvases = [canvases[place] for place in evenly(len(canvases), max(len(canvases) // 2, 2))]
        encoded = _webp(canvases, quality)
    return encoded


def _frame(progress: Progress, place: int) -> Image.Image:
    rows = progress.images[place]
    figure = figures.image_rows(rows.flatten(0, 1), rows.shape[1], "", progress.names)
    (picture,) = figure.axes[0].images
    picture.set_interpolation("bicubic")  # sharp edges of enlarged pixels would be most of the file; the strip has them
    # from the left, so that the images are at the same place in every frame
    figure.axes[0].set_title(f"epoch {progress.epochs[place]} of {progress.last}", fontsize=9, loc="left")
    return Image.open(io.BytesIO(figures.to_png(figure))).convert("RGB")


def _webp(frames: Sequence[Image.Image], quality: int) -> bytes:
    buffer = io.BytesIO()
    times = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    frames[0].save(
        buffer, "WEBP", save_all=True, append_images=frames[1:], duration=times, loop=0, quality=quality, method=4
    )
    return buffer.getvalue()
