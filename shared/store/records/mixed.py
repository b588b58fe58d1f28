"""What `train_mixed` says: every fit, a line for each arm, the comparisons between them."""

from typing import Annotated, ClassVar

from pydantic import Field
from pydantic import model_validator as validator

from shared.store.records.base import FlatRecord, Record
from shared.store.records.classifier import ClassTable

Point = Annotated[tuple[int, float], Field(strict=False)]
"""A number of real images and the accuracy that they give; JSON has them as a list."""


class FitRow(Record):
    """One classifier: its arm, its seed, its training set, how it does on test."""

    arm: str
    seed: int
    n_real: int
    n_synthetic: int
    best_step: int
    test: ClassTable


class Estimate(Record):
    """A metric in [0, 1]: mean over seeds, standard deviation (None with one seed), its values, 95 % interval."""

    mean: float
    std: float | None
    min: float
    max: float
    values: list[float]
    low: float
    high: float


class ArmRow(FlatRecord):
    """An arm: what it is trained on, and every metric on test by name."""

    flat: ClassVar[str] = "metrics"
    takes: ClassVar[type | tuple[type, ...]] = (dict, Record)

    arm: str
    about: str
    n_real: int
    n_synthetic: int
    metrics: dict[str, Estimate]

    @property
    def accuracy(self) -> Estimate:
        """The share of test images whose class is right."""
        return self.metrics["accuracy"]

    @validator(mode="after")
    def _has_accuracy(self) -> "ArmRow":
        if "accuracy" not in self.metrics:
            raise ValueError(f"arm {self.arm} has no accuracy")
        return self


class Comparison(Record):
    """The accuracy of arm `a` less that of arm `b`: interval, outcome, tests, in words.

    p values with `_holm` are corrected for the number of comparisons.
    """

    a: str
    b: str
    question: str
    difference: float
    low: float
    high: float
    outcome: str
    p_mcnemar: float
    p_permutation: float
    n_test: int
    seeds: int
    sentence: str
    p_mcnemar_holm: float
    p_permutation_holm: float


class RealImages(Record):
    """A number of real images read off the learning curve; `beyond` is "more" or "fewer" outside of the curve."""

    images: int
    beyond: str | None


class ArmDataEquivalent(Record):
    """An arm's data equivalent: how many real images give its accuracy and its bounds, and the learning curve."""

    arm: str
    n_real: int
    effective: RealImages
    effective_low: RealImages
    effective_high: RealImages
    curve: list[Point] = Field(min_length=1)


class MixedProtocol(Record):
    """What the arms have in common, and how intervals were made."""

    n_test: int
    n_val: int
    n_synthetic_usable: int
    min_confidence: float
    seeds: list[int]
    optimizer_steps: int
    split: str
    selection: str
    interval: str
    compared: str


class MixedRecord(Record):
    """The experiment: the same classifier on real, mixed and synthetic images, and the verdict."""

    rows: list[FitRow]
    arms: list[ArmRow]
    comparisons: list[Comparison]
    worth: list[ArmDataEquivalent]
    majority_baseline: float
    protocol: MixedProtocol
