"""The artifacts that the page shows, each with the record of its job."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs import pipeline
from shared.store.artifacts import Artifact, input_of
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.datasets import RealRecord, SyntheticRecord
from shared.store.records.gan import GanRecord
from shared.store.records.mixed import MixedRecord
from shared.store.records.scores import ScoresRecord
from shared.store.records.tune import TuneRecord


@dataclass(frozen=True)
class Artifacts:
    """The artifacts of an experiment; `tune` is None where nothing was tuned."""

    real: Artifact[RealRecord]
    classifier: Artifact[ClassifierRecord]
    gan: Artifact[GanRecord]
    scores: Artifact[ScoresRecord]
    synthetic: Artifact[SyntheticRecord]
    mixed: Artifact[MixedRecord]
    tune: Artifact[TuneRecord] | None

    @classmethod
    def of(cls, inputs: Mapping[str, Artifact]) -> "Artifacts":
        """Return the artifacts among `inputs`, which are by name."""
        return cls(
            real=input_of(inputs, pipeline.PREPROCESS),
            classifier=input_of(inputs, pipeline.TRAIN_CLASSIFIER),
            gan=input_of(inputs, pipeline.TRAIN_GAN),
            scores=input_of(inputs, pipeline.EVALUATE),
            synthetic=input_of(inputs, pipeline.SYNTHESIZE),
            mixed=input_of(inputs, pipeline.TRAIN_MIXED),
            tune=input_of(inputs, pipeline.TUNE) if pipeline.TUNE.writes in inputs else None,
        )
