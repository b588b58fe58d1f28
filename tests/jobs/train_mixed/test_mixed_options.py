"""The options of train_mixed that belong together."""

import pytest

from jobs.train_mixed.options import MixedOptions


@pytest.mark.parametrize("steps", [50, 600])
def test_the_cap_is_ten_times_the_steps(steps: int) -> None:
    """Early stopping may take ten times as many steps as the recipe says, and no more."""
    assert MixedOptions(steps=steps).most_steps == 10 * steps


def test_every_arm_has_the_same_patience_and_one_fit() -> None:
    """Unless it is told otherwise: one fit in each replicate, early stopping after 8 measurements in vain."""
    options = MixedOptions()
    assert (options.fits, options.patience) == (1, 8)
