"""Confusion matrices of many classes: stored by what was answered, drawn of the classes that matter."""

import json

import numpy as np
import pytest

from shared.errors import FormatError
from shared.metrics.classification import confusion_of, score_table
from shared.plots import figures
from shared.stats.class_choice import by_size
from shared.store.records.base import parse_record
from shared.store.records.classifier import WHOLE_CONFUSION, ClassTable

CLASSES = 1000
NAMES = [f"class {label}" for label in range(CLASSES)]


def answers(classes: int, images: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted labels, about half of the latter right."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, images)
    return truth, np.where(rng.random(images) < 0.5, truth, rng.integers(0, classes, images))


def matrix_of(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return the confusion matrix by counting."""
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


@pytest.mark.parametrize("classes", [2, WHOLE_CONFUSION, WHOLE_CONFUSION + 1, 50])
def test_a_table_has_every_answer(classes: int) -> None:
    """Whole up to twenty classes, of more the counts above 0; either way it is the same matrix, also from JSON."""
    truth, predicted = answers(classes)
    table = score_table(truth, predicted, NAMES[:classes])
    assert (table.confusion is None) == (classes > WHOLE_CONFUSION)
    read = parse_record(ClassTable, json.loads(json.dumps(table.facts())), "a table")
    assert read == table
    assert ("confusion_rows" in table.facts()) == (classes > WHOLE_CONFUSION)
    found = confusion_of([read], range(classes), classes)
    assert found.tolist() == matrix_of(truth, predicted, classes).tolist()


@pytest.mark.fault(19)
def test_a_row_of_many_classes_is_small() -> None:
    """A fit of 1,000 classes takes a few bytes for each answer, not for each pair of classes: 6 MB before."""
    truth, predicted = answers(CLASSES)
    stored = json.dumps(score_table(truth, predicted, NAMES).brief().facts(), indent=1)
    assert len(stored) < 60_000


def test_a_brief_table_of_few_classes_is_whole() -> None:
    """Rows of up to twenty classes are kept as they were."""
    truth, predicted = answers(WHOLE_CONFUSION)
    table = score_table(truth, predicted, NAMES[:WHOLE_CONFUSION])
    assert table.brief() == table
    assert len(table.classes) == WHOLE_CONFUSION


def test_whole_matrices_of_earlier_versions_are_read() -> None:
    """An earlier version stored the whole matrix of any number of classes."""
    truth, predicted = answers(30)
    fields = score_table(truth, predicted, NAMES[:30]).facts()
    del fields["confusion_rows"]
    old = parse_record(ClassTable, fields | {"confusion": matrix_of(truth, predicted, 30).tolist()}, "a table")
    new = score_table(truth, predicted, NAMES[:30])
    assert list(old.confused()) == list(new.confused())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "want either confusion or confusion_rows"),
        ({"confusion": [[1]], "confusion_rows": ["0:1"]}, "want either confusion or confusion_rows"),
        ({"confusion_rows": ["0:1 x"]}, "confusion_rows.0 is '0:1 x', want such as '3:12 5:1'"),
        ({"confusion_rows": ["0:1", "2:1"]}, "none of the 2 with a row of confusion"),
    ],
)
def test_a_broken_matrix_is_refused(fields: dict[str, object], said: str) -> None:
    """None, two, text that is no counts, a class that is not there."""
    table = {"n": 1, "accuracy": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0, "classes": []}
    with pytest.raises(FormatError, match=said):
        parse_record(ClassTable, table | fields, "a table")


def test_the_matrix_of_some_classes_has_every_image_of_theirs() -> None:
    """Rows and columns of the chosen classes, then the answers that name others; tables are summed."""
    truth, predicted = answers(CLASSES)
    table = score_table(truth, predicted, NAMES)
    places = [3, 500, 999]
    found = confusion_of([table, table], places, CLASSES)
    whole = 2 * matrix_of(truth, predicted, CLASSES)
    assert found[:, :3].tolist() == whole[np.ix_(places, places)].tolist()
    assert found.sum(axis=1).tolist() == whole[places].sum(axis=1).tolist()


@pytest.mark.fault(19)
def test_the_figure_of_many_classes_names_what_it_leaves_out() -> None:
    """Twenty rows, a column more for the others, and how the rows were chosen."""
    truth, predicted = answers(CLASSES)
    choice = by_size(range(CLASSES, 0, -1))
    matrix = confusion_of([score_table(truth, predicted, NAMES)], choice.places, CLASSES)
    figure = figures.confusion(matrix, NAMES, "3,000 real test images", choice)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == choice.names(NAMES)
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == "980 others"
    assert axes.get_title() == ("3,000 real test images\n20 of 1,000 classes: the 10 largest, the 10 smallest")
    width, height = figure.get_size_inches()
    assert max(width, height) < 12


@pytest.mark.fault(19)
def test_bars_of_many_classes_are_few() -> None:
    """The balance of 1,000 classes is a figure that a screen can show; the legend has the totals of all of them."""
    counts = list(range(CLASSES, 0, -1))
    choice = by_size(counts)
    figure = figures.class_balance({"train": counts, "test": counts}, NAMES, choice)
    (axes,) = figure.axes
    assert [patch.get_height() for patch in axes.containers[0]] == [counts[place] for place in choice.places]
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == "train (500,500 images)"
    assert axes.get_xlabel() == "class\n20 of 1,000 classes: the 10 largest, the 10 smallest"
    assert figure.get_size_inches()[0] < 15
