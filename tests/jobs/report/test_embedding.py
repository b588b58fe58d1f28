"""Figures as HTML: colours of the page, labels that can be read, names that are text; where marks are."""

import re
from base64 import b64decode
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from jobs.report.embedding import LEAST_LABEL_PX, embed_svg, webp, widths
from jobs.report.interactive.epochs import epoch_slider
from jobs.report.interactive.intervals import Axis, accuracies
from jobs.report.interactive.neighbours import nearest
from shared.data.images import Images
from shared.plots import charts, figures
from shared.plots.gallery import Picture
from shared.plots.image_grid import tile
from shared.plots.training.panels import Progress
from tests.jobs.report.records import HOSTILE_CLASSES, mixed_record

pytestmark = pytest.mark.drawn


def images(count: int, side: int = 8) -> NDArray[np.uint8]:
    """Return random grey images."""
    return np.random.default_rng(count).integers(0, 255, (count, 1, side, side), dtype=np.uint8)


def sheet(names: tuple[str, ...]) -> str:
    """Return a figure of images with named rows, as HTML."""
    return str(embed_svg(Picture(figures.named_rows(images(6), names, "#000000"), "an <alt>", True)))


def test_colours_are_the_pages() -> None:
    """No black or white of matplotlib is left in a tag: both follow the page; text with such a word is kept."""
    html = sheet(("style: #000000;", "b"))
    tags = "".join(re.findall(r"<[^>]*>", html))
    assert "#000000" not in tags
    assert "#ffffff" not in tags
    assert "var(--fig-ink)" in tags
    assert ">style: #000000;</text>" in html


def test_names_are_text() -> None:
    """A class name is no element and no attribute."""
    html = sheet(HOSTILE_CLASSES)
    assert "<script" not in html
    assert "<b>" not in html
    assert 'aria-label="an &lt;alt&gt;"' in html


def test_the_smallest_label_can_be_read() -> None:
    """A figure is never shown narrower than its smallest label allows: 11 px for a label of 8.5 pt."""
    figure = figures.image_grid(images(20), 10, "title", ["a"] * 20)
    html = str(embed_svg(Picture(figure, "alt", True)))
    least, most = widths(html)
    (width,) = {float(found) for found in re.findall(r'viewBox="[\d.]+ [\d.]+ ([\d.]+)', html)}
    assert 8.5 * least / width >= LEAST_LABEL_PX > 8.5 * (least - 2) / width
    assert f'style="min-width: {least}px; width: {most}px"' in html
    assert most >= least


def test_pixels_are_the_images_own() -> None:
    """Images are kept at their own size, to a grey level: the browser enlarges them."""
    pixels = images(4)
    html = str(embed_svg(Picture(figures.image_grid(pixels, 2, "", ["a"] * 4), "alt", True)))
    found = re.findall(r"data:image/webp;base64,([^\"]+)", html)
    shown = [np.asarray(Image.open(BytesIO(b64decode(each))).convert("L")) for each in found]
    assert len(shown) == 4
    # matplotlib's grey scale is one level off here and there
    differences = np.abs(np.stack(shown).astype(int) - pixels[:, 0])
    assert differences.max() <= 1


def test_large_photos_lose_what_is_not_seen() -> None:
    """Noise of a megapixel is no megabyte."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (512, 512, 3), dtype=np.uint8))
    assert len(webp(noise)) < 0.6 * 512 * 512 * 3


def test_a_line_has_its_values() -> None:
    """As many as its path has places, in order; the line at the chosen epoch has none, nor has an unnamed one."""
    figure = charts.curves([5, 10, 20], {"<loss>": [3.0, 0.25, 1234.56], "f1": [0.1, 0.2, 0.3]}, "epoch (all)", "nats")
    figure.axes[0].axvline(5, label="chosen")
    figure.axes[0].plot([1, 2], [1, 2])
    html = str(embed_svg(Picture(figure, "alt")))
    groups = re.findall(r'<g (class="values"[^>]*)>\s*<path d="([^"]*)"', html)
    assert [attributes for attributes, _ in groups] == [
        'class="values" data-name="&lt;loss&gt;" data-of="epoch" data-x="5 10 20" data-y="3 0.25 1235"',
        'class="values" data-name="f1" data-of="epoch" data-x="5 10 20" data-y="0.1 0.2 0.3"',
    ]
    assert all(len(re.findall("[ML]", path)) == 3 for _, path in groups)
    assert 'id="values-' not in html


def test_every_point_of_a_long_line_has_a_place() -> None:
    """Points on one straight line too, which matplotlib would leave out; the figure drawn to a file has no ids."""
    steps = range(500)
    html = str(embed_svg(Picture(charts.curves(steps, {"loss": [1.0] * 500}, "epoch", "nats"), "alt")))
    ((values, path),) = re.findall(r'data-y="([^"]*)"[^>]*>\s*<path d="([^"]*)"', html)
    assert len(values.split()) == len(re.findall("[ML]", path)) == 500


def test_the_slider_has_every_epoch() -> None:
    """One picture with the sheets of all epochs below each other; hidden until the page's script shows it."""
    drawn = torch.from_numpy(images(12)).reshape(3, 2, 2, 1, 8, 8)
    html = str(epoch_slider(Progress([5, 10, 15], 15, ["a", "b"], drawn), "alt"))
    assert re.search(r'<div class="slider" data-epochs="5 10 15" hidden>', html)
    assert 'max="2"' in html
    assert "height: 300%" in html
    height, width = tile(drawn[0].flatten(0, 1), 2).shape
    assert f"aspect-ratio: {width} / {height}" in html


def test_the_nearest_is_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """By Euclidean distance over all blocks, the first of equal ones."""
    monkeypatch.setattr("jobs.report.interactive.neighbours.BLOCK", 12)
    train = torch.from_numpy(images(50))
    train[30] = train[20]
    drawn = train[[20, 7, 49]].clone()
    drawn[:, :, 0, 0] ^= 1
    found = nearest(drawn, Images(train, torch.zeros(50, dtype=torch.int64)), torch.arange(50))
    assert found.tolist() == [20, 7, 49]


def test_an_axis_has_round_numbers() -> None:
    """A round step, few of them, all within."""
    axis = Axis.of([0.931, 0.987])
    ticks = axis.ticks()
    assert [round(100 * tick, 6) for tick in ticks] == [94, 96, 98]
    assert all(0 <= axis.at(tick) <= 100 for tick in ticks)
    assert len({round(b - a, 9) for a, b in pairwise(ticks)}) == 1


def test_every_arm_has_its_interval() -> None:
    """In the order of the record, on one axis: a larger value is further right."""
    record = mixed_record()
    rows = accuracies(record).rows
    assert [row.arm for row in rows] == [arm.arm for arm in record.arms]
    places = range(len(rows))
    by_value = sorted(places, key=lambda place: record.arms[place].accuracy.mean)
    assert sorted(places, key=lambda place: rows[place].mean) == by_value
    for row, arm in zip(rows, record.arms, strict=True):
        assert row.low < row.mean < row.high
        assert len(row.dots) == len(arm.accuracy.values)
