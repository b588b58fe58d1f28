"""The chosen snapshot against the real test and train images, real images alike, copies, membership, collapse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from jobs.evaluate.evaluation import Evaluation
from jobs.evaluate.membership import membership_of
from shared.data.images import Images
from shared.metrics.copies import copy_test, pixel_copies
from shared.metrics.features.stored import StoredRows
from shared.metrics.scorer import Scorer
from shared.models.extractor import FeatureSet
from shared.stats.class_choice import listed
from shared.store.records.copies import CopyTest
from shared.store.records.scores import (
    COLLAPSE,
    LITTLE_VARIETY,
    OnTest,
    Protocol,
    SampleScores,
    Scores,
    TrainReference,
)

LITTLE_DIVERSITY, LITTLE_RECALL = 0.65, 0.5
"""Shares of the real images' own diversity and recall below which mode collapse is reported."""

ENOUGH_PER_CLASS = 10
"""Images asked for per class; with fewer, a class that is not drawn is not reported."""

MOST_TRAIN_IMAGES = 50_000
"""Train images that the chosen snapshot is scored against, at most: as many as published FIDs take; they fit memory."""

EXTRACTED_IMAGES = 8192
"""Images whose features are in memory at a time while those of many are stored."""


@dataclass(frozen=True)
class ByExtractor:
    """What one extractor says: of synthetic and of real train images against test, and of the former against train."""

    test: Scores
    real: Scores
    train: Scores
    test_protocol: Protocol
    train_protocol: Protocol
    warnings: list[str]


def by_extractor(work: Evaluation, scorer: Scorer, features: FeatureSet) -> ByExtractor:
    """Return every score of synthetic images with these features, and of real train images as their scale."""
    test = work.reference(scorer, "test")
    # as many as are drawn, at most: distances depend on n
    some_train = work.reference(scorer, "train", work.plan.images)
    most_train = work.reference(scorer, work.learned, MOST_TRAIN_IMAGES)
    synthetic_by_class, real_by_class = scorer.class_scores((features, some_train), test, work.classes)
    if work.learned == "train":
        real = scorer.scores(some_train, test, work.classes)
    else:  # with the unlabelled ones there are more, so that n is more often equal; by class only labels can tell
        real = scorer.overall(work.reference(scorer, work.learned, work.plan.images), test)
    width = features.features.shape[1]
    return ByExtractor(
        test=scorer.scores(features, test, work.classes).joined(synthetic_by_class),
        # the scale of each score: as good as other real images are
        real=real.joined(real_by_class),
        train=scorer.distances(features, most_train),
        test_protocol=work.protocol(scorer, "test"),
        train_protocol=work.protocol(scorer, work.learned, len(most_train)),
        warnings=scorer.warnings(len(features), {"test": len(test), "train": len(most_train)}, width),
    )


def score_on_test(work: Evaluation, scorers: Sequence[Scorer], drawn: Images, imported: str = "") -> OnTest:
    """Return every score of the images `drawn`, and what looks wrong; the first of `scorers` chose the snapshot.

    `imported` is the name of their set where they were imported.
    """
    reporter = work.run.reporter
    # all that the generator learned from, with labels or without, since any of it may be copied
    learned = work.splits[work.learned]
    copies = {"pixels": pixel_copies(drawn.images, work.splits["test"], learned, reporter.bar)}
    said: dict[str, ByExtractor] = {}
    for scorer in reporter.each(scorers, "score on test", len(scorers), "extractors"):
        features = scorer.extract(drawn.images, drawn.labels)
        said[scorer.extractor.name] = by_extractor(work, scorer, features)
        if scorer.extractor.name == "classifier":
            copies["classifier"] = feature_copies(work, scorer, features)
    real = joined(each.real for each in said.values())
    test = work.sample_scores(joined(each.test for each in said.values()), drawn, "test")
    warned = [line for each in said.values() for line in each.warnings]
    warned += collapse(test, real, scorers[0].extractor.name, work.plan.images, imported, rare_combinations(work))
    for line in warned:
        reporter.info(f"warning: {line}")
    return OnTest(
        test=test,
        real=real,
        copies=copies,
        test_protocols={name: each.test_protocol for name, each in said.items()},
        n_train_looked_at=min(len(learned), work.plan.images),
        warnings=warned,
        train_reference=train_reference(said),
        membership=membership_of(work, drawn),
    )


def feature_copies(work: Evaluation, scorer: Scorer, drawn: FeatureSet) -> CopyTest:
    """Return the copy test of images with the features `drawn`; features of many training images are on disk."""
    # held-out real images show how near to train new images lie
    sides = torch.from_numpy(drawn.features), torch.from_numpy(work.reference(scorer, "test").features)
    learned = work.splits[work.learned]
    if len(learned) <= MOST_TRAIN_IMAGES:
        return copy_test(*sides, torch.from_numpy(work.reference(scorer, work.learned, MOST_TRAIN_IMAGES).features))
    with StoredRows(work.run.folder) as train:
        for start in range(0, len(learned), EXTRACTED_IMAGES):
            part = learned.subset(range(start, min(start + EXTRACTED_IMAGES, len(learned))))
            train.append(scorer.extract(part.pixels, part.labels).features)
        return copy_test(*sides, train)


def with_more(on_test: OnTest, work: Evaluation, scorers: Sequence[Scorer], drawn: Images) -> OnTest:
    """Return scores on test with those of further extractors, of the images `drawn` from the same latents."""
    reporter = work.run.reporter
    said = {
        scorer.extractor.name: by_extractor(work, scorer, scorer.extract(drawn.images, drawn.labels))
        for scorer in reporter.each(scorers, "score on test", len(scorers), "extractors")
    }
    warned = [line for each in said.values() for line in each.warnings]
    for line in warned:
        reporter.info(f"warning: {line}")
    both, before = joined([on_test.test, *(each.test for each in said.values())]), on_test.train_reference
    return on_test.model_copy(
        update={
            "test": on_test.test.model_copy(update={"scores": both.scores, "by_class": both.by_class}),
            "real": joined([on_test.real, *(each.real for each in said.values())]),
            "test_protocols": on_test.test_protocols | {name: each.test_protocol for name, each in said.items()},
            "warnings": [*on_test.warnings, *warned],
            "train_reference": train_reference(said) if before is None else before.with_more(train_reference(said)),
        }
    )


def joined(parts: Iterable[Scores]) -> Scores:
    """Return the scores of all parts."""
    together = Scores(scores={})
    for part in parts:
        together = together.joined(part)
    return together


def train_reference(said: dict[str, ByExtractor]) -> TrainReference:
    """Return the scores against train of each extractor."""
    scores = joined(each.train for each in said.values()).scores
    return TrainReference(scores=scores, protocols={name: each.train_protocol for name, each in said.items()})


def rare_combinations(work: Evaluation) -> list[str]:
    """Return the combinations of attributes of which too few images are asked for to miss any."""
    if not work.real.dataset.attributes:
        return []
    asked = torch.bincount(work.asked, minlength=len(work.classes)).tolist()
    return [name for name, count in zip(work.classes, asked, strict=True) if count < ENOUGH_PER_CLASS]


def collapse(
    test: SampleScores,
    real: Scores,
    extractor: str,
    images: int,
    imported: str = "",
    rare: Sequence[str] = (),
) -> list[str]:
    """Return a line for each sign of mode collapse: diversity of the pixels of a class, absent classes, recall.

    Of images of a set that was `imported` under a name the lines speak of that set. Nobody misses the `rare` classes.
    """
    few = [
        quality.class_name
        for quality in test.classes
        if quality.ratios and quality.ratios["diversity"] < LITTLE_DIVERSITY
    ]
    start = f"{LITTLE_VARIETY}{imported} has " if imported else COLLAPSE
    lines = [f"{start}little diversity in {listed(few)}"] if few else []
    absent = [row.class_name for row in test.classes if row.qualities is None and row.class_name not in rare]
    # few images asked for may miss a rare class by their number alone
    if absent and images >= ENOUGH_PER_CLASS * len(test.classes):
        named = listed(absent)
        lines.append(
            f"{start}few or no images of {named}" if imported else f"{start}fewer than 3 images of {named} were drawn"
        )
    name = f"recall_{extractor}"
    recall, real_recall = test.scores[name], real.scores[name]
    if recall < LITTLE_RECALL * real_recall:
        start = f"{LITTLE_VARIETY}few real images look like those of {imported}: " if imported else COLLAPSE
        lines.append(f"{start}{name} is {recall:.2f}, real train images have {real_recall:.2f}")
    return lines
