"""What is counted of annotated images, and the dataset that they make."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from shared.format.manifest import Dataset, ShardInfo
from shared.format.shards import join
from shared.store.artifacts import Artifact
from shared.store.records.base import Record
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.datasets import RealRecord, SyntheticRecord
from shared.store.work_shards import WorkShards

CONFIDENCE_BINS = 20

CONFIDENCE = "confidence"
"""The column of a piece with the confidence of each image, float32."""


class AnnotatedShard(Record):
    """What a part leaves of a shard: the shard, None if it has no image, and what is counted of its images.

    Counts are by class, of those that occur; `agreeing` images have the label that was asked for, images of the class
    asked for in `dropped` were drawn and dropped since they had another one. The histogram has equal bins over
    confidences from 0 to 1. `confidence` is the sha256 of the column with that of each image.
    """

    shard: ShardInfo | None
    asked: dict[str, int]
    given: dict[str, int]
    agreeing: int
    dropped: dict[str, int] = Field(default_factory=dict)
    histogram: list[int]
    confidence: str


class Tally:
    """Counts of annotated images, by label asked for and label given, and their confidences: 4 bytes an image.

    The label of an imported image that its set gives it counts as asked for. Where nothing is asked, of an
    unconditional generator or of images without labels, `asked_counts` and `agreement` of the record are None.
    """

    def __init__(self, classes: int) -> None:
        self.asked, self.given, self.dropped = (np.zeros(classes, np.int64) for _ in range(3))
        self.agreeing, self.histogram = 0, np.zeros(CONFIDENCE_BINS, np.int64)
        self.confidence: list[NDArray[np.float32]] = []

    @property
    def images(self) -> int:
        """How many images are counted."""
        return int(self.given.sum())

    def add(self, asked: Tensor | None, given: Tensor, confidence: Tensor) -> None:
        """Count images: labels int64 (N,), None where none is asked for, and confidence float32 (N,)."""
        if asked is not None:
            self.asked += np.bincount(asked.numpy(), minlength=len(self.asked))
            self.agreeing += int((asked == given).sum())
        self.given += np.bincount(given.numpy(), minlength=len(self.given))
        self.histogram += torch.histc(confidence, CONFIDENCE_BINS, 0, 1).long().numpy()
        self.confidence.append(confidence.numpy())

    def drop(self, asked: Tensor) -> None:
        """Count images that were drawn and dropped, by the labels asked for, int64 (N,)."""
        self.dropped += np.bincount(asked.numpy(), minlength=len(self.dropped))

    def stored(self, pieces: WorkShards, number: int) -> dict[str, Any]:
        """Store the confidences as the column of a piece; return the fields of its record, but for the shard."""
        payload = b"".join(each.astype("<f4").tobytes() for each in self.confidence)
        return {
            "asked": _sparse(self.asked),
            "given": _sparse(self.given),
            "agreeing": self.agreeing,
            "dropped": _sparse(self.dropped),
            "histogram": self.histogram.tolist(),
            "confidence": pieces.write_column(number, CONFIDENCE, payload),
        }

    def record(self, labelled: bool, **origin: Any) -> SyntheticRecord:
        """Return what was counted; `labelled` says whether labels were asked for, `origin` where images are from."""
        sure = np.concatenate(self.confidence)
        middle = (len(sure) - 1) // 2  # the lower one of an even number, as torch's median
        return SyntheticRecord(
            **origin,
            asked_counts=self.asked.tolist() if labelled else None,
            annotated_counts=self.given.tolist(),
            agreement=self.agreeing / self.images if labelled else None,
            confidence_histogram=self.histogram.tolist(),
            confidence_median=float(np.partition(sure, middle)[middle]),
        )


def joined(pieces: WorkShards, shards: list[AnnotatedShard], classes: int) -> Tally:
    """Return the counts of all shards together."""
    tally = Tally(classes)
    for number, shard in enumerate(shards):
        counted = ((tally.asked, shard.asked), (tally.given, shard.given), (tally.dropped, shard.dropped))
        for counts, added in counted:
            for label, count in added.items():
                counts[int(label)] += count
        tally.agreeing += shard.agreeing
        tally.histogram += np.array(shard.histogram)
        column = pieces.read_column(number, CONFIDENCE, shard.confidence)
        tally.confidence.append(np.frombuffer(column, "<f4"))
    return tally


def _sparse(counts: NDArray[np.int64]) -> dict[str, int]:
    """Return the counts that are not 0 by label, as JSON has it."""
    return {str(label): int(counts[label]) for label in np.flatnonzero(counts)}


def dataset_of(
    shards: list[AnnotatedShard],
    real: Artifact[RealRecord],
    annotator: Artifact[ClassifierRecord],
    preparation: dict[str, object],
) -> Dataset:
    """Return the description of the dataset: images of the annotator's size, brought there by its own filter."""
    info, size_px = real.dataset, annotator.record.size_px
    written = [shard.shard for shard in shards if shard.shard is not None]
    return Dataset(
        classes=info.classes,
        attributes=info.attributes,
        size_px=size_px,
        channels=info.channels,
        preparation=preparation
        | {
            "resize_filter": annotator.record.resize_filter,
            "resizer": "Pillow" if size_px != info.size_px else "none needed",
            "quantisation": "uint8, rounded half to even",
        },
        splits={"train": join(written, len(info.classes))},
    )
