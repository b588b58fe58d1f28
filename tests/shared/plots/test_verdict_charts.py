"""Charts of the verdict say what they show: differences, arms, the learning curve, shares of variance."""

from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.plots import figures, verdict_charts
from shared.plots.answers import shown_answers
from shared.store.records.mixed import ArmDataEquivalent, Variance
from tests.jobs.report.records import mixed_record


def _worth(arm: str, n_real: int) -> dict[str, Any]:
    read_off = {key: {"images": 500, "beyond": None} for key in ("effective", "effective_low", "effective_high")}
    return {"arm": arm, "n_real": n_real, "curve": [(100, 0.8), (1000, 0.9)], **read_off}


RECORD = mixed_record(worth=[_worth("synthetic_70_real_30", 377), _worth("synthetic_100", 0)])
ANSWERS = shown_answers(RECORD)


def axes_of(figure: Figure) -> Axes:
    """Return the one pair of axes of a figure."""
    (axes,) = figure.axes
    return axes


def by_gid(axes: Axes, gid: str) -> Any:
    """Return the part of a chart with this id."""
    (found,) = [part for part in axes.get_children() if part.get_gid() == gid]
    return found


def test_differences_are_drawn_in_points() -> None:
    """Bar, mean and dots of each row are the record's, times 100; replicates are not on the bar."""
    axes = axes_of(verdict_charts.differences_chart(ANSWERS, "360 real test images, 5 replicates"))
    for place, answer in enumerate(ANSWERS):
        bar, dots = by_gid(axes, f"interval-{place}"), by_gid(axes, f"dots-{place}")
        assert list(bar.get_xdata()) == pytest.approx([100 * answer.low, 100 * answer.high])
        assert list(dots.get_xdata()) == pytest.approx([100 * value for value in answer.values])
        assert set(dots.get_ydata()).isdisjoint(bar.get_ydata())
    assert axes.get_xlabel() == "difference in accuracy, percentage points"


def test_all_that_is_drawn_is_within_the_axes() -> None:
    """Neither 0 nor a bound nor a replicate lies at the edge or outside, though all differences are below 0."""
    low = [answer.model_copy(update={"low": -0.08, "high": -0.01, "values": [-0.09, -0.02]}) for answer in ANSWERS[:1]]
    left, right = axes_of(verdict_charts.differences_chart(low, "")).get_xlim()
    assert left < -9
    assert right > 0


def test_rows_do_not_overlap() -> None:
    """The words of a row are between the marks of the row above and its own, however long its question is."""
    long = [answer.model_copy(update={"question": "adding " + "very many " * 20}) for answer in ANSWERS]
    axes = axes_of(verdict_charts.differences_chart(long, ""))
    tops = [text.get_position()[1] for text in axes.texts]
    marks = [by_gid(axes, f"interval-{place}").get_ydata()[0] for place in range(len(long))]
    for place, text in enumerate(axes.texts):
        lines = text.get_text().count("\n") + 1
        assert lines >= 5
        assert tops[place] + lines < marks[place]
        assert place == 0 or marks[place - 1] + 0.85 < tops[place]


def test_the_first_row_is_in_bold_and_has_its_level() -> None:
    """It is what the page begins with; each row says at which level its interval is."""
    texts = axes_of(verdict_charts.differences_chart(ANSWERS, "")).texts
    assert [text.get_fontweight() for text in texts] == ["bold", "normal", "normal", "normal"]
    assert ["(95 % interval" in text.get_text() for text in texts] == [True, False, False, False]
    assert all("(98.3 % interval" in text.get_text() for text in texts[1:])


def test_what_is_not_like_for_like_has_a_mark_of_its_own() -> None:
    """Not by colour alone: another marker, and an entry of the legend."""
    figure = verdict_charts.differences_chart(ANSWERS, "")
    markers = [line.get_marker() for line in axes_of(figure).lines if line.get_marker() in ("D", "X")]
    assert markers == ["D" if answer.like_for_like else "X" for answer in ANSWERS]
    assert {"D", "X"} == set(markers)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "mean and interval, not like for like" in legend
    assert {"excluded by the interval", "one replicate"} < set(legend)


def test_an_arm_is_drawn_at_its_mean_with_interval_and_replicates() -> None:
    """In percent: mean, interval, a stroke for each replicate; the first arm is on top; what it is made of in words."""
    figure = verdict_charts.arms_chart(RECORD)
    axes = axes_of(figure)
    accuracy = RECORD.arms[0].accuracy
    assert axes.lines[0].get_xdata()[0] == pytest.approx(100 * accuracy.mean)
    segment = axes.containers[0].lines[2][0].get_segments()[0]
    assert segment.tolist() == [pytest.approx([100 * accuracy.low, 0]), pytest.approx([100 * accuracy.high, 0])]
    strokes = [line for line in axes.lines if line.get_marker() == "|" and len(line.get_xdata()) == 5]
    assert list(strokes[0].get_xdata()) == pytest.approx([100 * value for value in accuracy.values])
    assert axes.yaxis_inverted()
    assert axes.texts[0].get_text() == "all real (1,257 real, 0 synthetic)"
    said = "accuracy on 360 real test images (%), 5 replicates\nalways the largest class: 47.7 %"
    assert axes.get_xlabel() == said
    legend = sorted(text.get_text() for text in figure.legends[0].get_texts())
    assert legend == ["mean, 95 % interval", "one replicate"]


def test_shares_of_variance_follow_one_another() -> None:
    """Each share begins where the one before ends; one that is not known has no bar and says so."""
    figure = verdict_charts.variance_chart(Variance(generator=0.35, fit=None, images=0.65))
    bars = [(bar.get_x(), bar.get_width()) for bar in axes_of(figure).patches if bar.get_width()]
    assert bars == [(0.0, pytest.approx(35.0)), (pytest.approx(35.0), pytest.approx(65.0))]
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    assert legend == {"generators: 35 %", "fits of the classifier: not known", "test images: 65 %"}


def test_no_real_images_have_a_place_on_the_logarithmic_axis() -> None:
    """An arm without real images is at the tick 0, left of the smallest number of real images."""
    figure = verdict_charts.learning_curve(RECORD)
    axes = axes_of(figure)
    ticks = dict(zip([label.get_text() for label in axes.get_xticklabels()], axes.get_xticks(), strict=True))
    assert list(ticks) == ["0", "100", "1,000"]
    assert ticks["0"] < ticks["100"]
    assert ticks["0"] in [line.get_xdata()[0] for line in axes.lines]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "real images in the training set",
        "accuracy on real test images (%)",
    )
    assert "360 real test images, 5 replicates" in figures.to_svg(figure)
    assert axes.get_legend() is None  # it would hide what is drawn
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "real images alone",
        "synthetic_70_real_30",
        "synthetic_100",
    ]


@pytest.mark.fault(29)
def test_many_arms_can_be_told_apart() -> None:
    """Each arm next to the learning curve has a colour and a marker of its own and hides no other one."""
    arms = [RECORD.arms[0].model_copy(update={"arm": f"arm-{number}"}) for number in range(20)]
    record = RECORD.model_copy(update={"arms": arms, "worth": []})
    worth = [ArmDataEquivalent.model_validate(_worth(arm.arm, 1257 * (number % 2))) for number, arm in enumerate(arms)]
    figure = verdict_charts.learning_curve(record.model_copy(update={"worth": worth}))
    drawn = [each[0] for each in axes_of(figure).containers]
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == 20
    assert len({float(line.get_xdata()[0]) for line in drawn}) == 20
    assert len(figure.legends[0].get_texts()) == 21


@pytest.mark.fault(29)
def test_the_learning_curve_has_its_intervals() -> None:
    """A point of the curve has the interval of the arm that it is of."""
    arm = RECORD.arms[0]
    worth = ArmDataEquivalent.model_validate(
        _worth("synthetic_100", 0) | {"curve": [(100, 0.8), (arm.n_real, arm.accuracy.mean)]}
    )
    axes = axes_of(verdict_charts.learning_curve(RECORD.model_copy(update={"worth": [worth]})))
    (real,) = [each for each in axes.containers if each[0].get_gid() == f"real-{arm.n_real}"]
    (bar,) = real[2][0].get_segments()
    assert bar[:, 1].tolist() == pytest.approx([100 * arm.accuracy.low, 100 * arm.accuracy.high])


def test_equal_replicates_are_all_seen() -> None:
    """Dots of equal differences are at different heights: one would hide the others."""
    (answer,) = [ANSWERS[0].model_copy(update={"values": [0.01, 0.01, 0.01]})]
    dots = by_gid(axes_of(verdict_charts.differences_chart([answer], "")), "dots-0")
    assert len(set(dots.get_ydata())) == 3
