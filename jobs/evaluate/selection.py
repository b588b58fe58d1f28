"""Score every snapshot on val, choose the best, score it again on test with fresh latents, and look for copies.

With the reference val nothing of test is read: neither its shards nor scores on it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from jobs.pipeline import PREPROCESS, TRAIN_GAN
from shared.cli.run import Run
from shared.data.images import Images, load_split
from shared.data.sampling import apportion, spread, stratified
from shared.errors import BadInput, MissingArtifact
from shared.metrics import feature_cache
from shared.metrics.cas import classification_accuracy_score
from shared.metrics.copies import copy_test, pixel_copies
from shared.metrics.pixels import Qualities, class_qualities, compared, loss_indicators
from shared.metrics.scorer import Scorer
from shared.models.extractor import FeatureSet
from shared.models.snapshots import draw_images, latents_of, load_snapshot
from shared.models.tables import EXTRACTORS
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, derive_seed
from shared.store.artifacts import Artifact
from shared.store.records.gan import GeneratorRecord
from shared.store.records.scores import (
    COLLAPSE,
    OnTest,
    Protocol,
    SampleScores,
    Scores,
    ScoresRecord,
    SnapshotScores,
    SyntheticOnly,
)

FEWEST = 4

LITTLE_DIVERSITY, LITTLE_RECALL = 0.65, 0.5
"""Shares of the real images' own diversity and recall below which mode collapse is reported."""

ENOUGH_PER_CLASS = 10
"""Images asked for per class; with fewer, a class that is not drawn is not reported."""


@dataclass(frozen=True)
class Plan:
    """The options of an evaluation: images per score, extractors of all snapshots and of the chosen one, the seed.

    `reference` is the split that the chosen snapshot is scored on; with `synthetic_only` a classifier is trained on
    its images and measured there too.
    """

    images: int
    per_snapshot: tuple[str, ...]
    extractors: tuple[str, ...]
    seed: int
    reference: str = "test"
    synthetic_only: bool = False

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits of the real images that are read."""
        return ("train", "val", "test") if self.reference == "test" else ("val",)


class Evaluation:
    """The images of an experiment, and the scorers whose weights are on the volume."""

    def __init__(self, run: Run, plan: Plan, gan: Artifact[GeneratorRecord]) -> None:
        self.run, self.plan, self.gan = run, plan, gan
        self.real = run.input(PREPROCESS)
        self.group = ProcessGroup(run.device)
        self.classes = self.real.dataset.classes
        self.splits = {split: load_split(self.real, split) for split in plan.splits}
        for split, data in self.splits.items():
            # a covariance and nearest neighbours of three images say nothing
            if len(data) < FEWEST:
                raise BadInput(f"{self.real.folder}: {split} has {len(data)} images, want at least {FEWEST}")
        self.left_out: dict[str, str] = {}
        self.scorers = self._scorers()
        counts = self.real.dataset.splits["train"].class_counts
        # in the train split's proportions: distances compare whole distributions, the classes' shares included
        self.asked = torch.from_numpy(spread(apportion(counts, plan.images)))
        self._reference_features: dict[tuple[str, str], FeatureSet] = {}
        self._own = {split: self._qualities(data) for split, data in self.splits.items() if split != "train"}

    def _scorers(self) -> dict[str, Scorer]:
        """Return the scorers by name; extractors without weights are left out with the command that brings them."""
        scorers = {}
        # the classifier always: it names the images of unconditional generators and finds copies
        for name in dict.fromkeys(("classifier", *self.plan.per_snapshot, *self.plan.extractors)):
            try:
                extractor = EXTRACTORS[name].get()(self.run.inputs, self.run.weights, self.group.device)
                scorers[name] = Scorer(extractor, self.group, self.plan.seed)
            except MissingArtifact as error:
                self.left_out[name] = str(error)
                self.run.reporter.info(f"left out: {name}: {error}")
        return scorers

    def among(self, names: tuple[str, ...]) -> list[Scorer]:
        """Return the scorers of these names, without those that were left out."""
        return [self.scorers[name] for name in names if name in self.scorers]

    def reference(self, scorer: Scorer, split: str) -> FeatureSet:
        """Return the features of the real images of a split; they are extracted once."""
        key = (scorer.extractor.name, split)
        if key not in self._reference_features:
            data, part = self.splits[split], split
            if split == "train":  # as many as are drawn, at most: distances depend on n
                count = min(len(data), self.plan.images)
                data = data.subset(stratified(data.labels.numpy(), count, self.plan.seed))
                part = f"train, {count} drawn from {self.plan.seed}"
            # keyed by the hashes of dataset and weights, so that experiments may share it and none reads stale features
            path = feature_cache.reference_path(self.run.weights, scorer.extractor, self.real.sha256, part)
            # the small classifier extracts as fast as a file is read
            cacheable = scorer.extractor.name != "classifier"
            cached = feature_cache.load(path) if cacheable else None
            self._reference_features[key] = (
                FeatureSet(cached, data.labels.numpy()) if cached else scorer.extract(data.images, data.labels)
            )
            # one process writes: all of them would write the same file
            if cacheable and cached is None and self.group.is_main:
                feature_cache.store(path, self._reference_features[key].extracted)
        return self._reference_features[key]

    def draw(self, name: str, stream: Stream) -> Images:
        """Return the images of snapshot `name` from the latents of `stream`, with their labels.

        Labels are the classes asked for, or the classifier's for an unconditional generator.
        """
        # snapshots are loaded one at a time, so that memory does not grow with their number
        network, latent = load_snapshot(self.gan, name, self.group.device), self.gan.record.latent
        # a seed for each image: any number of processes draws the same images
        share = self.group.shard(self.plan.images)
        seeds = [derive_seed(self.plan.seed, stream, index) for index in share]
        latents = latents_of(seeds, latent) if seeds else torch.zeros(0, latent)
        drawn = draw_images(network, latents, self.asked[share.start : share.stop]) if seeds else self._nothing()
        images = self.group.gather(drawn, self.plan.images)
        return Images(images, self.asked if self.gan.record.conditional else self.named(images))

    def _qualities(self, data: Images) -> list[Qualities | None]:
        return class_qualities(data.images, data.labels, len(self.classes))

    def _nothing(self) -> Tensor:
        info = self.real.dataset
        return torch.zeros(0, info.channels, info.size_px, info.size_px, dtype=torch.uint8)

    def named(self, images: Tensor) -> Tensor:
        """Return the classes that the experiment's classifier gives images."""
        probabilities = self.scorers["classifier"].extractor.extract(images).probabilities
        return torch.from_numpy(probabilities).argmax(dim=1)

    def sample_scores(self, scores: Scores, drawn: Images, split: str) -> SampleScores:
        """Add to scores the agreement with the class asked for (None where none can be) and the classes' qualities."""
        asked = self.gan.record.conditional
        return SampleScores(
            scores=scores.scores,
            by_class=scores.by_class,
            agreement=float((self.named(drawn.images) == drawn.labels).double().mean()) if asked else None,
            classes=compared(self._qualities(drawn), self._own[split], self.classes),
        )

    def protocol(self, scorer: Scorer, split: str, n_synthetic: int) -> Protocol:
        """Return the protocol of scores against a split."""
        return Protocol(
            extractor=scorer.extractor.name,
            extractor_sha256=scorer.extractor.sha256,
            resizer=scorer.extractor.resizer,
            reference=split,
            reference_sha256=self.real.sha256,
            n_real=len(self.splits[split]),
            n_synthetic=n_synthetic,
            seed=self.plan.seed,
        )


def evaluate(run: Run, plan: Plan) -> ScoresRecord:
    """Score every snapshot on val, choose one, score it on test; return the record."""
    gan = run.input(TRAIN_GAN)
    work = Evaluation(run, plan, gan)
    # a snapshot must be chosen even where no weights were fetched: the classifier needs none
    watching = work.among(plan.per_snapshot) or work.among(("classifier",))
    if watching[0].extractor.name != plan.per_snapshot[0]:
        run.reporter.info(
            f"{watching[0].extractor.name} chooses the snapshot, since {plan.per_snapshot[0]} was left out"
        )
    snapshots, score = gan.record.snapshots, watching[0].extractor.distance
    rows = [
        SnapshotScores(**dict(snapshot), **dict(score_snapshot(work, watching, snapshot.file)))
        for snapshot in run.reporter.each(snapshots, "score", len(snapshots), "snapshots")
    ]
    # chosen on val: a choice by test scores would make the best of many test scores the reported one
    chosen = min(rows, key=lambda scored: scored.scores[score]).snapshot
    # fresh latents: those that chose the snapshot favour it, as val does, and would make the test score too good
    drawn = work.draw(chosen.file, Stream.TEST_LATENTS)
    return ScoresRecord(
        rows=rows,
        chosen=chosen,
        chosen_score=score,
        chosen_by=f"{score} on val, lowest",
        worst=max(rows, key=lambda scored: scored.scores[score]).snapshot,
        loss_indicators=loss_indicators(gan.record),
        protocol=work.protocol(watching[0], "val", plan.images),
        left_out=work.left_out,
        synthetic_only=score_by_classifier(work, drawn) if plan.synthetic_only else None,
        on_test=None if plan.reference == "val" else score_on_test(work, watching, drawn),
    )


def score_by_classifier(work: Evaluation, drawn: Images) -> SyntheticOnly:
    """Return how a classifier that was trained on the images `drawn` alone does on the reference."""
    reference = work.plan.reference
    accuracy = classification_accuracy_score(
        drawn, work.splits[reference], len(work.classes), work.plan.seed, work.group.device
    )
    return accuracy.model_copy(update={"reference": reference})


def score_on_test(work: Evaluation, watching: list[Scorer], drawn: Images) -> OnTest:
    """Return every score of the images `drawn` against test, the same of real train images, and what looks wrong."""
    plan, reporter = work.plan, work.run.reporter
    # a dict: an extractor that is in both lists is scored once
    final = {scorer.extractor.name: scorer for scorer in [*watching, *work.among(plan.extractors)]}
    synthetic, real = Scores(scores={}), Scores(scores={})
    copies = {"pixels": pixel_copies(drawn.images, work.splits["test"], work.splits["train"])}
    warned: list[str] = []
    for name, scorer in reporter.each(list(final.items()), "score on test", len(final), "extractors"):
        features, test_features, train_features = (
            scorer.extract(drawn.images, drawn.labels),
            *(work.reference(scorer, s) for s in ("test", "train")),
        )
        synthetic = synthetic.joined(scorer.scores(features, test_features, work.classes))
        # the scale of each score: as good as other real images are
        real = real.joined(scorer.scores(train_features, test_features, work.classes))
        by_class = scorer.class_scores((features, train_features), test_features, work.classes)
        synthetic, real = synthetic.joined(by_class[0]), real.joined(by_class[1])
        warned += scorer.warnings(len(features), len(test_features), features.features.shape[1])
        if name == "classifier":
            # held-out real images show how near to train new images lie; all of train, since any of it may be copied
            train = scorer.extract(work.splits["train"].images, work.splits["train"].labels)
            compared_sets = (features, test_features, train)
            copies[name] = copy_test(*(torch.from_numpy(images.features).double() for images in compared_sets))
    test = work.sample_scores(synthetic, drawn, "test")
    warned += collapse(test, real, watching[0].extractor.name, plan.images)
    for line in warned:
        reporter.info(f"warning: {line}")
    return OnTest(
        test=test,
        real=real,
        copies=copies,
        test_protocols={name: work.protocol(scorer, "test", plan.images) for name, scorer in final.items()},
        n_train_looked_at=min(len(work.splits["train"]), plan.images),
        warnings=warned,
    )


def collapse(test: SampleScores, real: Scores, extractor: str, images: int) -> list[str]:
    """Return a line for each sign of mode collapse: diversity of the pixels of a class, absent classes, recall."""
    few = [
        quality.class_name
        for quality in test.classes
        if quality.ratios and quality.ratios["diversity"] < LITTLE_DIVERSITY
    ]
    lines = [f"{COLLAPSE}little diversity in {', '.join(few)}"] if few else []
    absent = [quality.class_name for quality in test.classes if quality.qualities is None]
    # few images asked for may miss a rare class by their number alone
    if absent and images >= ENOUGH_PER_CLASS * len(test.classes):
        lines.append(f"{COLLAPSE}fewer than 3 images of {', '.join(absent)} were drawn")
    name = f"recall_{extractor}"
    recall, real_recall = test.scores[name], real.scores[name]
    if recall < LITTLE_RECALL * real_recall:
        lines.append(f"{COLLAPSE}{name} is {recall:.2f}, real train images have {real_recall:.2f}")
    return lines


def score_snapshot(work: Evaluation, watching: list[Scorer], name: str) -> SampleScores:
    """Return a snapshot's distances on val; every snapshot gets the same latents."""
    drawn = work.draw(name, Stream.VAL_LATENTS)
    scores = Scores(scores={})
    for scorer in watching:
        scores = scores.joined(
            scorer.distances(scorer.extract(drawn.images, drawn.labels), work.reference(scorer, "val"))
        )
    return work.sample_scores(scores, drawn, "val")
