"""Score imported images on test; there are no snapshots, so nothing is chosen and nothing is scored on val."""

from dataclasses import replace

from jobs.evaluate.evaluation import FEWEST, Evaluation, Plan
from jobs.evaluate.images import ImportedImages
from jobs.evaluate.on_test import score_on_test, with_more
from jobs.evaluate.selection import score_by_classifier
from jobs.pipeline import PREPROCESS, SYNTHESIZE
from shared.cli.run import Run
from shared.data.images import Images
from shared.errors import BadInput
from shared.runtime.seeding import Stream
from shared.store.records.scores import ScoresRecord

NOTHING_CHOSEN = "nothing: the images were imported"
"""What the record says in place of what chose a snapshot."""


def evaluate_imported(run: Run, plan: Plan) -> ScoresRecord:
    """Return the scores on test of the imported images that the run reads."""
    work, drawn = _opened(run, plan)
    imported = run.input(SYNTHESIZE).record.imported
    assert imported is not None  # `_opened` refuses other images
    watching = work.watching()
    first, asked = watching[0].extractor, plan.per_snapshot[0]
    # a dict: an extractor that is in both lists is scored once
    scorers = {scorer.extractor.name: scorer for scorer in [*watching, *work.among(plan.extractors)]}
    return ScoresRecord(
        rows=[],
        chosen_score=first.distance,
        chosen_by=NOTHING_CHOSEN,
        loss_indicators=None,
        protocol=work.protocol(watching[0], "test"),
        left_out=work.left_out,
        fallback=None if first.name == asked else asked,
        synthetic_only=score_by_classifier(work, drawn) if plan.synthetic_only else None,
        on_test=score_on_test(work, list(scorers.values()), drawn, imported.name),
    )


def extend_imported(run: Run, plan: Plan, known: ScoresRecord) -> ScoresRecord:
    """Return the record `known` with the scores that it left out and whose weights are there now."""
    work, drawn = _opened(run, plan)
    assert known.on_test is not None  # imported images have scores on test alone
    added = work.among(tuple(known.left_out))
    on_test = with_more(known.on_test, work, added, drawn)
    return known.model_copy(update={"left_out": work.left_out, "on_test": on_test})


def _opened(run: Run, plan: Plan) -> tuple[Evaluation, Images]:
    """Return what scores the imported images of a run, and those of them that are scored.

    Raises BadInput where the synthetic images are a generator's, or too few.
    """
    synthetic = run.input(SYNTHESIZE)
    if synthetic.record.imported is None:
        raise BadInput(
            f"{synthetic.folder}: drawn by this experiment's generator, want imported images\n"
            "score the generator's snapshots: --scored snapshots; or import images: halfreal synthesize --source folder"
        )
    count = synthetic.split("train").count
    if count < FEWEST:
        raise BadInput(f"{synthetic.folder}: {count} images, want at least {FEWEST}; a score of fewer says nothing")
    plan = replace(plan, images=min(plan.images, count))
    stored = synthetic.dataset.size_px, synthetic.preparation.resize_filter
    source = ImportedImages(synthetic, plan.images, plan.seed)
    same_size = stored[0] == run.input(PREPROCESS).dataset.size_px
    work = Evaluation(run, plan, source.labelled, None if same_size else stored)
    return work, work.draw(source, Stream.TEST_LATENTS)
