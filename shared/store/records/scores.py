"""What `evaluate` says of a GAN's snapshots."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler
from pydantic import model_serializer as serializer
from pydantic import model_validator as validator

from shared.store.records.base import FlatRecord, Record
from shared.store.records.copies import CopyTest
from shared.store.records.gan import Snapshot
from shared.store.records.membership import MembershipTest

BY_CLASS = "_by_class"

COLLAPSE = "mode collapse: "
"""How a warning begins that says that a generator collapsed."""

LITTLE_VARIETY = "little variety: "
"""How it begins where the images were imported: whether a generator collapsed, or drew them at all, is not known."""


OLD_CLASS_SCORE = re.compile(r"^inception_score_(?!inception_)")
"""How earlier versions called the class score: as the score that only Inception gives."""


def current_name(name: str) -> str:
    """Return what a score is called today that earlier versions stored as `name`."""
    return OLD_CLASS_SCORE.sub("class_score_", name)


class Protocol(Record):
    """What a score depends on: n, reference and its hash, extractor and its hash, resizer, quantisation, seed.

    Scores of different protocols must not be compared. `unpublished` is true for weights that nobody published, as
    tests make them.
    """

    extractor: str
    extractor_sha256: str
    resizer: str
    quantisation: str = "uint8, rounded half to even"
    reference: str
    reference_sha256: str
    n_real: int
    n_synthetic: int
    seed: int
    unpublished: bool | None = None


class ClassQualities(Record):
    """Diversity, sharpness and contrast of a class's images, their ratios to the real images' own, the category.

    None where there are too few images, or a real value is 0.
    """

    class_name: str
    qualities: dict[str, float] | None
    ratios: dict[str, float] | None
    category: str | None


class Scores(FlatRecord):
    """Scores by name, `<score>_<extractor>`; `by_class` has those of each class, by the name of the score.

    In JSON the latter are called `<score>_<extractor>_by_class`.
    """

    flat: ClassVar[str] = "scores"

    scores: dict[str, float]
    by_class: dict[str, dict[str, float]] = Field(default_factory=dict)

    @validator(mode="before")
    @classmethod
    def _gather_classes(cls, fields: object) -> object:
        if not isinstance(fields, dict) or "by_class" in fields:
            return fields
        fields = {current_name(name): value for name, value in fields.items()}
        by_class = {name: value for name, value in fields.items() if name.endswith(BY_CLASS)}
        others = {name: value for name, value in fields.items() if name not in by_class}
        return others | {"by_class": {name.removesuffix(BY_CLASS): value for name, value in by_class.items()}}

    @serializer(mode="wrap")
    def _stored(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, Any] = super()._stored(dump)
        return fields | {f"{name}{BY_CLASS}": value for name, value in fields.pop("by_class").items()}

    def joined(self, other: "Scores") -> "Scores":
        """Return these scores and others."""
        return Scores(scores=self.scores | other.scores, by_class=self.by_class | other.by_class)


class SampleScores(Scores):
    """Scores, how often the annotator agrees with the class asked for (None if none is), and qualities by class."""

    agreement: float | None
    classes: list[ClassQualities]


class SnapshotScores(SampleScores, Snapshot):
    """A snapshot and its scores on val."""

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot alone."""
        return Snapshot(file=self.file, epoch=self.epoch, images_seen=self.images_seen)


class PrintedScores(SampleScores):
    """What `evaluate snapshot` prints of a snapshot that is in no manifest yet; `score` is what would choose it."""

    epoch: int
    score: str

    @property
    def value(self) -> float:
        """The score that would choose it."""
        return self.scores[self.score]


class LossIndicator(Record):
    """The smoothed generator loss at the end of training, and what it is called."""

    smoothed_generator_loss: float
    category: str


class SyntheticOnly(Record):
    """How a classifier does on real images that was trained on synthetic ones alone."""

    accuracy: float
    f1: float
    n_real: int
    n_synthetic: int
    steps: int
    seed: int
    reference: str = ""


class TrainReference(Scores):
    """Distances of the chosen snapshot to the train images, which its generator learned from, with their protocols.

    Papers on GANs print these. They say less than those on test: images that repeat the train images score best.
    """

    protocols: dict[str, Protocol]

    def with_more(self, other: "TrainReference") -> "TrainReference":
        """Return these scores and others."""
        return TrainReference(scores=self.scores | other.scores, protocols=self.protocols | other.protocols)


class OnTest(Record):
    """The chosen snapshot on test, drawn from fresh latents, and real train images scored alike.

    `train_reference` has the former against train, `membership` the test of each space; earlier versions had neither,
    and the latter is None for too few images.
    """

    test: SampleScores
    real: Scores
    copies: dict[str, CopyTest]
    test_protocols: dict[str, Protocol]
    n_train_looked_at: int
    warnings: list[str]
    train_reference: TrainReference | None = None
    membership: dict[str, MembershipTest] | None = None

    @property
    def learned(self) -> str:
        """What the real images are called that the generator learned from: "train", or "train and unlabelled"."""
        reference = self.train_reference
        return next((used.reference for used in reference.protocols.values()), "train") if reference else "train"

    @validator(mode="after")
    def _complete(self) -> "OnTest":
        for name in self.real.scores:
            if name not in self.test.scores:
                raise ValueError(f"test has no {name}, which real has")
        if "pixels" not in self.copies:
            raise ValueError("copies has no 'pixels'")
        return self


class ScoresRecord(Record):
    """The score of every snapshot on val, the one that was chosen by them, and what it scores on test.

    `on_test` is None where the reference was val: then nothing of test was read. `left_out` says why an extractor was.
    `fallback` is the extractor that was asked to choose and could not, for want of its weights. Imported images have no
    snapshots: `rows` is empty, nothing is chosen, and `chosen_score` is the first of their scores.
    """

    rows: list[SnapshotScores]
    chosen: Snapshot | None = None
    chosen_score: str
    chosen_by: str
    worst: Snapshot | None = None
    loss_indicators: dict[str, LossIndicator] | None
    protocol: Protocol
    left_out: dict[str, str]
    fallback: str | None = None
    synthetic_only: SyntheticOnly | None = None
    on_test: OnTest | None = None

    def tracked(self) -> Iterator[tuple[dict[str, float], int | None]]:
        """Yield the scores on val by epoch, and those on test at the epoch that was chosen."""
        for row in self.rows:
            yield row.scores, row.epoch
        if self.on_test is not None:
            scores = {f"test/{name}": value for name, value in self.on_test.test.scores.items()}
            yield scores, self.chosen.epoch if self.chosen else None

    @property
    def extractor(self) -> str:
        """The name of the extractor whose distance chose the snapshot."""
        return self.chosen_score.split("_", 1)[1]

    @property
    def imported(self) -> bool:
        """Whether the images were imported, so that there is no snapshot."""
        return self.chosen is None

    @property
    def chosen_snapshot(self) -> Snapshot:
        """The snapshot that was chosen; ValueError for imported images, which have none."""
        return _there(self.chosen)

    @property
    def worst_snapshot(self) -> Snapshot:
        """The snapshot with the worst score on val; ValueError for imported images, which have none."""
        return _there(self.worst)

    @property
    def curve(self) -> list[tuple[int, float]]:
        """The score that chose, by epoch."""
        return self.curve_of(self.chosen_score)

    def curve_of(self, score: str) -> list[tuple[int, float]]:
        """Return a score that every snapshot has, by epoch."""
        return [(row.epoch, row.scores[score]) for row in self.rows]

    @property
    def other_fid(self) -> str | None:
        """The FID that every snapshot has although another score chose, as where its weights came later; else None."""
        named = [
            name
            for row in self.rows[:1]
            for name in row.scores
            if name.startswith("fid_") and name != self.chosen_score
        ]
        return next((name for name in named if all(name in row.scores for row in self.rows)), None)

    @validator(mode="before")
    @classmethod
    def _gather_test(cls, fields: object) -> object:
        if not isinstance(fields, dict) or "on_test" in fields or "test" not in fields:
            return fields
        return fields | {"on_test": {name: fields[name] for name in OnTest.model_fields if name in fields}}

    @validator(mode="after")
    def _snapshots_or_none(self) -> "ScoresRecord":
        if len({bool(self.rows), self.chosen is not None, self.worst is not None}) > 1:
            raise ValueError("want rows with a chosen and a worst snapshot, or none of the three")
        if self.chosen is None and self.on_test is None:
            raise ValueError("imported images have scores on test alone, and there are none")
        return self

    @validator(mode="after")
    def _chosen_score_is_there(self) -> "ScoresRecord":
        places: dict[str, Scores] = {f"rows.{number}": row for number, row in enumerate(self.rows)}
        if self.on_test is not None:
            places |= {"test": self.on_test.test, "real": self.on_test.real}
        lacking = [place for place, scores in places.items() if self.chosen_score not in scores.scores]
        if lacking:
            raise ValueError(f"{lacking[0]} has no {self.chosen_score}, which chose the snapshot")
        if self.on_test is not None and self.chosen_score not in self.on_test.test.by_class:
            raise ValueError(f"test has no {self.chosen_score}{BY_CLASS}")
        if self.on_test is not None and self.extractor not in self.on_test.test_protocols:
            raise ValueError(f"test_protocols has no {self.extractor}")
        return self

    @serializer(mode="wrap")
    def _stored(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, Any] = super()._stored(dump)
        on_test: dict[str, object] = fields.pop("on_test", {})
        return fields | on_test


def _there(snapshot: Snapshot | None) -> Snapshot:
    if snapshot is None:
        raise ValueError("imported images have no snapshot")
    return snapshot
