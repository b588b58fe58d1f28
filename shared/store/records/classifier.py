"""What `train_classifier` says of the annotator, and how well any classifier does."""

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


class ClassTable(Record):
    """How well a classifier does on `n` images: accuracy, macro means, a row for each class, the confusion matrix.

    Rows of `confusion` are true classes, columns predicted ones.
    """

    n: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    classes: list[ClassScore]
    confusion: list[list[int]]


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
    """The annotator: what it is, the size and the filter of the images that it sees, how it was fitted, how good."""

    network: str
    size_px: int
    resize_filter: str
    classes: list[str]
    parameters: int
    best_step: int
    curve: list[CurveRow]
    val: ClassTable
    test: ClassTable
