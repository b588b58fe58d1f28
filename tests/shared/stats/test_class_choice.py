"""The classes that are shown of many: largest, worst and most changed, each once, and said in words."""

import pytest

from shared.stats.class_choice import MOST_CLASSES, by_size, choose_classes

SIZES = [1000 - place for place in range(1000)]
"""Class 0 is the largest."""


def _peaks(*places: int, count: int = 1000) -> list[float]:
    """Return merits that are 0 but at `places`, the first of which is the highest."""
    merits = [0.0] * count
    for rank, place in enumerate(places):
        merits[place] = float(len(places) - rank)
    return merits


WORST = (500, 501, 502, 503, 504, 505, 506, 507)
CHANGED = (700, 701, 702, 703, 704, 705, 706)


@pytest.mark.parametrize("count", [1, 2, MOST_CLASSES])
def test_up_to_twenty_classes_are_all_shown(count: int) -> None:
    """Nothing is chosen, and nothing is said of a choice."""
    choice = choose_classes(count, {"largest": [1.0] * count})
    assert choice.places == list(range(count))
    assert choice.whole
    assert choice.words == ""


def test_of_more_the_largest_worst_and_most_changed_are_shown() -> None:
    """20 places: 7 largest, 7 worst, 6 most changed, in the order of labels."""
    merits = {"largest": SIZES, "worst": _peaks(*WORST), "most changed": _peaks(*CHANGED)}
    choice = choose_classes(1000, merits)
    assert choice.places == [*range(7), *WORST[:7], *CHANGED[:6]]
    assert choice.words == "20 of 1,000 classes: the 7 largest, the 7 worst, the 6 most changed"


def test_a_class_is_chosen_once() -> None:
    """One that is both large and bad counts as large, and the next worst one takes its place among the worst."""
    choice = choose_classes(1000, {"largest": SIZES, "worst": _peaks(3, *WORST, 508, 509)})
    assert choice.places == [*range(10), *WORST, 508, 509]
    assert len(set(choice.places)) == MOST_CLASSES


def test_of_equal_classes_the_first_are_chosen() -> None:
    """A figure does not depend on how a sort breaks ties."""
    assert choose_classes(50, {"largest": [5.0] * 50}).places == list(range(20))


def test_unknown_numbers_choose_nothing() -> None:
    """A class without test images has no F1: it is not the worst, and others take the places."""
    unknown: list[float | None] = [None] * 997 + [float("nan"), 0.5, 0.25]
    choice = choose_classes(1000, {"largest": SIZES, "worst": unknown})
    assert choice.places == [*range(18), 998, 999]
    assert choice.words == "20 of 1,000 classes: the 18 largest, the 2 worst"


@pytest.mark.parametrize(
    ("known", "words"),
    [(0, "20 of 1,000 classes: the 20 first"), (3, "20 of 1,000 classes: the 3 worst, the 17 first")],
)
def test_of_classes_without_numbers_the_first_are_shown(known: int, words: str) -> None:
    """Where each class has few images none may have a number; a table of them is not empty."""
    merit: list[float | None] = [None] * (1000 - known) + [1.0] * known
    choice = choose_classes(1000, {"worst": merit})
    assert choice.places == [*range(20 - known), *range(1000 - known, 1000)]
    assert choice.words == words


def test_one_class_of_a_reason_has_no_number() -> None:
    """A caption says "the worst", not "the 1 worst"."""
    choice = choose_classes(30, {"largest": [1.0] * 30, "worst": [None] * 29 + [1.0]})
    assert choice.words == "20 of 30 classes: the 19 largest, the worst"


def test_sizes_alone_choose_both_ends() -> None:
    """Where nothing but the numbers of images is known, the smallest classes are those to look at."""
    choice = by_size(SIZES)
    assert choice.places == [*range(10), *range(990, 1000)]
    assert choice.words == "20 of 1,000 classes: the 10 largest, the 10 smallest"
    assert choice.names([f"class {place}" for place in range(1000)])[-1] == "class 999"


def test_a_number_for_each_class_is_wanted() -> None:
    """Merits of another number of classes would show the wrong ones."""
    with pytest.raises(ValueError, match=r"\{'largest': 2\} numbers to choose by, want one for each of 3 classes"):
        choose_classes(3, {"largest": [1.0, 2.0]})
