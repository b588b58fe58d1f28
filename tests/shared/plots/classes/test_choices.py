"""What each figure and table chooses its classes by, where there are many."""

from typing import Any

from shared.metrics.over_replicates import ClassDistance
from shared.plots.classes import choices
from shared.store.records.classifier import ClassTable
from shared.store.records.scores import ClassQualities

COUNT = 100
NAMES = [f"c{label}" for label in range(COUNT)]


def test_a_classifier_shows_its_largest_and_worst_classes() -> None:
    """Ten of the most test images, ten of the lowest F1; a class without a test image is not the worst."""
    rows = [
        {"class_name": name, "precision": 0.5, "recall": 0.5, "f1": 1 - label / 200, "n": COUNT - label}
        for label, name in enumerate(NAMES)
    ]
    rows[99] |= {"n": 0, "f1": 0.0}
    fields: dict[str, Any] = {"n": 1, "accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    table = ClassTable.model_validate(fields | {"classes": rows, "confusion_rows": [""] * COUNT})
    choice = choices.of_table(table)
    assert choice.places == [*range(10), *range(89, 99)]
    assert choice.words == "20 of 100 classes: the 10 largest, the 10 worst by F1"


def test_scores_show_the_most_distant_classes_and_those_most_above_the_floor() -> None:
    """A class with a large distance may be near its floor, which few images alone make; both are shown."""
    distances = {name: ClassDistance(1.0, 1.0) for name in NAMES[:99]}
    distances |= {name: ClassDistance(50.0, 50.0) for name in NAMES[40:47]}
    distances |= {name: ClassDistance(2.0, 0.1) for name in NAMES[60:66]}
    choice = choices.of_distances(distances, NAMES, list(range(COUNT, 0, -1)))
    assert choice.places == [*range(7), *range(40, 47), *range(60, 66)]
    assert choice.words == "20 of 100 classes: the 7 largest, the 7 most distant, the 6 most above the floor"


def test_qualities_show_the_classes_furthest_from_real_ones() -> None:
    """The worst of a class's ratios counts, on either side of 1; too few images are no ratio."""
    rows = [
        ClassQualities(class_name=name, qualities=None, ratios={"diversity": 1.0, "sharpness": 1.0}, category="Good")
        for name in NAMES
    ]
    for label in range(30, 50):
        ratio = 0.1 if label % 2 else 1.8
        rows[label] = rows[label].model_copy(update={"ratios": {"diversity": 1.0, "sharpness": ratio}})
    rows[0] = rows[0].model_copy(update={"ratios": None})
    choice = choices.of_qualities(rows)
    assert choice.places == list(range(30, 50))
    assert choice.words == "20 of 100 classes: the 20 furthest from real images"


def test_labels_show_what_the_annotator_changed() -> None:
    """The largest classes, and those with most more or fewer images than were asked for."""
    asked = [200 - label for label in range(COUNT)]
    given = list(asked)
    for label in range(50, 60):
        given[label] += 90 if label % 2 else -90
    choice = choices.of_labels(given, asked)
    assert set(range(50, 60)) < set(choice.places)
    assert choices.of_labels(given, None).words == "20 of 100 classes: the 10 largest, the 10 smallest"
