"""Charts of a search for better options, from the facts of `tune`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from shared.plots.figures import COLOURS, plot
from shared.stats.confidence import LEVEL_TEXT

GRID_TITLE = "real test images | before | after, fixed latents"

Charts = dict[str, tuple[Figure, str]]


def trial_charts(facts: dict[str, Any]) -> Charts:
    """Return every chart by name, each with what a reader who cannot see it is told."""
    comparison = facts["comparison"]
    charts = {
        "comparison": (comparison_chart(facts), comparison["sentence"]),
        "history": (history_chart(facts), f"Objective of {len(facts['trials'])} trials, and the best so far."),
        "trial_curves": (curves_chart(facts), "Score of each trial over epochs, and where weak ones were stopped."),
        "parallel": (parallel_chart(facts), "Options of each trial as a line, coloured by its score."),
    }
    if facts["importances"]:
        most = max(facts["importances"], key=lambda name: facts["importances"][name])
        charts["importances"] = (importance_chart(facts), f"Importance of each option; most important: {most}.")
    return charts


def short_name(name: str) -> str:
    """Return an option's name without its job."""
    return name.rpartition(".")[2].replace("_", " ")


def _on_val(facts: dict[str, Any]) -> str:
    used = facts["val_protocol"]
    return f"{used['n_real']:,} real val images, {used['n_synthetic']:,} generated, seed {used['seed']}"


def history_chart(facts: dict[str, Any]) -> Figure:
    """Draw the objective of each finished trial in the order in which they began, and the best so far."""
    done = [(trial["number"], trial["value"]) for trial in facts["trials"] if trial["value"] is not None]
    numbers, values = zip(*done, strict=True)
    figure, axes = plot()
    axes.plot(numbers, values, "o", color=COLOURS[0], label=f"finished ({len(done)})")
    best = np.minimum.accumulate(values)
    axes.step(
        [*numbers, len(facts["trials"]) - 1], [*best, best[-1]], where="post", color=COLOURS[1], label="best so far"
    )
    stopped = [trial["number"] for trial in facts["trials"] if trial["value"] is None]
    for place, number in enumerate(stopped):
        label = f"not finished ({len(stopped)})" if place == 0 else None
        axes.axvline(number, color="grey", linestyle=":", linewidth=1, label=label)
    first = " (0 has the recipe's own options)" if facts["trials"][0]["params"] == facts["own"] else ""
    axes.set_xlabel(f"trial{first}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(f"{facts['objective']} on val")
    axes.set_title(_on_val(facts), fontsize=9)
    axes.legend(fontsize=8)
    return figure


def curves_chart(facts: dict[str, Any]) -> Figure:
    """Draw the score of each trial over epochs: finished ones in colour, stopped ones in grey to where they ended."""
    figure, axes = plot()
    shown = set()
    for trial in facts["trials"]:
        if not trial["curve"]:
            continue
        kind = "best" if trial["number"] == facts["best"]["number"] else trial["state"]
        colour, width = {"best": (COLOURS[5], 2.0), "finished": (COLOURS[0], 1.0)}.get(kind, ("grey", 1.0))
        epochs, scores = zip(*trial["curve"], strict=True)
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
    for epoch in facts["rungs"]:
        axes.axvline(epoch, color="grey", linestyle=":", linewidth=1, label=None if "rung" in shown else "rung")
        shown.add("rung")
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{facts['score']} on val (log scale)")
    axes.set_title(_on_val(facts), fontsize=9)
    axes.legend(fontsize=8)
    return figure


def importance_chart(facts: dict[str, Any]) -> Figure:
    """Draw the importance of each option as bars, the most important first."""
    ordered = sorted(facts["importances"].items(), key=lambda pair: -pair[1])
    figure, axes = plot(6.4, 0.35 * len(ordered) + 1.2)
    axes.barh([short_name(name) for name, _ in ordered], [value for _, value in ordered], color=COLOURS[0])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"importance for the {facts['importance_of']} (share, fANOVA)")
    axes.set_ylabel("option")
    axes.set_title(f"{facts['importance_trials']} trials, {_on_val(facts)}", fontsize=9)
    return figure


Ticks = list[tuple[float, str]]
"""Where the ticks of an axis from 0 to 1 are, and what they say."""

FEW = 4
"""Different whole numbers, at most, that get a tick each."""

WIDE = 8
"""The ratio of the largest to the smallest number from which an axis is logarithmic."""


def _heights(values: list[Any]) -> tuple[list[float], Ticks]:
    """Return where values are on an axis from 0 to 1, and its ticks."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    counts = numbers and all(isinstance(value, int) for value in values) and len(set(values)) <= FEW
    return _on_scale(values) if numbers and not counts else _in_steps(values, key=None if numbers else str)


def _in_steps(values: list[Any], key: Callable[[Any], str] | None) -> tuple[list[float], Ticks]:
    """Return values as equal steps in order, each with a tick."""
    order = sorted(set(values), key=key)
    heights = {value: place / max(len(order) - 1, 1) for place, value in enumerate(order)}
    names = {value: f"{value:.3g}" if isinstance(value, float) else str(value) for value in order}
    return [heights[value] for value in values], [(heights[value], names[value]) for value in order]


def _on_scale(values: list[float]) -> tuple[list[float], Ticks]:
    """Return numbers to scale, wide ranges of them logarithmic, with ticks at both ends and in the middle."""
    log = min(values) > 0 and max(values) / min(values) >= WIDE
    scaled = np.log(values) if log else np.asarray(values, dtype=float)
    low, high = scaled.min(), scaled.max()
    span, ends = (high - low) or 1.0, (low, (low + high) / 2, high)
    ticks = [((end - low) / span, f"{np.exp(end) if log else end:.2g}") for end in ends]
    return ((scaled - low) / span).tolist(), ticks


def parallel_chart(facts: dict[str, Any]) -> Figure:
    """Draw each trial as a line over its options: finished ones coloured by their objective, stopped ones dashed."""
    trials = facts["trials"]
    columns = {short_name(name): [trial["params"][name] for trial in trials] for name in facts["own"]}
    done = [trial["value"] for trial in trials if trial["value"] is not None]
    figure, axes = plot(max(6.4, 1.3 * len(columns) + 2.2), 3.8)
    colours = ScalarMappable(Normalize(min(done), max(done)), "viridis")
    lines = np.array([_heights(values)[0] for values in columns.values()])
    places = range(len(columns))
    for trial, line in zip(trials, lines.T, strict=True):
        if trial["value"] is None:
            axes.plot(places, line, "--", color="grey", linewidth=1)
        elif trial["number"] != facts["best"]["number"]:
            axes.plot(places, line, color=colours.to_rgba(np.array(trial["value"])), linewidth=1.5)
    axes.plot(places, lines[:, facts["best"]["number"]], color=COLOURS[5], linewidth=3)
    for place, values in enumerate(columns.values()):
        axes.axvline(place, color="grey", linewidth=0.8)
        for height, text in _heights(values)[1]:
            axes.text(place + 0.03, height, text, fontsize=7, va="center")
    axes.set_xticks(places, list(columns), fontsize=8)
    axes.set_yticks([])
    axes.grid(False)
    axes.set_xlim(-0.1, len(columns) - 0.6)
    axes.set_xlabel(f"option of train_gan ({len(trials)} trials; {_on_val(facts)})", fontsize=9)
    axes.plot([], [], color=COLOURS[5], linewidth=3, label="best")
    axes.plot([], [], "k-", label="finished")
    axes.plot([], [], "--", color="grey", label="not finished")
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    figure.colorbar(colours, ax=axes, label=f"{facts['objective']} on val")
    return figure


def comparison_chart(facts: dict[str, Any]) -> Figure:
    """Draw the score on test before and after: every seed, the mean, its interval."""
    row, used = facts["comparison"]["rows"][0], facts["protocol"]
    figure, axes = plot(6.2, 2.6)
    for place, side in enumerate(("before", "after")):
        found = row[side]
        mean = found["mean"]
        reach = None if found["low"] is None else [[mean - found["low"]], [found["high"] - mean]]
        label = f"mean, {LEVEL_TEXT} interval" if place == 0 else None
        axes.errorbar(mean, place, xerr=reach, fmt="o", capsize=4, color=COLOURS[0], label=label)
        label = "one seed" if place == 0 else None
        axes.plot(
            found["values"], [place + 0.18] * len(found["values"]), "|", markersize=9, color=COLOURS[1], label=label
        )
    axes.set_yticks([0, 1], ["before:\nthe recipe", f"after:\ntrial {facts['best']['number']}"])
    axes.set_ylim(1.5, -0.5)
    seeds = ", ".join(map(str, facts["seeds"]))
    axes.set_xlabel(f"{row['name']} ({'lower' if row['lower_is_better'] else 'higher'} is better)")
    counts = f"{used['n_real']:,} real test images, {used['n_synthetic']:,} generated"
    axes.set_title(f"{counts}, {facts['epochs']} epochs, seeds {seeds}", fontsize=9)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
