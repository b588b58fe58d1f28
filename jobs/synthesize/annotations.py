"""What is counted of annotated images, and the dataset that they make."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from shared.format.manifest import Dataset, ShardInfo
from shared.format.shards import join
from shared.store.artifacts import Artifact
from shared.store.records.base import Record
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.datasets import RealRecord, SyntheticRecord

CONFIDENCE_BINS = 20


@dataclass
class Annotations:
    """The label asked for, the annotator's label and its confidence of each image, in order.

    The label of an imported image that its set gives it counts as asked for. Where nothing is asked, of an
    unconditional generator or of images without labels, `asked_counts` and `agreement` of the record are None.
    """

    asked: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)

    def record(self, classes: int, labelled: bool, **origin: Any) -> SyntheticRecord:
        """Return what was counted; `labelled` says whether labels were asked for, `origin` where images are from."""
        sure, asked, given = (torch.tensor(column) for column in (self.confidence, self.asked, self.given))
        return SyntheticRecord(
            **origin,
            asked_counts=torch.bincount(asked, minlength=classes).tolist() if labelled else None,
            annotated_counts=torch.bincount(given, minlength=classes).tolist(),
            agreement=float((asked == given).double().mean()) if labelled else None,
            confidence_histogram=torch.histc(sure, CONFIDENCE_BINS, 0, 1).long().tolist(),
            confidence_median=float(sure.median()),
        )

    def facts(self) -> dict[str, Any]:
        """Return the columns by name, for the record of a shard."""
        return asdict(self)


class AnnotatedShard(Record):
    """What a part leaves of a shard: the shard, None if it has no image, and of each image what is counted."""

    shard: ShardInfo | None
    asked: list[int]
    given: list[int]
    confidence: list[float]


def joined(shards: list[AnnotatedShard]) -> Annotations:
    """Return the annotations of all shards, in order."""
    return Annotations(
        asked=[label for shard in shards for label in shard.asked],
        given=[label for shard in shards for label in shard.given],
        confidence=[sure for shard in shards for sure in shard.confidence],
    )


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
