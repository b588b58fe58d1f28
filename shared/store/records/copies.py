"""What `evaluate` says of copies of training images."""

from shared.store.records.base import Interval, Record


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
