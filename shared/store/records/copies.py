"""What `evaluate` says of copies of training images."""

from collections.abc import Mapping, Sequence

from shared.store.records.base import Interval, Record

SHARE_OF_COPIES, NEARER = "share of copies", "nearer to train"
"""What a set of images can be flagged for."""

ALPHA = 0.01
"""The share of honest generators that the test of shares flags, at most, over all that it looks at in one space."""

TESTS = 4
"""Tests of shares in one space: of two numbers of an image, each at two ranks."""

MOST_TRAIN = 500
"""Training images, at most, whose nearest other training images are searched for."""


class ClosestPair(Record):
    """A synthetic and a training image, by their places, and the distance between them.

    `transform` says in words what the synthetic image is of the other, such as "mirrored"; None where it is neither
    mirrored nor shifted, and in features.
    """

    synthetic: int
    train: int
    distance: float
    transform: str | None = None


class CopyTest(Record):
    """Whether synthetic images lie nearer to training images than new real ones do; see `metrics.copies.compared`.

    Earlier versions had none of the fields from `transforms` on, compared distances as they are, and flagged a copy
    rate above 2 %.
    """

    n_synthetic: int
    n_held_out: int
    n_train: int
    nearer: float
    nearer_low: float
    nearer_high: float
    copy_rate: float
    copy_rate_interval: Interval
    expected_copy_rate: float
    memorisation: float
    memorisation_held_out: float
    closest: list[ClosestPair]
    flagged: bool
    transforms: list[str] | None = None
    flagged_for: list[str] | None = None
    p_value: float | None = None
    nearer_limit: float | None = None
    least_share: float | None = None

    @property
    def spared(self) -> bool:
        """Whether images are nearer to train than held-out ones, as of copies, but training images to each other, too.

        Then held-out images are of another kind, other persons say, and nothing follows.
        """
        return not self.flagged and self.nearer_limit is not None and self.nearer_low > self.nearer_limit


def spaces_with_copies(tests: Sequence[Mapping[str, CopyTest]]) -> list[str]:
    """Return the spaces in which an experiment is shown to have copies, from the tests of each replicate by space.

    A test flags up to `ALPHA` of honest sets, so that one of ten tests flags in up to ten times as many experiments.
    So p values are multiplied by the number of tests (Bonferroni: replicates share their held-out images and are not
    independent). What is nearer to train is flagged far beyond what honest sets reach, few or many.
    """
    looks = sum(map(len, tests))
    return list(dict.fromkeys(space for found in tests for space, test in found.items() if _is_shown(test, looks)))


def _is_shown(test: CopyTest, looks: int) -> bool:
    if test.p_value is None:  # an earlier version tested otherwise
        return test.flagged
    return NEARER in (test.flagged_for or []) or test.p_value * looks < ALPHA
