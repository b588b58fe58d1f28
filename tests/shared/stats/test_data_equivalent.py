"""Equivalent numbers of real images, by hand."""

import pytest

from shared.stats.data_equivalent import data_equivalent


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.7, (100, None)),
        (0.75, (316, None)),  # half way in accuracy is half way in log n: sqrt(100 * 1000)
        (0.8, (1000, None)),
        (0.81, (1000, "more")),
        (0.59, (10, "fewer")),
    ],
)
def test_equivalent_images_by_hand(value: float, expected: tuple[int, str | None]) -> None:
    """Read off linearly in log n between the points of the curve; beyond its ends it says so."""
    found = data_equivalent([10, 100, 1000], [0.6, 0.7, 0.8], value)
    assert (found["images"], found["beyond"]) == expected


def test_a_curve_that_dips_is_made_monotone() -> None:
    """More real images are never worth less: a dip by chance counts as the height before it."""
    assert data_equivalent([10, 100, 1000], [0.7, 0.6, 0.8], 0.7) == {"images": 10, "beyond": None}
