"""What the classes are chosen by that each figure and table shows; `shared.stats.class_choice` has the rule."""

from collections.abc import Mapping, Sequence

from shared.metrics.over_replicates import ClassDistance
from shared.stats.class_choice import ClassChoice, by_size, choose_classes
from shared.store.records.classifier import ClassTable
from shared.store.records.mixed import MixedRecord
from shared.store.records.scores import ClassQualities


def of_table(table: ClassTable) -> ClassChoice:
    """Return the classes to show of a classifier: the largest, by test images, and those of the lowest F1."""
    rows = table.classes
    return choose_classes(
        len(rows), {"largest": [row.n for row in rows], "worst by F1": [-row.f1 if row.n else None for row in rows]}
    )


def of_arms(record: MixedRecord) -> ClassChoice:
    """Return the classes to show of arms: largest by test images, worst by the first answer's arm, most changed by it.

    The change is that of F1 from the arm that the first answer compares with. Records of earlier versions, without
    classes, and those without an answer are judged by what they have.
    """
    top = record.top
    first, second = (record.arms[0], None) if top is None else (record.arm(top.a), record.arm(top.b))
    if first.classes is None:
        return by_size(record.train_counts)
    f1 = [row.f1.mean for row in first.classes]
    merits: dict[str, Sequence[float | None]] = {
        "largest": [row.n for row in first.classes],
        "worst by F1": [None if value is None else -value for value in f1],
    }
    if second is not None and second.classes is not None:
        before = [row.f1.mean for row in second.classes]
        merits["most changed"] = [
            None if a is None or b is None else abs(a - b) for a, b in zip(f1, before, strict=True)
        ]
    return choose_classes(len(f1), merits)


def of_distances(distances: Mapping[str, ClassDistance], classes: Sequence[str], counts: Sequence[int]) -> ClassChoice:
    """Return the classes to show of scores: largest by train images, of the highest distance, furthest above the floor.

    `distances` are by class name; one with too few images has none. `counts` are the real train images by label.
    """
    each = [distances.get(name) for name in classes]
    return choose_classes(
        len(classes),
        {
            "largest": counts,
            "most distant": [distance.synthetic if distance else None for distance in each],
            "most above the floor": [
                distance.synthetic / distance.floor if distance and distance.floor else None for distance in each
            ],
        },
    )


def of_qualities(classes: Sequence[ClassQualities]) -> ClassChoice:
    """Return the classes to show of qualities: those with a ratio furthest from 1."""
    furthest = [
        max((abs(ratio - 1) for ratio in row.ratios.values()), default=0.0) if row.ratios else None for row in classes
    ]
    return choose_classes(len(classes), {"furthest from real images": furthest})


def of_labels(annotated: Sequence[int], asked: Sequence[int] | None) -> ClassChoice:
    """Return the classes to show of synthetic images: the largest by label, and those asked for most unlike that.

    Without classes that were asked for the largest and the smallest.
    """
    if asked is None:
        return by_size(annotated)
    changed = [abs(given - wanted) for given, wanted in zip(annotated, asked, strict=True)]
    return choose_classes(len(annotated), {"largest": annotated, "most changed by the annotator": changed})
