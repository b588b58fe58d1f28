"""Charts of a search: what they say of themselves, and that what they draw is where the numbers are."""

from typing import Any

import pytest

from shared.plots.figures import to_svg
from shared.plots.trial_charts import comparison_chart, history_chart, importance_chart, trial_charts

PROTOCOL = {"n_real": 1234, "n_synthetic": 2000, "seed": 7}


def trial(number: int, value: float | None, curve: list[list[float]], rate: float, augment: str) -> dict[str, Any]:
    """Return the facts of a trial."""
    state = "finished" if value is not None else "stopped"
    params = {"train_gan.learning_rate": rate, "train_gan.augment": augment}
    return {"number": number, "state": state, "value": value, "curve": curve, "params": params, "refused": None}


ROW = {
    "name": "frechet_classifier",
    "lower_is_better": True,
    "before": {"values": [3.0, 5.0], "mean": 4.0, "low": 1.0, "high": 7.0},
    "after": {"values": [1.0, 2.0], "mean": 1.5, "low": 0.5, "high": 2.5},
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
    "comparison": {"rows": [ROW], "sentence": "Tuning lowered it."},
    "epochs": 4,
    "seeds": [1, 2],
    "protocol": PROTOCOL,
    "val_protocol": PROTOCOL,
}
NAMES = sorted(trial_charts(FACTS))


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_says_what_its_axes_are_and_how_many_stand_behind_it(name: str) -> None:
    """Each chart has a label on its x axis, names how many images were scored and by what; SVG holds the text."""
    figure, alt = trial_charts(FACTS)[name]
    text = to_svg(figure)
    assert figure.axes[0].get_xlabel()
    assert figure.axes[0].get_ylabel() or name in ("parallel", "comparison")
    assert "1,234 real" in text
    assert "2,000 generated" in text
    assert len(alt) > 10


def test_without_importances_there_is_no_chart_of_them() -> None:
    """Too few trials have no importances to draw."""
    assert set(trial_charts(FACTS)) - set(trial_charts(FACTS | {"importances": None})) == {"importances"}


def test_the_best_so_far_only_falls() -> None:
    """History draws the finished trials at their values and, as a step, the lowest so far, to the last trial."""
    points, best = history_chart(FACTS).axes[0].lines[:2]
    assert list(zip(*points.get_data(), strict=True)) == [(0, 4.0), (2, 2.0), (3, 3.0)]
    assert list(zip(*best.get_data(), strict=True)) == [(0, 4.0), (2, 2.0), (3, 2.0), (4, 2.0)]


def test_a_trial_zero_of_other_options_is_not_called_the_recipe() -> None:
    """Only where trial 0 has the recipe's own options does the axis say so."""
    assert "recipe" in history_chart(FACTS).axes[0].get_xlabel()
    assert "recipe" not in history_chart(FACTS | {"own": {"train_gan.augment": "cutout"}}).axes[0].get_xlabel()


def test_bars_are_as_long_as_the_importances() -> None:
    """The most important option stands first, its bar as long as its share."""
    axes = importance_chart(FACTS).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["learning rate", "augment"]


def test_one_seed_has_no_interval() -> None:
    """A comparison of one seed is drawn without bars."""
    alone = {side: {"values": [2.0], "mean": 2.0, "low": None, "high": None} for side in ("before", "after")}
    facts = FACTS | {"comparison": {"rows": [ROW | alone], "sentence": ""}, "seeds": [1]}
    assert not comparison_chart(facts).axes[0].collections
    assert comparison_chart(FACTS).axes[0].collections


def test_equal_facts_give_equal_charts() -> None:
    """A chart depends on the facts alone."""
    first, again = ({name: to_svg(figure) for name, (figure, _) in trial_charts(FACTS).items()} for _ in range(2))
    assert first == again
