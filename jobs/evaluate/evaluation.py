"""What an evaluation works with: the real images of an experiment, its extractors, its snapshots' images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from jobs.evaluate.images import SnapshotImages, SyntheticImages
from jobs.pipeline import PREPROCESS
from shared.cli.run import Run
from shared.data.decoded.plan import memory_plan
from shared.data.images import Images, learned_splits, load_split
from shared.data.pixels import Pixels
from shared.data.sampling import apportion, spread, stratified
from shared.errors import BadInput, MissingArtifact
from shared.metrics.features import cache as feature_cache
from shared.metrics.pixels import Qualities, class_qualities, compared
from shared.metrics.scorer import Scorer
from shared.models.extractor import FeatureSet
from shared.models.pretrained.weights import MISSING, fetch_command, missing
from shared.models.tables import EXTRACTORS
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream
from shared.store.artifacts import Artifact
from shared.store.records.gan import GeneratorRecord
from shared.store.records.scores import Protocol, SampleScores, Scores

FEWEST = 4


@dataclass(frozen=True)
class Plan:
    """The options of an evaluation: images per score, extractors of all snapshots and of the chosen one, the seed.

    `reference` is the split that the chosen snapshot is scored on; with `synthetic_only` a classifier is trained on
    its images and measured there too. `fallback` chooses where the weights of the first of `per_snapshot` are missing;
    so it does where it is `settled` that finished replicates were chosen by it.
    """

    images: int
    per_snapshot: tuple[str, ...]
    extractors: tuple[str, ...]
    seed: int
    reference: str = "test"
    synthetic_only: bool = False
    fallback: str = "classifier"
    settled: bool = False

    @property
    def choosers(self) -> tuple[str, ...]:
        """The extractors that may choose, the first that is there does; the classifier always is."""
        asked = () if self.settled else (self.per_snapshot[0],)
        return *asked, self.fallback, "classifier"

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits of the real images that are read."""
        return ("train", "val", "test") if self.reference == "test" else ("val",)


class Evaluation:
    """The images of an experiment, and the scorers whose weights are on the volume."""

    def __init__(self, run: Run, plan: Plan, labelled: bool, seen: tuple[int, str] | None = None) -> None:
        """Load what `plan` needs; `labelled` says whether the images to be scored have labels of their own.

        Real images are brought to the size of those where they are stored at another one: to `seen`, by its filter.
        """
        self.run, self.plan, self.labelled = run, plan, labelled
        self.real = run.input(PREPROCESS)
        self.group = ProcessGroup(run.device)
        self.classes = self.real.dataset.classes
        info = self.real.dataset
        self.size, self.filter = seen or (info.size_px, "")
        learned = learned_splits(self.real)
        if self.group.is_main:
            reads = dict.fromkeys((*plan.splits, *(learned if plan.reference == "test" else ())))
            run.reporter.info(memory_plan((self.real, split) for split in reads), event="memory")
        self.splits = {split: load_split(self.real, split).at(self.size, self.filter) for split in plan.splits}
        # what scores, copies and protocols call the images that the generator learned from
        self.learned = " and ".join(learned)
        if plan.reference == "test" and len(learned) > 1:
            more = [load_split(self.real, split).at(self.size, self.filter) for split in learned if split != "train"]
            self.splits[self.learned] = sum(more, self.splits["train"])
        for split, data in self.splits.items():
            # a covariance and nearest neighbours of three images say nothing
            if len(data) < FEWEST:
                raise BadInput(f"{self.real.folder}: {split} has {len(data)} images, want at least {FEWEST}")
        self.left_out: dict[str, str] = {}
        self.scorers = self._scorers()
        counts = self.real.split("train").class_counts
        # in the train split's proportions: distances compare whole distributions, the classes' shares included
        self.asked = torch.from_numpy(spread(apportion(counts, plan.images)))
        self._reference_features: dict[tuple[str, str, int], FeatureSet] = {}
        self._own = {split: self._qualities(self.splits[split]) for split in plan.splits if split != "train"}

    def _scorers(self) -> dict[str, Scorer]:
        """Return the scorers by name; extractors without weights are left out with the command that brings them."""
        scorers = {}
        # the classifier always: it names the images of unconditional generators and finds copies
        names = dict.fromkeys(("classifier", *self.plan.per_snapshot, *self.plan.extractors))
        if self.plan.settled or missing(self.plan.per_snapshot[0], self.run.weights):
            names[self.plan.fallback] = None
        for name in names:
            try:
                extractor = EXTRACTORS[name].get()(self.run.inputs, self.run.weights, self.group.device)
                scorers[name] = Scorer(extractor, self.group, self.plan.seed)
            except MissingArtifact:
                # without the path: what a manifest says must not depend on where the volume is
                self.left_out[name] = f"{MISSING}; run: {fetch_command(name)}"
        return scorers

    def choosing(self) -> Scorer:
        """Return the scorer that chooses the snapshot."""
        return next(self.scorers[name] for name in self.plan.choosers if name in self.scorers)

    def watching(self) -> list[Scorer]:
        """Return the scorers of every snapshot, the one that chooses first."""
        first = self.choosing()
        return [first, *(scorer for scorer in self.among(self.plan.per_snapshot) if scorer is not first)]

    def among(self, names: tuple[str, ...]) -> list[Scorer]:
        """Return the scorers of these names, without those that were left out."""
        return [self.scorers[name] for name in names if name in self.scorers]

    def reference(self, scorer: Scorer, split: str, most: int | None = None) -> FeatureSet:
        """Return the features of the real images of a split, or of `most` of them; they are extracted once."""
        data = self.splits[split]
        count = len(data) if most is None else min(len(data), most)
        key = (scorer.extractor.name, split, count)
        if key not in self._reference_features:
            part = split
            if count < len(data):
                data = data.subset(stratified(data.labels.numpy(), count, self.plan.seed))
                part = f"{split}, {count} drawn from {self.plan.seed}"
            if self.size != self.real.dataset.size_px:
                part += f", at {self.size} px by {self.filter}"
            # keyed by the hashes of dataset and weights, so that experiments may share it and none reads stale features
            path = feature_cache.reference_path(self.run.weights, scorer.extractor, self.real.sha256, part)
            # the small classifier extracts as fast as a file is read
            cacheable = scorer.extractor.name != "classifier"
            cached = feature_cache.load(path) if cacheable else None
            self._reference_features[key] = (
                FeatureSet(cached, data.labels.numpy()) if cached else scorer.extract(data.pixels, data.labels)
            )
            # one process writes: all of them would write the same file
            if cacheable and cached is None and self.group.is_main:
                feature_cache.store(path, self._reference_features[key].extracted)
        return self._reference_features[key]

    def snapshot(self, gan: Artifact[GeneratorRecord], name: str) -> SnapshotImages:
        """Return the images of a snapshot, as many as the plan wants."""
        return SnapshotImages(gan, name, self.asked, self.plan.seed, self.group)

    def draw(self, source: SyntheticImages, stream: Stream) -> Images:
        """Return the images of a source; where they have no labels of their own, with the classifier's."""
        drawn = source.draw(stream)
        return drawn if source.labelled else Images(drawn.pixels, self.named(drawn.pixels))

    def _qualities(self, data: Images) -> list[Qualities | None]:
        return class_qualities(data.pixels, data.labels, len(self.classes))

    def named(self, images: Tensor | Pixels) -> Tensor:
        """Return the classes that the experiment's classifier gives images."""
        probabilities = self.scorers["classifier"].extractor.extract(images).probabilities
        return torch.from_numpy(probabilities).argmax(dim=1)

    def sample_scores(self, scores: Scores, drawn: Images, split: str) -> SampleScores:
        """Add to scores the agreement with the images' own labels (None where they have none), qualities by class."""
        return SampleScores(
            scores=scores.scores,
            by_class=scores.by_class,
            agreement=float((self.named(drawn.pixels) == drawn.labels).double().mean()) if self.labelled else None,
            classes=compared(self._qualities(drawn), self._own[split], self.classes),
        )

    def protocol(self, scorer: Scorer, split: str, n_real: int | None = None) -> Protocol:
        """Return the protocol of scores against a split, or against `n_real` of its images."""
        found = len(self.splits[split]) if n_real is None else n_real
        return scorer.protocol(split, self.real.sha256, found, self.plan.images)
