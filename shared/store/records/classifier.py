"""What `train_classifier` says of the annotator, and how well any classifier does."""

import re
from collections.abc import Iterator

from pydantic import model_validator as validator

from shared.store.records.base import Record


class ClassifierHeader(Record):
    """What the file of a classifier says: the spec that rebuilds it, the filter that brings images to its size."""

    spec: dict[str, object]
    resize_filter: str

    @property
    def input_format(self) -> tuple[int, str]:
        """The size of image that it wants, and the filter."""
        size_px = self.spec["size_px"]
        assert isinstance(size_px, int)  # checked when the header was read
        return size_px, self.resize_filter

    @validator(mode="after")
    def _has_a_size(self) -> "ClassifierHeader":
        if not isinstance(self.spec.get("size_px"), int):
            raise ValueError("spec has no size_px")
        return self


class ClassScore(Record):
    """How well the images of one class are recognised; `n` images truly are of it."""

    class_name: str
    precision: float
    recall: float
    f1: float
    n: int


WHOLE_CONFUSION = 20
"""Up to how many classes a confusion matrix is stored as a whole; of more, most of it is 0."""

CONFUSION_ROW = re.compile(r"(\d+:\d+( \d+:\d+)*)?", re.ASCII)
"""What was answered for the images of a class: the predicted class and how often, "3:12 5:1"."""


class ClassTable(Record):
    """How well a classifier does on `n` images: accuracy, macro means, a row for each class, the confusion matrix.

    Rows of `confusion` are true classes, columns predicted ones. Where there are more than WHOLE_CONFUSION classes,
    `confusion_rows` takes its place: for each true class the predicted ones with their counts, "3:12 5:1", those above
    0. Earlier versions stored the matrix of any number of classes as a whole. Where classes are combinations of several
    attributes, the rows of `classes` are the attributes, and the confusion is that of the combinations.
    """

    n: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    classes: list[ClassScore]
    confusion: list[list[int]] | None = None
    confusion_rows: list[str] | None = None

    def confused(self) -> Iterator[tuple[int, int, int]]:
        """Yield each true class, a class that was answered for its images, and how often, where that is above 0."""
        for true, row in enumerate(self.confusion or []):
            yield from ((true, named, count) for named, count in enumerate(row) if count)
        for true, cells in enumerate(self.confusion_rows or []):
            for cell in cells.split():
                named, _, count = cell.partition(":")
                yield true, int(named), int(count)

    def sizes(self) -> list[int]:
        """Return how many images truly are of each class of the confusion."""
        sizes = [0] * len(self.confusion_rows or self.confusion or [])
        for true, _, count in self.confused():
            sizes[true] += count
        return sizes

    def tracked_as(self, prefix: str) -> dict[str, float]:
        """Return the metrics of all classes by name, with a prefix."""
        return {f"{prefix}/{name}": getattr(self, name) for name in ("accuracy", "precision", "recall", "f1")}

    def brief(self) -> "ClassTable":
        """Return the table without the rows of more than WHOLE_CONFUSION classes, which follow from the confusion."""
        return self if len(self.classes) <= WHOLE_CONFUSION else self.model_copy(update={"classes": []})

    @validator(mode="after")
    def _has_a_confusion(self) -> "ClassTable":
        if (self.confusion is None) == (self.confusion_rows is None):
            raise ValueError("want either confusion or confusion_rows")
        for true, cells in enumerate(self.confusion_rows or []):
            if not CONFUSION_ROW.fullmatch(cells):
                raise ValueError(f"confusion_rows.{true} is {cells!r:.40}, want such as '3:12 5:1'")
        rows = len(self.confusion_rows or self.confusion or [])
        if any(named >= rows for _, named, _ in self.confused()):
            raise ValueError(f"a class was answered that is none of the {rows} with a row of confusion")
        return self


class CurveRow(Record):
    """A measurement on val while a classifier is fitted; losses in nats, the rest in [0, 1]."""

    step: int
    train_loss: float
    val_accuracy: float
    val_precision: float
    val_recall: float
    val_f1: float
    val_loss: float


class ClassifierRecord(Record):
    """The annotator: what it is, the size and the filter of the images that it sees, how it was fitted, how good.

    Where `classes` are the combinations of several `attributes`, the tables have a row for each attribute.
    """

    network: str
    size_px: int
    resize_filter: str
    classes: list[str]
    parameters: int
    best_step: int
    curve: list[CurveRow]
    val: ClassTable
    test: ClassTable
    attributes: list[str] | None = None

    def tracked(self) -> Iterator[tuple[dict[str, float], int | None]]:
        """Yield the curve by step, and how the classifier that was kept does on test, at its step."""
        for row in self.curve:
            yield row.model_dump(exclude={"step"}), row.step
        yield self.test.tracked_as("test"), self.best_step
