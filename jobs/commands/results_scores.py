"""What `results` says of scores and of what they are from: missing and replaced artifacts, imported sets."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from shared.stats.confidence import LEVEL_TEXT

if TYPE_CHECKING:
    from rich.console import Console

    from shared.metrics.over_replicates import MembershipSummary
    from shared.stats.intervals import StudentSummary
    from shared.store.records.datasets import Imported
    from shared.store.records.scores import OnTest, ScoresRecord

PRINTED = ("fid", "kid", "inception_score")
"""What the scores are called, before the extractor's name, that are printed next to the one that chose."""


def print_missing(console: "Console", scores: "Sequence[ScoresRecord]", data_root: Path) -> None:
    """Print which scores were left out for want of weights, with the command that brings these."""
    from rich.text import Text

    from shared.cli.common_options import place_flags
    from shared.metrics.over_replicates import unpublished
    from shared.models.pretrained.missing import missing_weights, unpublished_words

    left_out = (name for record in scores for name in record.left_out)
    lines = [lack.line for lack in missing_weights(left_out, place_flags(data_root))]
    words = unpublished_words(unpublished([record.on_test for record in scores if record.on_test is not None]))
    for line in [*lines, *([f"Warning: {words}."] if words else [])]:
        # not wrapped, so that the command can be copied
        console.print(Text(line, style="bold yellow"), soft_wrap=True)


def print_imported(console: "Console", sets: "Sequence[Imported]") -> None:
    """Print which sets were imported, and what is odd about them."""
    from rich.text import Text

    for each in sets:
        labels = "with labels of their own" if each.labels == "given" else "labelled by the annotator"
        aside = f", {each.rejected:,} unreadable" if each.rejected else ""
        console.print(f"Imported: {each.images:,} images of {each.name}, {labels}{aside}.", markup=False)
        if each.equal_to_real:
            counts = ", ".join(f"{count:,} of {split}" for split, count in each.equal_to_real.items())
            console.print(Text(f"Warning: files of {each.name} that are real ones: {counts}", style="bold yellow"))


def print_replaced(console: "Console", places: Sequence[str]) -> None:
    """Print which artifacts are others than those that the results were made from."""
    from rich.text import Text

    if places:
        said = f"Out of step: {', '.join(places)} was replaced since; these results are of what was there before"
        console.print(Text(f"Warning: {said}. Rebuild them: halfreal run", style="bold yellow"))


def print_scores(
    console: "Console",
    scores: "Sequence[ScoresRecord]",
    on_test: "Sequence[OnTest]",
    imported: "Sequence[Imported]" = (),
) -> None:
    """Print the score that chose the snapshots and Inception's, over replicates, and what is known of privacy."""
    from rich.text import Text

    from shared.metrics.over_replicates import (
        class_distances,
        copies,
        floor_warning,
        membership,
        summaries,
        train_summaries,
    )
    from shared.plots.formatting import percent

    first = scores[0]
    of_test, of_train = summaries(on_test), train_summaries(on_test)
    if not first.imported:
        epochs = ", ".join(str(record.chosen_snapshot.epoch) for record in scores)
        instead = f", in place of {first.fallback}, whose weights were missing" if first.fallback else ""
        console.print(f"Snapshots of epochs {epochs}, chosen by {first.chosen_score} on val{instead}.")
    protocols = on_test[0].test_protocols
    others = [f"{kind}_{name}" for name in protocols for kind in PRINTED if name != first.extractor]
    others += [f"{kind}_{first.extractor}" for kind in PRINTED[1:]]
    for name in dict.fromkeys([first.chosen_score, *others]):
        if name in of_test:
            n_real = protocols[_extractor(name, protocols)].n_real
            real = of_test[name].real
            # the Inception Score is of one set of images; distances are between two
            against = "" if name.startswith("inception_score") else f" against {n_real:,} real test images"
            floor = "" if real is None else f"; of real {on_test[0].learned} images it is {real['mean']:.3f}"
            console.print(f"{name} {_value(of_test[name].synthetic)}{against}{floor}.")
        reference = on_test[0].train_reference
        if name in of_train and reference is not None:
            n_train = reference.protocols[_extractor(name, protocols)].n_real
            as_printed = ", as papers print it" if name.startswith(PRINTED) else ""
            against = f"against {n_train:,} real {on_test[0].learned} images"
            console.print(f"{name} {_value(of_train[name])} {against}{as_printed}.")
    if warning := floor_warning(class_distances(on_test, first.chosen_score)):
        console.print(Text(f"Warning: {first.chosen_score} by class: {warning}", style="bold yellow"))
    for space, tested in copies(on_test, imported).items():
        seen = "" if tested.least_share is None else f"; copies are found from {percent(tested.least_share)} % on"
        console.print(
            f"{space}: {tested.finding}, flagged in {tested.flagged} of {tested.replicates} replicates{seen}."
        )
    for space, attacked in (membership(on_test, bool(imported)) or {}).items():
        console.print(membership_line(space, attacked))


def membership_line(space: str, found: "MembershipSummary") -> str:
    """Return what the membership test of a space found, in words."""
    from shared.plots.formatting import percent

    rates = [
        f"{percent(tpr['mean'])} % found at {percent(float(rate))} % false positives"
        for rate, tpr in found.tpr_at.items()
        if tpr is not None
    ]
    return (
        f"membership by {space}: AUC {found.mean:.3f} ({LEVEL_TEXT} interval {found.low:.3f} to {found.high:.3f}), "
        f"{found.n_members:,} members against {found.n_non_members:,} {found.non_members} images, by "
        f"{found.n_synthetic:,} synthetic ones; {'; '.join([*rates, found.finding])}."
    )


def scores_json(scores: "Sequence[ScoresRecord]", on_test: "Sequence[OnTest]") -> dict[str, object]:
    """Return the keys of `results --json` next to `scores`: what chose, by class, protocols, what is missing."""
    from shared.metrics.over_replicates import class_distances, train_summaries
    from shared.models.pretrained.missing import missing_weights

    kept = ("mean", "low", "high", "values")
    reference = on_test[0].train_reference
    lacks = missing_weights(name for record in scores for name in record.left_out)
    return {
        "chosen_by": None if scores[0].imported else scores[0].chosen_score,
        "fallback_for": scores[0].fallback,
        "missing_weights": [{"extractors": list(lack.extractors), "command": lack.command} for lack in lacks],
        "class_distances": {
            "score": scores[0].chosen_score,
            "classes": {
                name: asdict(distance) | {"near_the_floor": distance.near_the_floor}
                for name, distance in class_distances(on_test, scores[0].chosen_score).items()
            },
        },
        "score_protocols": {name: row.facts() for name, row in on_test[0].test_protocols.items()},
        "scores_against_train": {
            name: {key: value for key, value in summary.items() if key in kept}
            for name, summary in train_summaries(on_test).items()
        },
        "score_protocols_train": {name: row.facts() for name, row in reference.protocols.items()} if reference else {},
    }


def _extractor(score: str, extractors: Iterable[str]) -> str:
    """Return the extractor that a score is named after."""
    return next(name for name in extractors if name in score)


def _value(found: "StudentSummary") -> str:
    """Return a mean over replicates with its interval, in words."""
    low, high = found["low"], found["high"]
    interval = "" if low is None or high is None else f" ({LEVEL_TEXT} interval {low:.3f} to {high:.3f})"
    return f"{found['mean']:.3f}{interval}"
