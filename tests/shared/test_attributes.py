"""Labels of several attributes: a bit each, lowest first."""

import numpy as np
import pytest

from shared.attributes import (
    MOST,
    Combinations,
    attributes_in,
    bits_of,
    combinations,
    labels_of,
    presence_counts,
    several,
)
from shared.errors import BadConfig


def test_the_name_of_a_label_has_the_attributes_of_its_bits() -> None:
    """The lowest bit is the first attribute; without any the name is "none"."""
    assert combinations(["A", "B", "C"]) == ["none", "A", "B", "A+B", "C", "A+C", "B+C", "A+B+C"]


def test_bits_and_labels_are_each_others_inverse() -> None:
    """Each label of three attributes, in any shape."""
    labels = np.arange(8).reshape(2, 4)
    bits = bits_of(labels, 3)
    assert bits[1, 2].tolist() == [0, 1, 1]  # 6
    assert labels_of(bits == 1).tolist() == labels.tolist()


def test_images_with_and_without_an_attribute_are_counted_over_combinations() -> None:
    """There are 5 images of "none", 1 of A, 2 of B, 4 of A+B."""
    assert presence_counts([5, 1, 2, 4], 2) == [(7, 5), (6, 6)]


def test_the_number_of_combinations_is_a_number_of_classes() -> None:
    """Plain classes are combinations of nothing."""
    assert Combinations(3) == 8
    assert (attributes_in(Combinations(3)), attributes_in(8)) == (3, 0)


@pytest.mark.parametrize("text", [None, "", "Young", " Young ,"])
def test_one_name_is_a_plain_label(text: str | None) -> None:
    """Only two names or more are attributes."""
    assert several(text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [("A,B,A", "names A twice"), (",".join(map(str, range(MOST + 1))), "2,048 combinations; want at most 10")],
)
def test_attributes_that_cannot_be_are_refused(text: str, said: str) -> None:
    """The message says what came and what was wanted."""
    with pytest.raises(BadConfig, match=said):
        several(text)


def test_several_names_lose_their_spaces() -> None:
    """As people type lists."""
    assert several("Young, Smiling,Male") == ("Young", "Smiling", "Male")
