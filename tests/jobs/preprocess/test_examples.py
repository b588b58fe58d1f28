"""Originals next to what becomes of them: the examples that preprocess keeps, and the figure of them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from jobs.preprocess.examples import EXAMPLES, examples_of
from jobs.preprocess.options import PreprocessOptions
from shared.data.examples import EXAMPLES_FILE, LARGEST_PX, Example, load_examples
from shared.errors import FormatError
from shared.plots.preparation import CELL, before_and_after, in_words
from shared.sources.items import Item, from_array, from_file, unusable
from shared.sources.prepare import prepare
from shared.sources.reading import Target
from shared.store.artifacts import open_artifact
from tests.jobs.preprocess.source_files import done, fill, picture, samples
from tests.jobs.preprocess.test_archives import write_celeba
from tests.jobs.preprocess.test_validate import config

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "v1"


@pytest.mark.parametrize(("crop", "box"), [("center", (0, 20, 178, 198)), ("none", (0, 0, 178, 218))])
def test_faces_before_and_after(tmp_path: Path, crop: str, box: tuple[int, int, int, int]) -> None:
    """Each example has a train face whole, what is cut out of its 178x218 px, and the pixels that are in the shards."""
    celeba = write_celeba(tmp_path / "sources" / "celeba")
    artifact = done(tmp_path, "--source", "celeba", "--no-verify-md5", "--crop", crop, "--size-px", "32")
    examples = load_examples(artifact)
    assert [example.label for example in examples] == [0] * (EXAMPLES // 2) + [1] * (EXAMPLES // 2)
    train = samples(artifact, "train")
    for example in examples:
        assert example.size == (178, 218)
        assert example.crop == box
        (sample,) = [sample for sample in train if np.array_equal(sample.image, example.prepared)]
        assert sample.label == example.label
        stored = Image.open(celeba / "img_align_celeba" / sample.meta["origin"]["file"])
        np.testing.assert_array_equal(example.original, np.asarray(stored))
        again = Image.fromarray(example.original).crop(example.crop).resize((32, 32), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(again, example.prepared)


def chosen(options: PreprocessOptions, items: list[Item]) -> list[Example]:
    """Return the examples of these items."""
    return examples_of(options, np.array([item.label for item in items]), items.__getitem__)


def test_large_transparent_and_turned_originals(tmp_path: Path) -> None:
    """A large original is kept small in its proportions, a transparent one keeps its alpha, a turned one is upright."""
    large, clear, turned = (tmp_path / f"{name}.png" for name in ("large", "clear", "turned"))
    picture(0, (300, 900)).save(large)
    Image.new("RGBA", (40, 20), (255, 0, 0, 128)).save(clear)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter to the right
    picture(1, (20, 60)).save(turned, exif=exif)
    items = [from_file(path, label, {}) for label, path in enumerate((large, clear, turned))]
    grey = from_array(np.arange(64, dtype=np.uint8).reshape(8, 8), 3, {})
    examples = chosen(config(crop="center", channels=3), [*items, unusable("broken", {}), grey])
    assert [example.label for example in examples] == [0, 1, 2, 3]
    assert [example.size for example in examples] == [(900, 300), (40, 20), (20, 60), (8, 8)]
    assert [example.crop for example in examples] == [
        (300, 0, 600, 300),
        (10, 0, 30, 20),
        (0, 20, 20, 40),
        (0, 0, 8, 8),
    ]
    assert examples[0].original.shape == (round(LARGEST_PX / 3), LARGEST_PX, 3)
    assert examples[1].original.shape == (20, 40, 4)
    assert examples[1].original[0, 0].tolist() == [255, 0, 0, 128]
    assert examples[2].original.shape == (60, 20, 3)
    assert examples[3].original.shape == (8, 8, 3)
    for item, example in zip(items, examples, strict=False):
        used = config(channels=3)
        expected = prepare(
            item.decode(item.read()),
            Target(size_px=used.size_px, channels=3, crop="center", resize_filter=used.resize_filter),
        )
        np.testing.assert_array_equal(example.prepared, expected)


def test_the_classes_take_turns(tmp_path: Path) -> None:
    """Examples are of as many classes as there are, up to eight images, the first readable ones of each."""
    source = tmp_path / "folder"
    fill(source, dict.fromkeys("abc", 3))
    (source / "a" / "000.png").write_text("<html></html>")
    items = [from_file(path, "abc".index(path.parent.name), {}) for path in sorted(source.rglob("*.png"))]
    assert [example.label for example in chosen(config(), items)] == [0, 0, 1, 1, 1, 2, 2, 2]
    assert len(chosen(config(), items[:2])) == 1


def test_datasets_of_earlier_versions_have_none(tmp_path: Path) -> None:
    """Examples are optional: a dataset without them is whole. Altered ones are noticed."""
    assert load_examples(open_artifact(GOLDEN, "dataset", "preprocess")) == []
    fill(tmp_path / "sources" / "folder", {"a": 20, "b": 20})
    artifact = done(tmp_path, "--source", "folder")
    shutil.copytree(artifact.folder, tmp_path / "altered")
    payload = bytearray((tmp_path / "altered" / EXAMPLES_FILE).read_bytes())
    payload[-1] ^= 1
    (tmp_path / "altered" / EXAMPLES_FILE).write_bytes(payload)
    with pytest.raises(FormatError, match=EXAMPLES_FILE):
        load_examples(open_artifact(tmp_path / "altered", "dataset", "preprocess"))


PREPARATION = {"crop": "center", "resizer": "Pillow", "resize_filter": "bilinear", "background": "white"}


def test_the_figure_frames_what_is_cut_out() -> None:
    """Originals are drawn in their proportions, the frame where the crop is, the result below as a square."""
    face = Example(np.zeros((218, 178, 3), np.uint8), (178, 218), (0, 20, 178, 198), np.ones((64, 64, 3), np.uint8), 1)
    clear = Example(np.zeros((10, 20, 4), np.uint8), (20, 10), (5, 0, 15, 10), np.ones((8, 8, 1), np.uint8), 0)
    figure = before_and_after([face, clear], ["old", "young"], PREPARATION)
    (axes,) = figure.axes
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(axes.images) == 4
    assert len(frames) == 2
    scale = CELL / 218
    for image, prepared, frame, example in zip(axes.images[::2], axes.images[1::2], frames, (face, clear), strict=True):
        left, right, bottom, top = image.get_extent()
        assert (right - left) / (bottom - top) == pytest.approx(example.size[0] / example.size[1])
        assert frame.get_width() == pytest.approx(frame.get_height())
        below = prepared.get_extent()
        assert below[1] - below[0] == pytest.approx(below[2] - below[3]) == pytest.approx(CELL)
        assert below[3] > bottom
    assert frames[0].get_y() - axes.images[0].get_extent()[3] == pytest.approx(20 * scale)
    said = [text.get_text() for text in axes.texts]
    assert {"young", "old", "178x218 px", "20x10 px", "64x64 px", "8x8 px", "original", "prepared"} <= set(said)
    # transparent pixels are shown over a checkerboard of two greys
    assert {255, 215} <= set(np.unique(axes.images[2].get_array()))


@pytest.mark.parametrize(
    ("changes", "transparent", "words"),
    [
        ({}, False, "centre square (frame) cut out, then resized: Pillow's bilinear filter"),
        ({"crop": "none"}, True, "whole image (frame) resized to a square: Pillow's bilinear filter; "
         "transparent pixels over white"),
    ],
)  # fmt: skip
def test_the_preparation_in_words(changes: dict[str, object], transparent: bool, words: str) -> None:
    """The title says what was cut out, by which filter, and what is under transparent pixels."""
    assert in_words(PREPARATION | changes, transparent) == words
