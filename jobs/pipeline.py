"""The table of jobs: what each reads and writes, in the order in which they run.

compose.yaml, the Kubernetes manifests and the README's table are tested against it; `halfreal run` walks `PIPELINE`,
which leaves out the jobs that run only when asked for. Two jobs have a second row, for images that were imported:
there `halfreal run` takes another order, and leaves out what nobody reads (see `jobs.commands.ordering`).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from shared.store.job import Job

# records are named as strings: the table is read by every --help and must import little
if TYPE_CHECKING:
    from shared.store.records.base import Record
    from shared.store.records.classifier import ClassifierRecord
    from shared.store.records.datasets import RealRecord, SyntheticRecord
    from shared.store.records.gan import GanRecord
    from shared.store.records.mixed import FitsRecord, MixedRecord
    from shared.store.records.report import ReportRecord
    from shared.store.records.scores import ScoresRecord
    from shared.store.records.tune import TuneRecord

PREPROCESS: "Job[RealRecord]" = Job(
    "preprocess",
    "real",
    "dataset",
    "Crop, resize and split real images into shards.",
    parts=True,
    splits=True,
    record="datasets.RealRecord",
)
PREPROCESS_SPLITS: "Job[RealRecord]" = replace(PREPROCESS, replicated=True)
"""What `preprocess` is where each replicate has a split of its own."""

TRAIN_CLASSIFIER: "Job[ClassifierRecord]" = Job(
    "train_classifier",
    "classifier",
    "model",
    "Train the annotator on real images.",
    (PREPROCESS,),
    gpu=True,
    replicated=True,
    record="classifier.ClassifierRecord",
)
TRAIN_GAN: "Job[GanRecord]" = Job(
    "train_gan",
    "gan",
    "model",
    "Train a GAN on the real train split.",
    (PREPROCESS,),
    gpu=True,
    parts=True,
    replicated=True,
    record="gan.GanRecord",
)
EVALUATE: "Job[ScoresRecord]" = Job(
    "evaluate",
    "scores",
    "scores",
    "Score every snapshot, choose one on val, score it again on test.",
    (PREPROCESS, TRAIN_GAN),
    gpu=True,
    parts=True,
    replicated=True,
    first=(TRAIN_CLASSIFIER,),  # one extractor of features for all replicates, so that their scores compare
    record="scores.ScoresRecord",
)
SYNTHESIZE: "Job[SyntheticRecord]" = Job(
    "synthesize",
    "synthetic",
    "dataset",
    "Generate images from the chosen snapshot and annotate them.",
    (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE),
    gpu=True,
    parts=True,
    replicated=True,
    record="datasets.SyntheticRecord",
)
IMPORT: "Job[SyntheticRecord]" = replace(SYNTHESIZE, reads=(PREPROCESS, TRAIN_CLASSIFIER))
"""What `synthesize` is where its images are imported: no generator comes before it."""

EVALUATE_IMPORTED: "Job[ScoresRecord]" = replace(EVALUATE, reads=(PREPROCESS, SYNTHESIZE), parts=False)
"""What `evaluate` is where it scores imported images: there are no snapshots that parts could share."""

FITS: "Job[FitsRecord]" = Job(
    "train_mixed",
    "fits",
    "fits",
    "Train the same classifier on real, mixed and synthetic images.",
    (PREPROCESS, SYNTHESIZE),
    gpu=True,
    parts=True,
    replicated=True,
    record="mixed.FitsRecord",
)
TRAIN_MIXED: "Job[MixedRecord]" = Job(
    "train_mixed",
    "mixed",
    "results",
    "Train the same classifier on real, mixed and synthetic images; give the verdict.",
    (PREPROCESS, EVALUATE, SYNTHESIZE, FITS),
    gpu=True,
    record="mixed.MixedRecord",
)
TUNE: "Job[TuneRecord]" = Job(
    "tune",
    "tune",
    "study",
    "Search for better options of train_gan on val; compare them with the baseline on test.",
    (PREPROCESS,),
    gpu=True,
    parts=True,
    first=(TRAIN_CLASSIFIER,),
    optional=True,
    record="tune.TuneRecord",
)
REPORT: "Job[ReportRecord]" = Job(
    "report",
    "report",
    "page",
    "Put every figure, table and its lineage on one page.",
    (PREPROCESS, TRAIN_CLASSIFIER, EVALUATE, SYNTHESIZE, TRAIN_MIXED),
    extras=(TUNE,),
    behind=(TRAIN_GAN,),
    record="report.ReportRecord",
    additions=True,
)

JOBS: "tuple[Job[Record], ...]" = (
    PREPROCESS,
    TRAIN_CLASSIFIER,
    TRAIN_GAN,
    EVALUATE,
    SYNTHESIZE,
    TRAIN_MIXED,
    TUNE,
    REPORT,
)
PIPELINE = tuple(job for job in JOBS if not job.optional)
JOB_NAMES = tuple(job.name for job in JOBS)

ARTIFACTS = tuple(made for job in JOBS for made in ([FITS, job] if job is TRAIN_MIXED else [job]))
"""The rows of all artifacts, in the order in which they are made: train_mixed makes two kinds."""
