"""Figures of images: rows of classes, grids, captions."""

import numpy as np
import pytest

from shared.format.sample import Sample
from shared.plots import figures
from shared.plots.image_grid import tile
from shared.stats.class_choice import by_size


def _flat(*values: int, channels: int = 1, side: int = 2) -> np.ndarray:
    return np.stack([np.full((channels, side, side), value, np.uint8) for value in values])


def _samples() -> list[Sample]:
    origin = {"generator_sha256": "0", "snapshot": "s", "latent_seed": 1, "asked_label": 1}
    meta = {"origin": origin, "annotation": {"classifier_sha256": "1", "confidence": 0.875}}
    return [
        Sample(key=f"s{index}", image=np.full((2, 2, 1), index, np.uint8), label=label, meta=meta)
        for index, label in enumerate([1, 0, 1])
    ]


def test_class_rows_have_a_row_for_each_class() -> None:
    """Samples 1 | 0 and 2 of two classes: each in its class's row, named at its left, short rows filled white."""
    figure = figures.class_rows(_samples(), ["cat", "dog"], "first images", by_size([1, 1]))
    (axes,) = figure.axes
    assert np.asarray(axes.images[0].get_array())[::3, ::3].tolist() == [[1, 255], [0, 2]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    assert list(axes.get_yticks()) == [1.0, 4.0]
    assert (axes.get_ylabel(), axes.get_title()) == ("class", "first images")


def test_a_grid_without_captions_is_one_picture() -> None:
    """Three images in two columns are the tiled sheet under a title."""
    (axes,) = figures.image_grid(_flat(1, 2, 3), 2, "3 images").axes
    assert np.array_equal(np.asarray(axes.images[0].get_array()), tile(_flat(1, 2, 3), 2))
    assert axes.get_title() == "3 images"


def test_a_grid_with_captions_names_each_image() -> None:
    """Each image is drawn below its own caption; another number of captions than images is an error."""
    (axes,) = figures.image_grid(_flat(1, 2, 3), 2, "all", ["one", "two", "three"]).axes
    *captions, title = axes.texts
    assert [text.get_text() for text in captions] == ["one", "two", "three"]
    assert title.get_text() == "all"
    assert [int(np.asarray(image.get_array())[0, 0]) for image in axes.images] == [1, 2, 3]
    for image, text in zip(axes.images, captions, strict=True):
        left, right, bottom, top = image.get_extent()
        across, down = text.get_position()
        assert across == pytest.approx((left + right) / 2)
        assert 0 < top - down < bottom - top  # from above, in inches
    with pytest.raises(ValueError, match="zip"):
        figures.image_grid(_flat(1, 2), 2, "both", ["one"])


def test_annotated_images_show_what_was_asked_and_what_came() -> None:
    """The caption has the class asked for, the annotation and its confidence; images come in order of labels."""
    figure = figures.annotated_grid(_samples(), ["cat", "dog"], by_size([1, 1]))
    (axes,) = figure.axes
    *captions, title = [text.get_text() for text in axes.texts]
    assert captions == ["dog → cat\n0.88", "dog → dog\n0.88", "dog → dog\n0.88"]
    assert title.startswith("3 synthetic images")
