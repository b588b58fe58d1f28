"""Charts of the verdict: differences between arms, accuracy of each arm, the learning curve, where variance is from."""

import math
from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from shared.plots.figures import COLOURS, plot
from shared.plots.formatting import (
    difference_points,
    interval_points,
    level_text,
    real_count,
    synthetic_count,
    variance_shares,
)
from shared.stats.confidence import LEVEL_TEXT
from shared.store.records.mixed import Answer, Estimate, MixedRecord, Variance

LIKE, UNLIKE = COLOURS[0], COLOURS[5]
"""The colours of answers whose arms saw the same real images, and of the others."""

ARM_COLOURS, MARKERS = COLOURS[1:6] + COLOURS[7:], "sD^vP<X>*hd"
"""The looks of arms next to the learning curve, taken in turn: 6 colours and 11 markers make 66 that differ."""

ASIDE = 1.05
"""By what factor arms with as many real images are apart on a logarithmic axis."""

LINE_CHARACTERS = 58
"""What fits on a line of the chart of differences."""


def differences_chart(answers: Sequence[Answer], title: str) -> Figure:
    """Draw each answer as a row: interval and mean, a dot for each replicate, what is excluded shaded; a line at 0."""
    texts = [_words(answer) for answer in answers]
    # each row is as high as its words and its marks need, in lines of text
    heights = [text.count("\n") + 1 + 2.6 for text in texts]
    figure, axes = plot(5.4, 0.165 * sum(heights) + 1.5)
    left, right = _limits(answers)
    axes.axvline(0, color="black", linewidth=1, zorder=1, gid="zero-line")
    top = 0.0
    for place, (answer, text, height) in enumerate(zip(answers, texts, heights, strict=True)):
        style: dict[str, Any] = {
            "fontsize": 9.5,
            "fontweight": "bold" if place == 0 else "normal",
            "va": "top",
            "zorder": 4,
            "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5},  # over the line at 0
        }
        axes.text(0.01, top + 0.3, text, transform=axes.get_yaxis_transform(), **style)
        _row(axes, answer, place, top + height - 1.3, (left, right))
        top += height
    axes.set(xlim=(left, right), ylim=(top, -0.2), yticks=[])
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    metrics = " or ".join(dict.fromkeys(answer.metric.replace("_", " ") for answer in answers))
    axes.set_xlabel(f"difference in {metrics}, percentage points")
    axes.set_title(title, fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))  # by label, since each row has added the same entries
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=2, fontsize=9)
    return figure


def _words(answer: Answer) -> str:
    """Return what is written above the marks of an answer."""
    marked = "" if answer.like_for_like else ", NOT LIKE FOR LIKE"
    question = wrap(f"{answer.question[0].upper()}{answer.question[1:]}", LINE_CHARACTERS)
    return "\n".join(
        [
            *question,
            f"{difference_points(answer)} ({level_text(answer.level)} interval {interval_points(answer)}){marked}",
        ]
    )


def _limits(answers: Sequence[Answer]) -> tuple[float, float]:
    """Return the ends of the axis, in points: 0, every interval and every replicate are within."""
    held = [0.0, *(value for answer in answers for value in (answer.low, answer.high, *answer.values))]
    reach = max(max(held) - min(held), 0.001)
    return 100 * (min(held) - 0.1 * reach), 100 * (max(held) + 0.1 * reach)


def _row(axes: Axes, answer: Answer, place: int, middle: float, ends: tuple[float, float]) -> None:
    """Draw one answer around the height `middle`."""
    low, high, mean = 100 * answer.low, 100 * answer.high, 100 * answer.difference
    for side, (start, end) in {"below": (ends[0], low), "above": (high, ends[1])}.items():
        axes.fill(
            [start, end, end, start],
            [middle - 0.75, middle - 0.75, middle + 0.85, middle + 0.85],
            color="0.88",
            linewidth=0,
            zorder=0,
            label="excluded by the interval",
            gid=f"excluded-{side}-{place}",
        )
    colour, kind = (LIKE, "like for like") if answer.like_for_like else (UNLIKE, "not like for like")
    label = f"mean and interval, {kind}"
    bar: dict[str, Any] = {
        "linewidth": 5,
        "alpha": 0.45,
        "solid_capstyle": "butt",
        "zorder": 2,
        "gid": f"interval-{place}",
    }
    axes.plot([low, high], [middle] * 2, color=colour, **bar)
    marker = "D" if answer.like_for_like else "X"  # not by colour alone
    axes.plot([mean], [middle], marker, color=colour, markersize=6, zorder=4, label=label)
    values = [100 * value for value in answer.values]
    # staggered, since replicates on the same test images often have equal differences
    heights = [middle + 0.36 + 0.17 * (number % 3) for number in range(len(values))]
    axes.plot(values, heights, "o", color="black", markersize=3.2, zorder=3, label="one replicate", gid=f"dots-{place}")


def arms_chart(record: MixedRecord) -> Figure:
    """Draw the test accuracy of each arm: every replicate, the mean, its interval."""
    arms, used = record.arms, record.protocol
    figure, axes = plot(5.4, 0.52 * len(arms) + 1.4)
    for row, arm in enumerate(arms):
        mean, reach = _percent(arm.accuracy)
        axes.errorbar(mean, row, xerr=reach, fmt="o", capsize=4, color=COLOURS[0], label=f"mean, {LEVEL_TEXT} interval")
        values = [100 * value for value in arm.accuracy.values]
        axes.plot(values, [row + 0.22] * len(values), "|", markersize=9, color=COLOURS[1], label="one replicate")
    baseline = 100 * record.majority_baseline
    for row, arm in enumerate(arms):
        words = f"{arm.about} ({real_count(arm)} real, {synthetic_count(arm)} synthetic)"
        axes.text(0.01, row - 0.2, words, transform=axes.get_yaxis_transform(), fontsize=9)
    axes.set_yticks([])
    axes.set_ylim(len(arms) - 0.5, -0.75)
    axes.set_xlabel(
        f"accuracy on {used.test_images} real test images (%), {replicates(used.replicates)}\n"
        f"always the largest class: {baseline:.1f} %"
    )
    # by label, since each arm has added the same two entries
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=2)
    return figure


def replicates(number: int) -> str:
    """Return a number of replicates in words."""
    return f"{number} replicate{'' if number == 1 else 's'}"


def _percent(estimate: Estimate) -> tuple[float, list[list[float]]]:
    """Return the mean of a metric in percent, and how far its interval reaches below and above, for an error bar."""
    mean = 100 * estimate.mean
    # rounding may put a bound of no width on the other side of the mean
    return mean, [[max(mean - 100 * estimate.low, 0.0)], [max(100 * estimate.high - mean, 0.0)]]


def variance_chart(variance: Variance) -> Figure:
    """Draw the shares of the variance of the headline's difference as one bar; what is not known is left out."""
    figure, axes = plot(5.4, 1.5)
    start = 0.0
    for place, (words, share) in enumerate(variance_shares(variance).items()):
        if share is None:
            axes.barh(0, 0, color=COLOURS[place], label=f"{words}: not known")
            continue
        axes.barh(0, 100 * share, left=start, color=COLOURS[place], label=f"{words}: {100 * share:.0f} %")
        start += 100 * share
    axes.set(xlim=(0, 100), yticks=[])
    axes.set_xlabel("share of the variance of the headline's difference (%)")
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    return figure


def learning_curve(record: MixedRecord) -> Figure:
    """Draw accuracy over the number of real images, and each arm with synthetic images at its number of real ones."""
    used, equivalents = record.protocol, record.worth
    counts, heights = zip(*equivalents[0].curve, strict=True)
    figure, axes = plot(6.4, 3.6 + 0.09 * len(equivalents))
    axes.plot(counts, [100 * height for height in heights], marker="o", color=COLOURS[0], label="real images alone")
    for count, height in equivalents[0].curve:
        for arm in record.arms:
            if (arm.n_real, arm.n_synthetic) == (count, 0) and math.isclose(arm.accuracy.mean, height, rel_tol=1e-6):
                mean, reach = _percent(arm.accuracy)
                axes.errorbar(count, mean, yerr=reach, capsize=3, color=COLOURS[0], gid=f"real-{count}")
    arms = {arm.arm: arm for arm in record.arms}
    none = counts[0] / 2  # a logarithmic axis has no 0: arms without real images are drawn left of the curve
    together = Counter(equivalent.n_real for equivalent in equivalents)
    drawn = Counter[int]()
    for place, equivalent in enumerate(equivalents):
        mean, reach = _percent(arms[equivalent.arm].accuracy)
        # side by side where they have as many real images
        aside = drawn[equivalent.n_real] - (together[equivalent.n_real] - 1) / 2
        drawn[equivalent.n_real] += 1
        look: dict[str, Any] = {"marker": MARKERS[place % len(MARKERS)], "color": ARM_COLOURS[place % len(ARM_COLOURS)]}
        x = (equivalent.n_real or none) * ASIDE**aside
        axes.errorbar(x, mean, yerr=reach, linestyle="", capsize=3, label=equivalent.arm, **look)
    axes.set_xscale("log")
    axes.set_xticks([none, *counts], ["0", *(f"{count:,}" for count in counts)], fontsize=9)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("real images in the training set")
    axes.set_ylabel("accuracy on real test images (%)")
    axes.set_title(f"{used.test_images} real test images, {replicates(used.replicates)}", fontsize=9)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8.5)
    return figure
