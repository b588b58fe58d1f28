"""The scores on the page: over replicates, next to those of real images; distances by class; copies and membership."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.report.inputs import Artifacts
from shared.metrics import over_replicates
from shared.metrics.metric import FeatureMetric, extrapolated_side, metric_of
from shared.metrics.over_replicates import ClassDistance, CopiesSummary, MembershipSummary, ScoreSummary
from shared.models.pretrained.missing import MissingWeights, missing_weights, unpublished_words
from shared.models.tables import EXTRACTORS
from shared.stats.intervals import StudentSummary
from shared.store.records.scores import OnTest, Protocol, ScoresRecord, SnapshotScores
from shared.store.replicates import replicate_name


@dataclass(frozen=True)
class ScoresSection:
    """What the template `scores.html` shows; `of_snapshots` has lowest, mean and highest over all snapshots.

    `floor_warning` says which classes' distances are near the floor, `smallest_class` is the fewest real test images of
    a class.
    `missing` are the scores that were left out for want of weights, `instead` says which score chose in their place.
    `against_train` are distances to `n_train` images of those that the generator learned from, which are `learned`:
    "train", or "train and unlabelled"; the others are distances to `n_test` test images.
    """

    summaries: dict[str, ScoreSummary]
    n_synthetic: int
    n_real: int
    of_snapshots: dict[str, tuple[float, float, float]]
    snapshots: int
    classes: dict[str, ClassDistance]
    floor_warning: str
    smallest_class: int
    copies: dict[str, CopiesSummary]
    membership: dict[str, MembershipSummary] | None
    warnings: list[str]
    extrapolated: bool
    missing: list[MissingWeights]
    unpublished: str
    instead: str
    n_test: int
    against_train: dict[str, StudentSummary]
    n_train: int
    learned: str
    protocols: list[dict[str, object]]


def scores_section(made: Artifacts) -> ScoresSection:
    """Return what the template shows of the scores of all replicates."""
    on_test, record = made.on_test, made.shown.scores.record
    rows = [row for replicate in made.replicates for row in replicate.scores.record.rows]
    classes = over_replicates.class_distances(on_test, record.chosen_score)
    every = over_replicates.summaries(on_test)
    summaries = {name: summary for name, summary in every.items() if not is_error_estimate(name)}
    return ScoresSection(
        summaries=summaries,
        n_synthetic=on_test[0].test_protocols[record.extractor].n_synthetic,
        n_real=on_test[0].n_train_looked_at,
        of_snapshots=_of_snapshots(rows, on_test[0]),
        snapshots=len(rows),
        classes=classes,
        floor_warning=over_replicates.floor_warning(classes),
        smallest_class=min(count for count in made.real.split("test").class_counts if count),
        copies=over_replicates.copies(on_test, [one.synthetic.record.imported for one in made.replicates]),
        membership=over_replicates.membership(on_test, record.imported),
        warnings=[_said_by(line, numbers, len(on_test)) for line, numbers in over_replicates.warnings(on_test)],
        extrapolated=any(extrapolated_side(name, EXTRACTORS) for name in summaries),
        missing=missing_weights(name for replicate in made.replicates for name in replicate.scores.record.left_out),
        unpublished=unpublished_words(over_replicates.unpublished(on_test)),
        instead=instead(record),
        n_test=on_test[0].test_protocols[record.extractor].n_real,
        against_train=over_replicates.train_summaries(on_test),
        n_train=_n_train(on_test[0]),
        learned=on_test[0].learned,
        protocols=[protocol.facts() for protocol in _protocols(on_test[0])],
    )


def instead(record: ScoresRecord) -> str:
    """Return which extractor chose the snapshot in place of another one, in words; nothing where the first one did."""
    if record.fallback is None or record.imported:
        return ""
    return (
        f"{record.fallback} was to choose the snapshot; its weights were missing, and {record.extractor} chose it. "
        "halfreal run --force chooses again."
    )


def _n_train(on_test: OnTest) -> int:
    """Return how many train images the chosen snapshot was scored against; 0 where it was not."""
    reference = on_test.train_reference
    return max((protocol.n_real for protocol in reference.protocols.values()), default=0) if reference else 0


def _protocols(on_test: OnTest) -> list[Protocol]:
    reference = on_test.train_reference
    return [*on_test.test_protocols.values(), *(reference.protocols.values() if reference else ())]


def _of_snapshots(rows: Sequence[SnapshotScores], on_test: OnTest) -> dict[str, tuple[float, float, float]]:
    scores = [row.scores for row in rows]
    if not scores:  # imported images have no snapshots
        return {}
    names = [name for name in on_test.real.scores if judges_snapshots(name) and all(name in row for row in scores)]
    return {name: over_replicates.over_all_snapshots(scores, name) for name in names}


def _said_by(line: str, numbers: list[int], replicates: int) -> str:
    """Return a warning with the replicates that it is of, unless it is of all."""
    if len(numbers) == replicates:
        return line
    return f"{line} (replicate{'' if len(numbers) == 1 else 's'} {', '.join(map(replicate_name, numbers))})"


def judges_snapshots(name: str) -> bool:
    """Whether every snapshot has this score, and it says something of quality."""
    metric = metric_of(name, EXTRACTORS)
    return isinstance(metric, FeatureMetric) and metric.per_snapshot and metric.higher_is_better is not None


def is_error_estimate(name: str) -> bool:
    """Whether it says how certain a score is, or how it was extrapolated, and nothing of quality."""
    metric = metric_of(name, EXTRACTORS)
    return metric is not None and metric.higher_is_better is None
