"""What `train_classifier` says of the annotator, and how well any classifier does."""

from shared.store.records.base import Record


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
