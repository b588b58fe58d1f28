"""Charts of a search: what they say of themselves, and that what they draw is where the numbers are."""

from typing import Any

import pytest
import torch

from shared.plots.figures import to_svg
from shared.plots.gallery import Pictures
from shared.plots.training.trial_charts import (
    comparison_chart,
    history_chart,
    importance_chart,
    parallel_chart,
    tune_pictures,
)
from shared.store.records.tune import TuneRecord

PROTOCOL = {
    "extractor": "classifier",
    "extractor_sha256": "0",
    "resizer": "none",
    "reference": "val",
    "reference_sha256": "1",
    "n_real": 1234,
    "n_synthetic": 2000,
    "seed": 7,
}


def trial(number: int, value: float | None, curve: list[list[float]], rate: float, augment: str) -> dict[str, Any]:
    """Return the facts of a trial."""
    state = "finished" if value is not None else "stopped"
    params = {"train_gan.learning_rate": rate, "train_gan.augment": augment}
    rest = {"params": params, "refused": None, "epoch": None}
    return {"number": number, "state": state, "value": value, "curve": curve, **rest}


ROW = {
    "name": "frechet_classifier",
    "lower_is_better": True,
    "before": {"values": [3.0, 5.0], "mean": 4.0, "std": 1.4, "low": 1.0, "high": 7.0},
    "after": {"values": [1.0, 2.0], "mean": 1.5, "std": 0.7, "low": 0.5, "high": 2.5},
    "change": {"difference": -2.5, "low": -5.0, "high": 0.0},
    "outcome": "no difference shown",
}
FACTS: dict[str, Any] = {
    "objective": "frechet_classifier",
    "score": "frechet_classifier",
    "trials": [
        trial(0, 4.0, [[2, 9.0], [4, 4.0]], 1e-3, "none"),
        trial(1, None, [[2, 11.0]], 1e-2, "translation"),
        trial(2, 2.0, [[2, 8.0], [4, 2.0]], 2e-3, "none"),
        trial(3, 3.0, [[2, 8.0], [4, 3.0]], 3e-3, "translation"),
        trial(4, None, [], 9e-3, "none"),
    ],
    "rungs": [2],
    "best": {"number": 2, "value": 2.0, "params": {}},
    "own": {"train_gan.learning_rate": 1e-3, "train_gan.augment": "none"},
    "importances": {"train_gan.augment": 0.25, "train_gan.learning_rate": 0.75},
    "importance_of": "score at the first rung (2 epochs)",
    "importance_trials": 4,
    "comparison": {"rows": [ROW], "sentence": "Tuning lowered it.", "unchanged": False},
    "epochs": 4,
    "seeds": [1, 2],
    "protocol": PROTOCOL,
    "val_protocol": PROTOCOL,
}
CLASSES = ["cat", "dog"]


def record(**changes: Any) -> TuneRecord:
    """Return the record of these facts with some of them changed."""
    return TuneRecord.model_validate(FACTS | changes)


def pictures(**changes: Any) -> Pictures:
    """Return the figures of that record."""
    return tune_pictures(record(**changes), torch.zeros(4, 1, 8, 8, dtype=torch.uint8), CLASSES)


NAMES = sorted(name for name, picture in pictures().items() if not picture.photo)


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_says_what_its_axes_are_and_how_many_stand_behind_it(name: str) -> None:
    """Each chart has a label on its x axis, names how many images were scored and by what; SVG holds the text."""
    figure, alt, _ = pictures()[name]
    text = to_svg(figure)
    assert figure.axes[0].get_xlabel()
    assert figure.axes[0].get_ylabel() or name in ("parallel", "comparison")
    assert "1,234 real" in text
    assert "2,000 generated" in text
    assert len(alt) > 10


def test_without_importances_there_is_no_chart_of_them() -> None:
    """Too few trials have no importances to draw."""
    assert set(pictures()) - set(pictures(importances=None)) == {"importances"}


def test_the_best_so_far_only_falls() -> None:
    """History draws the finished trials at their values and, as a step, the lowest so far, to the last trial."""
    points, best = history_chart(record()).axes[0].lines[:2]
    assert list(zip(*points.get_data(), strict=True)) == [(0, 4.0), (2, 2.0), (3, 3.0)]
    assert list(zip(*best.get_data(), strict=True)) == [(0, 4.0), (2, 2.0), (3, 2.0), (4, 2.0)]


def test_a_trial_zero_of_other_options_is_not_called_the_recipe() -> None:
    """Only where trial 0 has the recipe's own options does the axis say so."""
    assert "recipe" in history_chart(record()).axes[0].get_xlabel()
    assert "recipe" not in history_chart(record(own={"train_gan.augment": "cutout"})).axes[0].get_xlabel()


def test_bars_are_as_long_as_the_importances() -> None:
    """The most important option is first, its bar as long as its share."""
    axes = importance_chart(record()).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["learning rate", "augment"]


def test_one_seed_has_no_interval() -> None:
    """A comparison of one seed is drawn without bars."""
    alone = {
        side: {"values": [2.0], "mean": 2.0, "std": None, "low": None, "high": None} for side in ("before", "after")
    }
    comparison = {"rows": [ROW | alone], "sentence": "", "unchanged": False}
    assert not comparison_chart(record(comparison=comparison, seeds=[1])).axes[0].collections
    assert comparison_chart(record()).axes[0].collections


def test_equal_records_give_equal_figures() -> None:
    """A figure depends on the record alone."""
    first, again = ({name: to_svg(picture.figure) for name, picture in pictures().items()} for _ in range(2))
    assert first == again


@pytest.mark.parametrize("conditional", [True, False])
def test_images_before_and_after_are_named_if_a_class_was_asked_for(conditional: bool) -> None:
    """Rows have class names only if both generators are asked for a class."""
    sheet = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    (axes,) = tune_pictures(record(), sheet, CLASSES, conditional)["baseline_and_tuned"].figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()] if axes.axison else []
    assert labels == (CLASSES if conditional else [])


@pytest.mark.fault(29)
def test_a_search_of_one_option_shows_its_trials() -> None:
    """One option is no line over several: each trial is a dot at its value, the best one the largest."""
    facts = FACTS | {"own": {"train_gan.learning_rate": 1e-3}}
    axes = parallel_chart(TuneRecord.model_validate(facts)).axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [1] * len(FACTS["trials"])
    left, right = axes.get_xlim()
    assert left < 0 < right
    assert max(dots, key=lambda line: line.get_markersize()).get_linewidth() == 3
