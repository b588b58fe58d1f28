"""What `evaluate` says of copies of training images."""

from shared.store.records.base import Interval, Record


class ClosestPair(Record):
    """A synthetic and a training image, by their places, and the distance between them."""

    synthetic: int
    train: int
    distance: float


class CopyTest(Record):
    """Whether synthetic images lie nearer to training images than new real ones do; see `metrics.copies.copy_test`."""

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
