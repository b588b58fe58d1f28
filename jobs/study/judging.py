"""The finished experiment of a point, judged at the level of the study."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.pipeline import EVALUATE, FITS, PREPROCESS, REPORT, SYNTHESIZE, TRAIN_MIXED
from jobs.study.children import Child, seconds_of
from jobs.train_mixed import sentences
from jobs.train_mixed.experiment import read_outcome, signs_of, truth_of
from jobs.train_mixed.questions import AUGMENTED, HEADLINE
from jobs.train_mixed.verdict import Trained, answer, judged_outcomes
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.stats.inference import Inference
from shared.store.artifacts import input_of, inputs_of
from shared.store.job import Job
from shared.store.lineage import open_inputs
from shared.store.records.study import StudyPoint

if TYPE_CHECKING:
    from shared.store.records.mixed import MixedRecord

READS: Job = Job("study", "", "", "", (PREPROCESS, EVALUATE, SYNTHESIZE, FITS, TRAIN_MIXED))
"""The artifacts that are read of each experiment."""


def study_point(child: Child, data_root: Path, level: float) -> StudyPoint:
    """Return a point whose experiment is complete, its question answered at `level`."""
    folder, point = data_root / child.name, child.point
    inputs = open_inputs(READS, folder)
    mixed = input_of(inputs, TRAIN_MIXED)
    record, question = mixed.record, point.row.question
    run = Run(inputs, folder, data_root / "sources", "cpu", Reporter("study"))
    truth = truth_of(run)
    fits = inputs_of(inputs, FITS)
    named, on = (mixed.manifest.options.get(name) for name in ("arms", "verdict_on"))
    signs = signs_of(run, str(named), None if on is None else str(on))
    outcomes = {
        arm: read_outcome(fits, arm, record.protocol.fits, truth, len(signs.attributes))
        for arm in (question.a, question.b)
    }
    trained = Trained(
        judged_outcomes(outcomes, signs),
        {arm.arm: arm for arm in record.arms},
        record.protocol,
        signs,
        record.majority_baseline,
        Inference(test_over_train=record.protocol.test_over_train),
    )
    splits = run.input(PREPROCESS).dataset.splits
    baseline, tested = record.arm(question.b), record.arm(question.a)
    page = folder / REPORT.writes / "index.html"
    return StudyPoint(
        point=point.name,
        kind=point.kind,
        percent=point.percent,
        experiment=child.name,
        n_train=splits["train"].count,
        n_unlabelled=splits["unlabelled"].count if "unlabelled" in splits else 0,
        n_val=record.protocol.n_val,
        n_test=record.protocol.n_test,
        n_synthetic=tested.n_synthetic,
        replicates=record.protocol.replicates,
        planned=record.protocol.planned,
        added=record.protocol.added,
        headline=answer(question, trained, level, _clause(record) if question == HEADLINE else ""),
        information={arm.arm: arm.information for arm in (tested, baseline)},
        seconds=seconds_of(folder),
        generators=[made.sha256 for made in inputs_of(inputs, SYNTHESIZE)],
        report=f"{point.name}/{REPORT.writes}/{page.name}" if page.is_file() else None,
    )


def _clause(record: "MixedRecord") -> str:
    """Return how an answer that helped ends: whether synthetic images help on top of standard augmentation."""
    asked = (AUGMENTED.a, AUGMENTED.b)
    return sentences.augmentation_clause(next((q for q in record.questions if (q.a, q.b) == asked), None))
