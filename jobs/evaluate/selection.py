"""Score every snapshot on val, choose the best, score it again on test with fresh latents, and look for copies.

With the reference val nothing of test is read: neither its shards nor scores on it. Where the weights of an extractor
come later, `extend` adds its scores to a finished record, whose chosen snapshot stays.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from jobs.evaluate.evaluation import Evaluation, Plan
from jobs.evaluate.images import SnapshotImages
from jobs.evaluate.on_test import joined, score_on_test, with_more
from jobs.evaluate.options import EvaluateOptions
from jobs.pipeline import EVALUATE, SYNTHESIZE, TRAIN_GAN
from shared.cli.options import listed, recorded
from shared.cli.run import Run
from shared.data.images import Images
from shared.errors import BadInput
from shared.metrics.cas import classification_accuracy_score
from shared.metrics.pixels import loss_indicators
from shared.metrics.scorer import Scorer
from shared.runtime.seeding import Stream
from shared.store.artifacts import open_output
from shared.store.job import Job
from shared.store.records.base import parse_record
from shared.store.records.scores import SampleScores, ScoresRecord, SnapshotScores, SyntheticOnly
from shared.store.replicates import existing, place
from shared.store.work_shards import WorkShards


def plan_of(run: Run, options: EvaluateOptions) -> Plan:
    """Return what is to be scored by these options, and by which extractors."""
    return Plan(
        images=options.images,
        per_snapshot=listed(options.per_snapshot),
        extractors=listed(options.extractors),
        seed=options.seed,
        reference=options.reference,
        synthetic_only=options.synthetic_only,
        fallback=options.fallback,
        settled=not run.forced and chosen_by_fallback(run, recorded(options)),
    )


def choose(run: Run, plan: Plan) -> ScoresRecord | None:
    """Score every snapshot on val, choose one, score it on test; return the record.

    Every part of the work scores its share of the snapshots; None while scores of other parts are missing.
    """
    gan = run.input(TRAIN_GAN)
    work = Evaluation(run, plan, gan.record.conditional)
    of = partial(work.snapshot, gan)
    watching = work.watching()
    chooser, asked = watching[0].extractor, plan.per_snapshot[0]
    if chooser.name != asked:
        why = "chose the other replicates" if plan.settled else f"chooses the snapshot: {asked} was left out"
        run.reporter.info(f"{chooser.name} {why}")
    snapshots, score = gan.record.snapshots, chooser.distance
    scores = score_in_parts(run, work, watching, [of(snapshot.file) for snapshot in snapshots])
    if scores is None:
        return None
    rows = [SnapshotScores(**dict(snapshot), **dict(own)) for snapshot, own in zip(snapshots, scores, strict=True)]
    # chosen on val: a choice by test scores would make the best of many test scores the reported one
    chosen = min(rows, key=lambda scored: scored.scores[score]).snapshot
    # fresh latents: those that chose the snapshot favour it, as val does, and would make the test score too good
    drawn = work.draw(of(chosen.file), Stream.TEST_LATENTS)
    # a dict: an extractor that is in both lists is scored once
    final = {scorer.extractor.name: scorer for scorer in [*watching, *work.among(plan.extractors)]}
    return ScoresRecord(
        rows=rows,
        chosen=chosen,
        chosen_score=score,
        chosen_by=f"{score} on val, lowest",
        worst=max(rows, key=lambda scored: scored.scores[score]).snapshot,
        loss_indicators=loss_indicators(gan.record),
        protocol=work.protocol(watching[0], "val"),
        left_out=work.left_out,
        fallback=None if chooser.name == asked else asked,
        synthetic_only=score_by_classifier(work, drawn) if plan.synthetic_only else None,
        on_test=None if plan.reference == "val" else score_on_test(work, list(final.values()), drawn),
    )


def extend(run: Run, plan: Plan, known: ScoresRecord) -> ScoresRecord | None:
    """Return the record `known` with the scores that it left out and whose weights are there now.

    The chosen snapshot stays, and so does every score that is there: the same latents give the same images. None while
    scores of other parts are missing.
    """
    gan = run.input(TRAIN_GAN)
    work = Evaluation(run, plan, gan.record.conditional)
    of = partial(work.snapshot, gan)
    added = work.among(tuple(known.left_out))
    watching = [scorer for scorer in added if scorer.extractor.name in plan.per_snapshot]
    more = score_in_parts(run, work, watching, [of(row.file) for row in known.rows] if watching else [])
    if more is None:
        return None
    on_test = known.on_test
    if on_test is not None:
        on_test = with_more(on_test, work, added, work.draw(of(known.chosen_snapshot.file), Stream.TEST_LATENTS))
    return known.model_copy(
        update={
            "rows": [with_scores(row, own) for row, own in zip(known.rows, more, strict=True)]
            if watching
            else known.rows,
            "left_out": work.left_out,
            "on_test": on_test,
        }
    )


def with_scores(row: SnapshotScores, more: SampleScores) -> SnapshotScores:
    """Return the row of a snapshot with more scores."""
    return row.model_copy(update={"scores": row.scores | more.scores})


def chosen_by_fallback(run: Run, recorded: Mapping[str, object]) -> bool:
    """Whether finished replicates of the same options were chosen by the fallback.

    All replicates are chosen by one score, so that the best of them can be told: those that are added once the weights
    are there follow the others. `recorded` are the options of this one, of which the seed is its own.
    """
    folder = run.experiment
    for number in existing(folder, EVALUATE):
        other = open_output(EVALUATE, folder, number)
        options = other.manifest.options
        same = all(options.get(name) == value for name, value in recorded.items() if name != "seed")
        if number != run.replicate and same and other.record.fallback is not None and _is_current(run, number):
            return True
    return False


def _is_current(run: Run, number: int) -> bool:
    """Whether the scores of a replicate are of the generator, or of the imported images, that are there now."""
    scores = open_output(EVALUATE, run.experiment, number)
    row: Job[Any] = SYNTHESIZE if scores.record.imported else TRAIN_GAN
    try:
        scored = open_output(row, run.experiment, number)
    except BadInput:
        return False
    return scores.manifest.inputs.get(place(row, number)) == scored.identity


def score_by_classifier(work: Evaluation, drawn: Images) -> SyntheticOnly:
    """Return how a classifier that was trained on the images `drawn` alone does on the reference."""
    reference = work.plan.reference
    accuracy = classification_accuracy_score(
        drawn, work.splits[reference], work.real.dataset.class_count, work.plan.seed, work.group.device
    )
    return accuracy.model_copy(update={"reference": reference})


def score_in_parts(
    run: Run, work: Evaluation, watching: list[Scorer], snapshots: list[SnapshotImages]
) -> list[SampleScores] | None:
    """Score the snapshots of this part on val; return the scores of all, or None while other parts' are missing."""
    if run.shard.count == 1:
        return [
            score_snapshot(work, watching, snapshot)
            for snapshot in run.reporter.each(snapshots, "score", len(snapshots), "snapshots")
        ]
    names = [snapshot.name for snapshot in snapshots]
    # what scores them too: weights may come between two parts, and all snapshots are chosen among by one score
    pieces = WorkShards(run, len(names), [names, [scorer.extractor.name for scorer in watching]])
    todo = pieces.todo()
    for number in run.reporter.each(todo, "score", len(todo), "snapshots"):
        pieces.done(number, score_snapshot(work, watching, snapshots[number]).facts())
    records = pieces.gather()
    if records is None:
        return None
    return [parse_record(SampleScores, fields, name) for fields, name in zip(records, names, strict=True)]


def score_snapshot(work: Evaluation, watching: list[Scorer], snapshot: SnapshotImages) -> SampleScores:
    """Return a snapshot's distances on val; every snapshot gets the same latents."""
    drawn = work.draw(snapshot, Stream.VAL_LATENTS)
    parts = (
        scorer.distances(scorer.extract(drawn.images, drawn.labels), work.reference(scorer, "val"))
        for scorer in watching
    )
    return work.sample_scores(joined(parts), drawn, "val")
