"""The table of every class on the page, where there are more than its figures and other tables show."""

from dataclasses import dataclass

from jobs.report.inputs import Artifacts
from shared.metrics.over_replicates import class_distances
from shared.plots.answers import first_arms
from shared.stats.class_choice import by_size
from shared.store.lineage import need_test_scores
from shared.store.records.mixed import OptionalEstimate


@dataclass(frozen=True)
class ClassRow:
    """What is known of a class: images, F1 of the first arms and the annotator, distance, ratios to real images.

    `synthetic` counts labels over all replicates, `difference` is the first arm's F1 less the second's. `ratios` and
    `category` are those of the replicate that is shown. Empty or None where it is not known.
    """

    name: str
    train: int
    synthetic: int
    test: int
    f1: list[OptionalEstimate | None]
    difference: float | None
    annotator: float | None
    distance: float | None
    floor: float | None
    ratios: dict[str, float] | None
    category: str | None


def every_class(made: Artifacts) -> list[ClassRow]:
    """Return a row for each class in the order of labels; none where the page shows all of them anyway."""
    dataset, mixed, shown = made.real.dataset, made.mixed.record, made.shown
    if by_size(mixed.train_counts).whole:
        return []
    arms, annotator = first_arms(mixed), shown.classifier.record.test.classes
    # of combinations of attributes only images are known: how well each attribute is recognised is in other tables
    recognised = not dataset.attributes
    distances = class_distances(made.on_test, shown.scores.record.chosen_score)
    rows = []
    for label, name in enumerate(dataset.classes):
        f1 = [arm.classes[label].f1 if arm.classes and recognised else None for arm in arms]
        means = [found.mean for found in f1 if found is not None and found.mean is not None]
        distance, qualities = distances.get(name), need_test_scores(shown.scores).test.classes[label]
        rows.append(
            ClassRow(
                name=name,
                train=mixed.train_counts[label],
                synthetic=mixed.synthetic_counts[label],
                test=dataset.splits["test"].class_counts[label],
                f1=f1,
                difference=means[0] - means[1] if len(means) == len(arms) == 2 else None,
                annotator=annotator[label].f1 if recognised else None,
                distance=distance.synthetic if distance else None,
                floor=distance.floor if distance else None,
                ratios=qualities.ratios,
                category=qualities.category,
            )
        )
    return rows
