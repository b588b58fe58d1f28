"""The protocol of `train_mixed`: what its arms have in common, and how intervals were made."""

from shared.store.records.base import Record


class MixedProtocol(Record):
    """What the arms have in common, and how intervals were made.

    `planned` is the number of replicates when an answer was first given, `added` how many came later. `fits` is that of
    each arm and replicate; `optimizer_steps` the recipe's, `most_steps` the cap of early stopping. `test_seen` says of
    imported synthetic images whether their generator may have seen the test images; it is None where halfreal trained
    the generator, which sees none. `test_files` counts by set the files that are held-out test images, if any are.
    `n_unlabelled` are the unlabelled real images, None without any.
    `resplit` is "all" where each replicate has a random split of its own, "train" where it has a subset of its own of
    one train split, None where all have the same; `test_over_train` is the number of test images over that of train
    images, where intervals are for other splits. `n_test` is the number in the replicate that has fewest,
    `n_test_most` in that which has most, where replicates differ.

    `until` is the half-width of the headline's interval, in shares of 1, that replicates were added until; None where
    their number was given, and then so are the next ones. `half_width` is what it is, `floor` what of it any number of
    replicates would leave. `stopped_for` is why no more were added, a word of `shared.stats.looks`, None while more
    are to come. `seen_replicates` is how many there were in an answer that was seen before under another rule, if any.
    `budget_minutes` is the time that epochs, width and replicates were chosen for; None where nothing was.
    """

    n_test: int
    n_val: int
    n_synthetic_usable: int
    min_confidence: float
    replicates: int
    planned: int
    added: int
    fits: int
    optimizer_steps: int
    most_steps: int
    patience: int
    split: str
    selection: str
    interval: str
    test_seen: bool | None = None
    test_files: dict[str, int] | None = None
    n_unlabelled: int | None = None
    resplit: str | None = None
    test_over_train: float | None = None
    n_test_most: int | None = None
    until: float | None = None
    half_width: float | None = None
    floor: float | None = None
    stopped_for: str | None = None
    seen_replicates: int | None = None
    budget_minutes: float | None = None

    @property
    def test_images(self) -> str:
        """How many test images there are: "360", or "351 to 366" where replicates differ."""
        most = "" if self.n_test_most is None else f" to {self.n_test_most:,}"
        return f"{self.n_test:,}{most}"

    @property
    def imported(self) -> bool:
        """Whether the synthetic images were imported rather than made by a generator of this experiment."""
        return self.test_seen is not None
