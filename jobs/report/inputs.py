"""The artifacts that the page shows, each with the record of its job."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat

from jobs import pipeline
from shared.store.artifacts import Artifact, input_of, inputs_of
from shared.store.lineage import need_test_scores
from shared.store.records.classifier import ClassifierRecord
from shared.store.records.datasets import RealRecord, SyntheticRecord
from shared.store.records.gan import GanRecord
from shared.store.records.mixed import MixedRecord
from shared.store.records.scores import OnTest, ScoresRecord
from shared.store.records.tune import TuneRecord
from shared.store.replicates import best_on_val, replicate_name, why_shown


@dataclass(frozen=True)
class Replicate:
    """The artifacts of one replicate; `gan` is None where its images were imported."""

    classifier: Artifact[ClassifierRecord]
    gan: Artifact[GanRecord] | None
    scores: Artifact[ScoresRecord]
    synthetic: Artifact[SyntheticRecord]


@dataclass(frozen=True)
class Artifacts:
    """The artifacts of an experiment; `tune` is None where nothing was tuned.

    Numbers on the page are of all `replicates`; pictures are those of one, number `best`: the best on
    val, the first where images were imported.
    """

    real: Artifact[RealRecord]
    replicates: list[Replicate]
    best: int
    mixed: Artifact[MixedRecord]
    tune: Artifact[TuneRecord] | None

    @property
    def shown(self) -> Replicate:
        """The replicate whose pictures are on the page."""
        return self.replicates[self.best]

    @property
    def shown_words(self) -> str:
        """Which replicate is shown, in words."""
        count = len(self.replicates)
        if count == 1:
            return "the only replicate"
        why = why_shown([one.scores.record for one in self.replicates])
        return f"replicate {replicate_name(self.best)} of {count}, {why}"

    @property
    def on_test(self) -> list[OnTest]:
        """The scores on test of each replicate; BadInput where they were scored on val alone."""
        return [need_test_scores(replicate.scores) for replicate in self.replicates]

    @classmethod
    def of(cls, inputs: Mapping[str, Artifact]) -> "Artifacts":
        """Return the artifacts among `inputs`, which are by place below the experiment."""
        scores = inputs_of(inputs, pipeline.EVALUATE)
        gans: list[Artifact[GanRecord]] = inputs_of(inputs, pipeline.TRAIN_GAN)
        made = zip(
            inputs_of(inputs, pipeline.TRAIN_CLASSIFIER),
            gans or repeat(None, len(scores)),
            scores,
            inputs_of(inputs, pipeline.SYNTHESIZE),
            strict=True,
        )
        return cls(
            real=input_of(inputs, pipeline.PREPROCESS),
            replicates=[Replicate(*artifacts) for artifacts in made],
            best=best_on_val({number: artifact.record for number, artifact in enumerate(scores)}),
            mixed=input_of(inputs, pipeline.TRAIN_MIXED),
            tune=input_of(inputs, pipeline.TUNE) if pipeline.TUNE.writes in inputs else None,
        )
