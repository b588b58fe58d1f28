"""Charts of a search for better options, from the record of `tune`."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from shared.plots import figures, ticks
from shared.plots.figures import COLOURS, plot
from shared.plots.gallery import Picture, Pictures
from shared.stats.confidence import LEVEL_TEXT
from shared.store.records.base import Value
from shared.store.records.tune import TuneRecord


def short_name(name: str) -> str:
    """Return an option's name without its job."""
    return name.rpartition(".")[2].replace("_", " ")


def _on_val(record: TuneRecord) -> str:
    used = record.val_protocol
    return f"{used.n_real:,} real val images, {used.n_synthetic:,} generated, seed {used.seed}"


def history_chart(record: TuneRecord) -> Figure:
    """Draw the objective of each finished trial in the order in which they began, and the best so far."""
    done = [(trial.number, trial.value) for trial in record.trials if trial.value is not None]
    numbers, values = zip(*done, strict=True)
    figure, axes = plot()
    axes.plot(numbers, values, "o", color=COLOURS[0], label=f"finished ({len(done)})")
    best = np.minimum.accumulate(values)
    axes.step(
        [*numbers, len(record.trials) - 1], [*best, best[-1]], where="post", color=COLOURS[1], label="best so far"
    )
    stopped = [trial.number for trial in record.trials if trial.value is None]
    for place, number in enumerate(stopped):
        label = f"not finished ({len(stopped)})" if place == 0 else None
        axes.axvline(number, color="grey", linestyle=":", linewidth=1, label=label)
    first = " (0 has the recipe's own options)" if record.trials[0].params == record.own else ""
    axes.set_xlabel(f"trial{first}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(f"{record.objective} on val")
    axes.set_title(_on_val(record), fontsize=9)
    axes.legend(fontsize=9)
    return figure


def curves_chart(record: TuneRecord) -> Figure:
    """Draw the score of each trial over epochs: finished ones in colour, stopped ones in grey to where they ended."""
    figure, axes = plot()
    shown = set()
    for trial in record.trials:
        if not trial.curve:
            continue
        kind = "best" if trial.number == record.best.number else trial.state
        colour, width = {"best": (COLOURS[5], 2.0), "finished": (COLOURS[0], 1.0)}.get(kind, ("grey", 1.0))
        epochs, scores = zip(*trial.curve, strict=True)
        marker = "o" if kind in ("best", "finished") else "x"
        axes.plot(
            epochs,
            scores,
            marker=marker,
            markersize=3,
            color=colour,
            linewidth=width,
            label=None if kind in shown else kind,
        )
        shown.add(kind)
    for epoch in record.rungs:
        axes.axvline(epoch, color="grey", linestyle=":", linewidth=1, label=None if "rung" in shown else "rung")
        shown.add("rung")
    ticks.log_scale(axes)  # early scores are many times the final ones
    ticks.whole_epochs(axes)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{record.score} on val (log scale)")
    axes.set_title(_on_val(record), fontsize=9)
    axes.legend(fontsize=9)
    return figure


def importance_chart(record: TuneRecord) -> Figure:
    """Draw the importance of each option as bars, the most important first."""
    ordered = sorted((record.importances or {}).items(), key=lambda pair: -pair[1])
    figure, axes = plot(6.4, 0.35 * len(ordered) + 1.2)
    axes.barh([short_name(name) for name, _ in ordered], [value for _, value in ordered], color=COLOURS[0])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"importance for the {record.importance_of} (share, fANOVA)")
    axes.set_ylabel("option")
    axes.set_title(f"{record.importance_trials} trials, {_on_val(record)}", fontsize=9)
    return figure


Heights = tuple[list[float], list[tuple[float, str]]]
"""Where values are on an axis from 0 to 1; where its ticks are and what they say."""

FEW = 4
"""Different whole numbers, at most, that get a tick each."""

WIDE = 8
"""The ratio of the largest to the smallest number from which an axis is logarithmic."""


def _heights(values: Sequence[Value]) -> Heights:
    """Return where values are on an axis from 0 to 1, and its ticks."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return _in_steps(values, sorted(set(values), key=str))
    if len(set(numbers)) <= FEW and all(isinstance(value, int) for value in numbers):
        return _in_steps(values, sorted(set(numbers)))
    return _on_scale(numbers)


def _in_steps(values: Sequence[Value], order: Sequence[Value]) -> Heights:
    """Return values as equal steps in this order, each with a tick."""
    heights = {value: place / max(len(order) - 1, 1) for place, value in enumerate(order)}
    names = {value: f"{value:.3g}" if isinstance(value, float) else str(value) for value in order}
    return [heights[value] for value in values], [(heights[value], names[value]) for value in order]


def _on_scale(values: Sequence[float]) -> Heights:
    """Return numbers to scale, wide ranges of them logarithmic, with ticks at both ends and in the middle."""
    log = min(values) > 0 and max(values) / min(values) >= WIDE
    scaled = np.log(values) if log else np.asarray(values, dtype=float)
    low, high = scaled.min(), scaled.max()
    span, ends = (high - low) or 1.0, (low, (low + high) / 2, high)
    ticks = [((end - low) / span, f"{np.exp(end) if log else end:.2g}") for end in ends]
    return ((scaled - low) / span).tolist(), ticks


def parallel_chart(record: TuneRecord) -> Figure:
    """Draw each trial as a line over its options: finished ones coloured by their objective, stopped ones dashed."""
    trials = record.trials
    columns = {short_name(name): [trial.params[name] for trial in trials] for name in record.own}
    done = [trial.value for trial in trials if trial.value is not None]
    figure, axes = plot(max(6.4, 1.3 * len(columns) + 2.2), 3.8)
    colours = ScalarMappable(Normalize(min(done), max(done)), "viridis")
    lines = np.array([_heights(values)[0] for values in columns.values()])
    places = range(len(columns))
    # one option is no line: its values are dots on the axis
    dot = "o" if len(columns) == 1 else ""
    for trial, line in zip(trials, lines.T, strict=True):
        if trial.value is None:
            axes.plot(places, line, "--", marker=dot, color="grey", linewidth=1)
        elif trial.number != record.best.number:
            axes.plot(places, line, marker=dot, color=colours.to_rgba(np.array(trial.value)), linewidth=1.5)
    best = lines[:, [trial.number for trial in trials].index(record.best.number)]
    axes.plot(places, best, marker=dot, markersize=9, color=COLOURS[5], linewidth=3)
    for place, values in enumerate(columns.values()):
        axes.axvline(place, color="grey", linewidth=0.8)
        for height, text in _heights(values)[1]:
            axes.text(place + 0.03, height, text, fontsize=8.5, va="center")
    axes.set_xticks(places, list(columns), fontsize=9)
    axes.set_yticks([])
    axes.grid(False)
    axes.set_xlim(-0.1 if len(columns) > 1 else -0.5, len(columns) - 0.6)
    axes.set_xlabel(f"option of train_gan ({len(trials)} trials; {_on_val(record)})", fontsize=9)
    axes.plot([], [], color=COLOURS[5], linewidth=3, label="best")
    axes.plot([], [], "k-", label="finished")
    axes.plot([], [], "--", color="grey", label="not finished")
    figure.legend(loc="outside upper center", ncols=3, fontsize=9)
    figure.colorbar(colours, ax=axes, label=f"{record.objective} on val", format=ticks.PlainFormatter())
    return figure


def comparison_chart(record: TuneRecord) -> Figure:
    """Draw the score on test before and after: every seed, the mean, its interval."""
    row, used = record.comparison.rows[0], record.protocol
    figure, axes = plot(6.2, 2.6)
    for place, side in enumerate((row.before, row.after)):
        mean, low, high = side.mean, side.low, side.high
        reach = None if low is None or high is None else [[mean - low], [high - mean]]
        label = f"mean, {LEVEL_TEXT} interval" if place == 0 else None
        axes.errorbar(mean, place, xerr=reach, fmt="o", capsize=4, color=COLOURS[0], label=label)
        label = "one seed" if place == 0 else None
        axes.plot(side.values, [place + 0.18] * len(side.values), "|", markersize=9, color=COLOURS[1], label=label)
    axes.set_yticks([0, 1], ["before:\nthe recipe", f"after:\ntrial {record.best.number}"])
    axes.set_ylim(1.5, -0.5)
    seeds = ", ".join(map(str, record.seeds))
    axes.set_xlabel(f"{row.name} ({'lower' if row.lower_is_better else 'higher'} is better)")
    counts = f"{used.n_real:,} real test images, {used.n_synthetic:,} generated"
    axes.set_title(f"{counts}, {record.epochs} epochs, seeds {seeds}", fontsize=9)
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    return figure


def tune_pictures(
    record: TuneRecord, sheet: Tensor, classes: Sequence[str], conditional: bool = True, chosen: str = ""
) -> Pictures:
    """Return the charts of a search and its image grid `sheet`; importances where there are any.

    The rows of `sheet` are of `classes`, and named after these if both GANs are `conditional`. `chosen` says how they
    were chosen of many.
    """
    trials = len(record.trials)
    title = "real test images | before | after, fixed latents" + (f"\n{chosen}" if chosen else "")
    pictures = {
        "comparison": Picture(comparison_chart(record), record.comparison.sentence),
        "history": Picture(history_chart(record), f"Objective of {trials} trials, and the best so far."),
        "trial_curves": Picture(
            curves_chart(record), "Score of each trial over epochs, and where weak ones were stopped."
        ),
        "parallel": Picture(parallel_chart(record), "Options of each trial as a line, coloured by its score."),
        "baseline_and_tuned": Picture(
            figures.image_rows(sheet, len(sheet) // len(classes), title, classes if conditional else []),
            "Real test images, generated ones before tuning and after, side by side.",
            True,
        ),
    }
    if record.importances:
        most = max(record.importances, key=record.importances.__getitem__)
        alt = f"Importance of each option; most important: {most}."
        pictures["importances"] = Picture(importance_chart(record), alt)
    return pictures
