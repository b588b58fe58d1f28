"""Figures say what they show: axes, legends, counts."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from shared.metrics.over_replicates import ClassDistance
from shared.plots import charts, figures
from shared.stats.class_choice import by_size
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.datasets import SyntheticRecord
from shared.store.records.scores import ScoresRecord

TABLE = {"n": 144, "accuracy": 0.9, "precision": 0.9, "recall": 0.9, "f1": 0.9, "classes": [], "confusion": []}
CLASSIFIER = ClassifierRecord.model_validate(
    {
        "network": "small_cnn",
        "size_px": 16,
        "resize_filter": "bicubic",
        "classes": ["cat", "dog"],
        "parameters": 1,
        "best_step": 100,
        "curve": [
            {"step": step, "train_loss": 1 / step, "val_loss": 2 / step, "val_f1": 0.9}
            | {"val_accuracy": 0.9, "val_precision": 0.9, "val_recall": 0.9}
            for step in (50, 100)
        ],
        "val": TABLE,
        "test": TABLE,
    }
)
SNAPSHOT = {"file": "s", "epoch": 8, "images_seen": 80}
SCORES = ScoresRecord.model_validate(
    {
        "rows": [
            SNAPSHOT
            | {
                "epoch": epoch,
                "frechet_classifier": 10 / epoch,
                "agreement": None,
                "classes": [],
            }
            for epoch in (4, 8)
        ],
        "protocol": {"n_real": 1000, "reference": "val", "n_synthetic": 2000, "extractor": "classifier"}
        | {"extractor_sha256": "0", "resizer": "none", "reference_sha256": "1", "seed": 0},
        "chosen_score": "frechet_classifier",
        "chosen_by": "",
        "chosen": SNAPSHOT,
        "worst": SNAPSHOT,
        "loss_indicators": None,
        "left_out": {},
    }
)
CONFIDENCE = SyntheticRecord.model_validate(
    {"snapshot": SNAPSHOT, "family": "", "asked_counts": None, "annotated_counts": [4], "agreement": None}
    | {"confidence_histogram": [1, 0, 0, 3], "confidence_median": 0.875}
)


BOTH = by_size([1200, 300])

DISTANCES = {"cat": ClassDistance(3.0, 2.0), "dog": ClassDistance(4.0, None)}

CHARTS: dict[str, Callable[[], Figure]] = {
    "class_balance": lambda: figures.class_balance({"train": [1200, 300], "val": [120, 30]}, ["cat", "dog"], BOTH),
    "curves": lambda: charts.curves([1, 2], {"a": [0, 1], "b": [1, 0]}, "epoch", "loss (nats)", "2,000 images"),
    "confusion": lambda: figures.confusion([[9, 1], [0, 7]], ["cat", "dog"], "17 real test images", BOTH),
    "confidence_histogram": lambda: figures.confidence_histogram(CONFIDENCE),
    "classifier_curve": lambda: charts.classifier_curve(CLASSIFIER),
    "score_curve": lambda: charts.score_curve(SCORES),
    "class_bars": lambda: charts.class_bars(DISTANCES, "frechet_classifier", "90 real test images"),
}
"""Each function that draws numbers, with what it is given by its job."""

XLABELS = {
    "class_balance": "class",
    "curves": "epoch",
    "confusion": "predicted class",
    "confidence_histogram": "annotator's confidence (probability of its label)",
    "classifier_curve": "optimizer step",
    "score_curve": "epoch",
    "class_bars": "frechet_classifier of the class (lower is better)",
}

YLABELS = {
    "class_balance": "images",
    "curves": "loss (nats)",
    "confusion": "true class",
    "confidence_histogram": "images",
    "classifier_curve": "loss (nats) or F1",
    "score_curve": "Fréchet distance (classifier features)",
    "class_bars": "class",
}

LEGENDS = {
    "class_balance": ["train (1,500 images)", "val (150 images)"],
    "curves": ["a", "b"],
    "confidence_histogram": ["median 0.875", "4 synthetic images"],
    "classifier_curve": ["train cross-entropy (nats)", "val cross-entropy (nats)", "val macro F1", "chosen"],
    "score_curve": ["frechet_classifier", "chosen"],
    "class_bars": ["synthetic images", "floor: real images"],
}


def _texts(figure: Figure) -> str:
    """Return every word that the figure shows, as its SVG has it."""
    return figures.to_svg(figure)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_says_what_its_axes_are(name: str) -> None:
    """Each axis has a label with its unit."""
    (axes,) = CHARTS[name]().axes
    assert axes.get_xlabel() == XLABELS[name]
    assert axes.get_ylabel() == YLABELS[name]


@pytest.mark.parametrize("name", LEGENDS)
def test_more_than_one_series_has_a_legend(name: str) -> None:
    """The legend names every series once."""
    figure = CHARTS[name]()
    (axes,) = figure.axes
    legend = axes.get_legend() or figure.legends[0]
    assert sorted(text.get_text() for text in legend.get_texts()) == sorted(LEGENDS[name])


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("class_balance", "1,500 images"),
        ("confidence_histogram", "4 synthetic images"),
        ("classifier_curve", "144 real val images"),
        ("score_curve", "1,000 real val images, 2,000 generated per snapshot"),
        ("class_bars", "90 real test images"),
        ("confusion", "17 real test images"),
    ],
)
def test_every_chart_says_how_many_images_stand_behind_it(name: str, count: str) -> None:
    """The number of images is in the title, legend or axis label."""
    assert count in _texts(CHARTS[name]())


def test_bars_are_as_high_as_the_counts() -> None:
    """Bars of a class are side by side around its tick, one for each series."""
    (axes,) = CHARTS["class_balance"]().axes
    bars = [[(round(bar.get_center()[0], 6), bar.get_height()) for bar in group] for group in axes.containers]
    assert bars == [[(-0.2, 1200), (0.8, 300)], [(0.2, 120), (1.2, 30)]]


def test_the_histogram_lies_over_zero_to_one() -> None:
    """Four bins of a quarter each, as high as the counts; the line is at the median."""
    (axes,) = CHARTS["confidence_histogram"]().axes
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.containers[0]]
    assert bars == [(0, 0.25, 1), (0.25, 0.25, 0), (0.5, 0.25, 0), (0.75, 0.25, 3)]
    assert list(axes.lines[0].get_xdata()) == [0.875, 0.875]


def test_the_confusion_matrix_has_true_classes_in_rows() -> None:
    """Each count but 0 is written at (predicted, true); the shade is the share of the row, dark ones get white ink."""
    (axes,) = CHARTS["confusion"]().axes
    shown = {text.get_position(): (text.get_text(), text.get_color()) for text in axes.texts}
    assert shown == {(0, 0): ("9", figures.ON_DARK), (1, 0): ("1", "black"), (1, 1): ("7", figures.ON_DARK)}
    assert np.asarray(axes.images[0].get_array())[..., 3].tolist() == [[0.9, 0.1], [0.0, 1.0]]


def test_a_very_long_class_name_leaves_room_for_what_is_drawn() -> None:
    """On an axis a name of 90 characters is cut to 20, and one with a sign that the font lacks is no warning."""
    classes = ["n" * 90, "smile \N{SLIGHTLY SMILING FACE}"]
    figure = figures.confusion([[9, 1], [0, 7]], classes, "17 real test images", BOTH)
    assert [len(label.get_text()) for label in figure.axes[0].get_yticklabels()] == [20, 7]
    assert figures.to_png(figure).startswith(b"\x89PNG")


def test_a_class_is_drawn_with_its_floor() -> None:
    """The class with the largest distance is on top; a mark where as many real images are, none where not known."""
    (axes,) = CHARTS["class_bars"]().axes
    assert [bar.get_width() for bar in axes.patches] == [4.0, 3.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "cat"]
    (floor,) = axes.lines
    assert (list(floor.get_xdata()), list(floor.get_ydata())) == ([2.0], [1])


def test_the_chosen_snapshot_is_marked() -> None:
    """A dotted line marks the chosen epoch; distances are on a log scale."""
    (axes,) = CHARTS["score_curve"]().axes
    assert list(axes.lines[-1].get_xdata()) == [8, 8]
    assert axes.get_yscale() == "log"


def _curve() -> Figure:
    return charts.curves([1, 2], {"a": [0, 1]}, "epoch", "loss")


def test_equal_figures_give_equal_files(tmp_path: Path) -> None:
    """PNG and SVG hold no time, no version and no random ids: drawn twice, they are the same bytes."""
    for name in ("one.png", "two.png"):
        figures.save_png(_curve(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert figures.to_svg(_curve()) == figures.to_svg(_curve())


def test_a_png_is_a_picture_and_an_svg_one_element() -> None:
    """Pillow opens the PNG; the SVG is one <svg> element with its words as text."""
    with Image.open(io.BytesIO(figures.to_png(_curve()))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 100
    text = figures.to_svg(_curve())
    assert text.startswith("<svg")
    assert text.rstrip().endswith("</svg>")
    assert ">epoch</text>" in text
