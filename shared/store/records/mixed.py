"""What `train_mixed` says: every fit, a line for each arm, the answers to the questions, where the variance is from."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic import model_validator as validator

from shared.store.records.base import FlatRecord, Record
from shared.store.records.classifier import ClassTable
from shared.store.records.mixed_protocol import MixedProtocol

Point = Annotated[tuple[int, float], Field(strict=False)]
"""A number of real images and the accuracy that they give; JSON has them as a list."""

HELPED, HURT, NO_EFFECT, COPIES, TEST_SEEN = "helped", "hurt", "no effect shown", "copies", "not held out"
"""The outcomes of an answer: the interval is above 0, below 0, or holds 0. COPIES takes the place of HELPED where the
synthetic images of any replicate are flagged as copies of training images: the gain is there, but says nothing of new
images. TEST_SEEN takes it where the generator of imported images may have seen the test images."""


class FitRow(Record):
    """One classifier: its arm, its replicate and fit, its training set, how it does on test.

    `best_step` is the step of the weights that were kept, `stopped_at` the last one taken. `equal_steps_accuracy` is
    that of the best weights within the recipe's number of steps, the same for every arm. `n_pseudo` are the unlabelled
    images with the annotator's labels, None in arms without.
    """

    arm: str
    replicate: int
    fit: int
    seed: int
    n_real: int
    n_synthetic: int
    best_step: int
    stopped_at: int
    equal_steps_accuracy: float
    test: ClassTable
    n_pseudo: int | None = None


class FitsRecord(Record):
    """The fits of one replicate: a row for each arm and fit; their answers are in the files of the artifact."""

    rows: list[FitRow] = Field(min_length=1)
    n_val: int
    n_synthetic_usable: int
    n_unlabelled: int | None = None

    def tracked(self) -> Iterator[tuple[dict[str, float], int | None]]:
        """Yield how each arm does on test, fit by fit."""
        for row in self.rows:
            yield row.test.tracked_as(f"{row.arm}/test"), row.fit


class Information(Record):
    """Which shares of the real train images, with their labels, an arm's networks saw: 0 where there is no network.

    Where there are unlabelled images, the last two are the shares of these; None where there are none.
    """

    classifier: float
    generator: float
    annotator: float
    classifier_unlabelled: float | None = None
    generator_unlabelled: float | None = None

    @property
    def seen(self) -> tuple[float, float]:
        """The shares of the real images and of the unlabelled ones that reached the arm by any way.

        A smaller share is part of a larger one.
        """
        labelled = max(self.classifier, self.generator, self.annotator)
        return labelled, max(self.classifier_unlabelled or 0.0, self.generator_unlabelled or 0.0)


class Estimate(Record):
    """A metric in [0, 1]: mean over replicates, standard deviation (None of one), their values, 95 % interval."""

    mean: float
    std: float | None
    values: list[float]
    low: float
    high: float


class OptionalEstimate(Record):
    """A metric in [0, 1] that may be undefined: mean over replicates, standard deviation, their values, 95 % interval.

    A value is None where the metric is undefined in a replicate: precision of a class that no answer names, recall of
    one without a test image, the area under the ROC curve where all test images are of one class. The mean is that of
    the others, None without any. Standard deviation and interval are None where any value is: replicates that happen
    to be defined are no sample of all. The interval is None, too, where a metric of all classes would be undefined
    without one of the images: nothing says how much that image brings.
    """

    mean: float | None
    std: float | None
    values: list[float | None]
    low: float | None
    high: float | None


class ArmClass(Record):
    """How an arm's classifiers do on one class, of which there are `n` test images."""

    class_name: str
    n: int
    precision: OptionalEstimate
    recall: OptionalEstimate
    f1: OptionalEstimate


class ArmRow(FlatRecord):
    """An arm: what it is trained on, what its networks saw, and every metric on test by name, of all and by class.

    `metrics` are macro means over classes, where a class that no answer names has a precision of 0. `positive_class`
    is the second of two classes, that which the ROC-AUC ranks, None of more. Earlier versions had no `classes`.
    `n_real` and `n_synthetic` are the numbers in the replicate that has fewest, `..._most` those in the replicate that
    has most, where they differ. So do `n_pseudo` and `n_pseudo_most` of unlabelled images with the annotator's labels,
    None in arms without.
    """

    flat: ClassVar[str] = "metrics"
    takes: ClassVar[type | tuple[type, ...]] = (dict, Record)

    arm: str
    about: str
    n_real: int
    n_synthetic: int
    information: Information
    metrics: dict[str, Estimate | OptionalEstimate]
    classes: list[ArmClass] | None = None
    positive_class: str | None = None
    n_synthetic_most: int | None = None
    n_real_most: int | None = None
    n_pseudo: int | None = None
    n_pseudo_most: int | None = None

    @property
    def accuracy(self) -> Estimate:
        """The share of test images whose class is right."""
        found = self.metrics["accuracy"]
        assert isinstance(found, Estimate)
        return found

    @validator(mode="after")
    def _has_accuracy(self) -> "ArmRow":
        if not isinstance(self.metrics.get("accuracy"), Estimate):
            raise ValueError(f"arm {self.arm} has no accuracy")
        return self


class EqualSteps(Record):
    """The same difference where every arm takes the recipe's number of steps: the control of early stopping."""

    difference: float
    low: float
    high: float


class Answer(Record):
    """The metric of arm `a` less that of arm `b`: interval at `level`, outcome, in words.

    Differences are shares of 1. `values` has one for each replicate. `detectable` is the difference that an experiment
    like this one would find four times in five: it says how strong the experiment is, and bounds nothing. `warnings`
    are whole sentences to be read first, `sentence` is the answer without them; where it is not like for like, it
    begins by saying so. `freedom` are the degrees of freedom of Student's t in the interval,
    which earlier versions did not keep. `needs_test_images` is about how many test images an interval as narrow as was
    asked for takes, where only more of them can bring it.
    """

    question: str
    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    level: float
    outcome: str
    detectable: float
    replicates: int
    like_for_like: bool
    warnings: list[str]
    values: list[float]
    equal_steps: EqualSteps
    sentence: str
    freedom: float | None = None
    needs_test_images: int | None = None

    @property
    def text(self) -> str:
        """The warnings, then the answer."""
        return " ".join([*self.warnings, self.sentence])

    def headline_facts(self) -> dict[str, object]:
        """Return a headline as scripts get it: `needs_test_images` is null, not absent, where it does not apply."""
        return self.facts() | {"needs_test_images": self.needs_test_images}


class Variance(Record):
    """Shares of the variance of the headline's difference that come from generators, fits and test images.

    `images` is what more replicates on the same test set would leave, the others what they would lower. The shares add
    up to 1; all are None where the experiment cannot tell.
    """

    generator: float | None
    fit: float | None
    images: float | None


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


def _with_interval(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}/low": low, f"{name}/high": high}


class MixedRecord(Record):
    """The experiment: the same classifier on real, mixed and synthetic images, and the verdict.

    `headline` answers the primary question, `questions` the others that were fixed beforehand and whose arms were
    trained. `first` is what a page shows first: "headline", or "original" for the published 70/30 design.
    `train_counts` and `synthetic_counts` are images by class: of the real train split, and of all labels that synthetic
    images have over all replicates. Where classes are combinations of several `attributes`, arms have a row for each
    attribute in place of each class.
    """

    rows: list[FitRow]
    arms: list[ArmRow]
    headline: Answer | None
    questions: list[Answer]
    first: str
    variance: Variance | None
    worth: list[ArmDataEquivalent]
    majority_baseline: float
    copies_flagged: list[str]
    train_counts: list[int]
    synthetic_counts: list[int]
    protocol: MixedProtocol
    attributes: list[str] | None = None

    def tracked(self) -> Iterator[tuple[dict[str, float], int | None]]:
        """Yield the accuracy of each arm, and each answer's difference, with their intervals."""
        for arm in self.arms:
            accuracy = arm.accuracy
            yield _with_interval(f"{arm.arm}/accuracy", accuracy.mean, accuracy.low, accuracy.high), None
        for answer in [*([self.headline] if self.headline else []), *self.questions]:
            name = f"{answer.a}_less_{answer.b}/{answer.metric}"
            yield _with_interval(name, answer.difference, answer.low, answer.high), None

    @property
    def top(self) -> Answer | None:
        """The answer that a page begins with: the original design's where that is first, else the headline's."""
        original = [answer for answer in self.questions if (answer.a, answer.b) == ORIGINAL]
        if self.first == "original" and original:
            return original[0]
        return self.headline or next(iter(self.questions), None)

    def arm(self, name: str) -> ArmRow:
        """Return the line of the arm `name`."""
        return next(row for row in self.arms if row.arm == name)


ORIGINAL = ("synthetic_70_real_30", "real_30")
"""The arms of the published 70/30 design."""
