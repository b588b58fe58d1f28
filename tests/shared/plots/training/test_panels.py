"""Panels of a GAN's training: real next to generated, the same latents over epochs, names only where they are known."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from shared.models.gans.build import build_generator
from shared.models.snapshots import (
    GRID_COLUMNS,
    Unfinished,
    grid_images,
    load_snapshot,
    snapshot_name,
)
from shared.plots import figures
from shared.plots.image_grid import evenly, tile
from shared.plots.training import panels
from shared.plots.training.panels import Progress, animation, draw_progress, real_and_generated, strip
from shared.store.checkpoints import save
from shared.store.records.gan import GanRecord

CPU = torch.device("cpu")

Gan = tuple[GanRecord, Unfinished]


@pytest.fixture
def gan(tmp_path: Path) -> Callable[..., Gan]:
    """Return `gan(classes, epochs, conditional=True, size_px=16)`: a GAN whose snapshots all differ."""

    def make(classes: int, epochs: Sequence[int], conditional: bool = True, size_px: int = 16) -> Gan:
        spec: dict[str, Any] = {"name": "dcgan", "latent": 4, "size_px": size_px, "channels": 1, "width": 2}
        spec |= {"classes": classes if conditional else 0, "init": "dcgan", "norm": "batch", "bn_eps": 1e-5}
        (tmp_path / "snapshots").mkdir()
        for epoch in epochs:
            torch.manual_seed(epoch)
            network = build_generator(spec)
            save(tmp_path / snapshot_name(epoch), network.state_dict(), {"spec": spec, "epoch": epoch})
        rows = [{"epoch": epoch, "step": epoch, "images_seen": epoch} for epoch in epochs]
        fields = {"latent": 4, "conditional": conditional, "family": "dcgan", "resolved": {"loss": "cross_entropy"}}
        sizes = {"epoch_images": 1, "checkpoint": "", "generator_parameters": 1, "discriminator_parameters": 1}
        snapshots = [{"file": snapshot_name(epoch), "epoch": epoch, "images_seen": epoch} for epoch in epochs]
        made = fields | sizes | {"generator": spec, "history": rows, "snapshots": snapshots}
        return GanRecord.model_validate(made), Unfinished(tmp_path)

    return make


def flat(*values: int) -> torch.Tensor:
    """Return rows of GRID_COLUMNS images of 2 px, each of one value."""
    return (
        torch.tensor(values, dtype=torch.uint8).repeat_interleave(GRID_COLUMNS)[:, None, None, None].expand(-1, 1, 2, 2)
    )


def progress(frames: int, names: Sequence[str], side: int = 8, noise: bool = False) -> Progress:
    """Return a progress of rows with two columns, whose images get brighter."""
    shape = (frames, max(len(names), 1), 2, 3, side, side)
    images = torch.arange(frames, dtype=torch.uint8)[:, None, None, None, None, None].expand(shape) * 9
    if noise:
        images = torch.randint(0, 255, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Progress(list(range(1, frames + 1)), frames, list(names), images)


def frames_of(encoded: bytes) -> list[tuple[np.ndarray, int]]:
    """Return each frame of an animation and how long it is shown, in ms."""
    picture = Image.open(io.BytesIO(encoded))
    found = []
    for place in range(getattr(picture, "n_frames", 1)):
        picture.seek(place)
        pixels = np.asarray(picture.convert("RGB"))
        found.append((pixels, picture.info["duration"]))
    return found


def test_real_images_are_left_and_generated_right() -> None:
    """A row for each class by its name: its real images, a blank, its generated ones, under the title."""
    (axes,) = real_and_generated(flat(1, 2), flat(3, 4), ["cat", "dog"], "epoch 3 of 9").axes
    shown = np.asarray(axes.images[0].get_array())[::3, ::3]
    assert shown.tolist() == [[1] * 10 + [255] + [3] * 10, [2] * 10 + [255] + [4] * 10]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    assert axes.get_title() == "epoch 3 of 9"


def test_images_of_no_class_have_no_name() -> None:
    """Without names the same images are shown, and no text but the title."""
    figure = real_and_generated(flat(1, 2), flat(3, 4), [], "epoch 3 of 9")
    assert np.asarray(figure.axes[0].images[0].get_array()).shape == (5, 62)
    text = figures.to_svg(figure)
    assert text.count("<text") == 1
    assert "epoch 3 of 9</text>" in text


@pytest.mark.parametrize("side", [16, 32, 64])
def test_a_pixel_is_a_whole_number_of_pixels(side: int, tmp_path: Path) -> None:
    """In the file every pixel of an image has the same size, so that one can be judged."""
    pattern = torch.zeros(4, 1, side, side, dtype=torch.uint8)
    pattern[:, :, ::2] = 200
    figures.save_png(figures.image_rows(pattern, 4, "t", ["cat"]), tmp_path / "sheet.png")
    column = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    middle = column[:, column.shape[1] // 2 + 5]
    changes = np.flatnonzero(np.diff((middle > 100) & (middle < 250)))
    runs = np.diff(changes)[1:-1]
    assert len(runs) > side / 2
    assert runs.max() - runs.min() <= 1
    assert np.median(runs) * (len(runs) - 1) <= runs.sum() <= np.median(runs) * len(runs) + 1


def test_the_same_latents_are_drawn_at_every_epoch(gan: Callable[..., Gan]) -> None:
    """Images are those of the sample grids: the first ones of each class, by each snapshot."""
    record, files = gan(3, [1, 2, 5])
    found = draw_progress(record, files, ["a", "b", "c"])
    assert (found.epochs, found.last, found.names) == ([1, 2, 5], 5, ["a", "b", "c"])
    assert found.images.shape == (3, 3, panels.FRAME_COLUMNS, 1, 16, 16)
    for place, epoch in enumerate(found.epochs):
        grid = grid_images(load_snapshot(files, snapshot_name(epoch), CPU), range(3), 4).unflatten(0, (3, GRID_COLUMNS))
        assert torch.equal(found.images[place], grid[:, : panels.FRAME_COLUMNS])


def test_rows_of_an_unconditional_generator_have_no_names(gan: Callable[..., Gan]) -> None:
    """Ten rows of latents, not one for each class, and neither strip nor animation says a class."""
    record, files = gan(2, [1, 2], conditional=False)
    found = draw_progress(record, files, ["cat", "dog"])
    assert found.names == []
    assert found.images.shape[1] == panels.FRAME_ROWS
    text = figures.to_svg(strip(found))
    assert "cat" not in text
    assert "class" not in text


def test_long_runs_and_many_classes_are_thinned(gan: Callable[..., Gan]) -> None:
    """Twenty of 30 snapshots are drawn, ten in the strip, and ten of 12 classes, always the first and the last."""
    record, files = gan(12, range(1, 31))
    found = draw_progress(record, files, [str(number) for number in range(12)])
    assert (len(found.epochs), found.epochs[0], found.epochs[-1]) == (20, 1, 30)
    assert (len(found.names), found.names[0], found.names[-1]) == (10, "0", "11")
    (axes,) = strip(found).axes
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert (len(labels), labels[0], labels[-1]) == (10, "1", "30")


def test_larger_images_are_fewer(gan: Callable[..., Gan]) -> None:
    """A frame holds fewer images of 64 px, so that the animation stays small."""
    record, files = gan(10, [1], size_px=64)
    found = draw_progress(record, files, [str(number) for number in range(10)])
    assert found.images.shape[1] * found.images.shape[2] * 65**2 <= panels.FRAME_PIXELS


def test_the_strip_has_a_column_for_each_epoch() -> None:
    """Few classes have several rows, named once; the axis below has the epochs."""
    found = progress(3, ["cat", "dog"])
    (axes,) = strip(found).axes
    expected = tile(found.images[:, :, :2].permute(1, 2, 0, 3, 4, 5).flatten(0, 2), 3)
    assert np.array_equal(np.asarray(axes.images[0].get_array()), expected)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "", "dog", ""]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    assert axes.get_xlabel() == "epoch"


def test_the_animation_moves() -> None:
    """A frame for each epoch, all different and of one size, over and over, the last one longer."""
    encoded = animation(progress(7, ["cat"]))
    found = frames_of(encoded)
    assert [shown_ms for _, shown_ms in found] == [panels.FRAME_MS] * 6 + [panels.LAST_MS]
    assert Image.open(io.BytesIO(encoded)).info["loop"] == 0
    assert len({pixels.shape for pixels, _ in found}) == 1
    assert len({pixels.tobytes() for pixels, _ in found}) == 7
    # images get brighter at the same place
    middle = tuple(size // 2 for size in found[0][0].shape[:2])
    levels = [int(pixels[middle].mean()) for pixels, _ in found]
    assert levels == sorted(levels)
    assert levels[-1] > levels[0] + 30
    assert encoded == animation(progress(7, ["cat"]))


def test_a_title_that_grows_does_not_move_the_images() -> None:
    """From "epoch 9" to "epoch 10" the images stay where they are."""
    found = progress(12, ["cat"], side=2)
    still = replace(found, images=found.images[:1].expand(12, -1, -1, -1, -1, -1))
    frames = [pixels for pixels, _ in frames_of(animation(still))]
    assert len(frames) == 12
    low = frames[0].shape[0] // 2
    assert all(np.abs(frame[low:].astype(int) - frames[0][low:]).max() < 40 for frame in frames)


def test_the_animation_is_small() -> None:
    """Even of noise, which no file format makes small, it has at most 300 kB."""
    encoded = animation(progress(20, [str(number) for number in range(10)], side=64, noise=True))
    assert len(encoded) <= panels.MOST_BYTES == 300_000
    assert len(frames_of(encoded)) > 1


@pytest.mark.parametrize(
    ("count", "most", "places"), [(1, 10, [0]), (3, 10, [0, 1, 2]), (5, 3, [0, 2, 4]), (9, 2, [0, 8])]
)
def test_places_are_spread_evenly(count: int, most: int, places: list[int]) -> None:
    """The first and the last place are always among them."""
    assert evenly(count, most) == places
