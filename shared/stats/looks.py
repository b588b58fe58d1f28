"""When an experiment that adds replicates looks at its width, and why it ends. No import of numpy, for commands."""

import math
from collections.abc import Iterator

FIRST = 5
"""Replicates before the first look: variances estimated from fewer would end many experiments by chance."""

STRETCH = 1.2
"""What the reach of every interval of such an experiment is multiplied with: 95 % of them then hold the truth after it
has ended. Calibrated for the looks of `schedule` by `python -m tests.checks.coverage --until`."""

WIDTH, TEST_IMAGES, IMAGES = "width", "test images", "images"
"""Why the answers end an experiment: its interval is narrow enough; more test images alone could narrow it as much;
with random splits, more images of all kinds alone could."""

REPLICATES, MINUTES = BUDGETS = "replicates", "minutes"
"""What else ends one: the most replicates are made, or its time is over."""


def schedule(most: int) -> Iterator[int]:
    """Yield the numbers of replicates at which the width is looked at: 5, 7, 9, 12, 15, 19, 24, 30, ..., `most`.

    Each is a quarter more than the one before, rounded up, so that a step can be shared among cores. It depends on
    nothing else: looking more often would end experiments earlier, and on some machines more often than on others.
    """
    number = min(FIRST, most)
    while number < most:
        yield number
        number = min(number + math.ceil(number / 4), most)
    yield most


def following(replicates: int, most: int) -> int | None:
    """Return the number of replicates at the next look after that at `replicates`; None where `most` are made."""
    return next((number for number in schedule(most) if number > replicates), None)
