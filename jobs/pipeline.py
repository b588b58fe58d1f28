"""The table of jobs: what each reads and writes, in the order in which they run.

compose.yaml, the Kubernetes manifests and the README's table are tested against it; `halfreal run` walks `PIPELINE`,
which leaves out what is run only when asked for.
"""

from shared.store.job import Job

PREPROCESS = Job("preprocess", "real", "dataset", "Crop, resize and split real images into shards.", parts=True)
TRAIN_CLASSIFIER = Job(
    "train_classifier", "classifier", "model", "Train the annotator on real images.", (PREPROCESS,), gpu=True
)
TRAIN_GAN = Job(
    "train_gan", "gan", "model", "Train a GAN on the real train split.", (PREPROCESS,), gpu=True, parts=True
)
EVALUATE = Job(
    "evaluate",
    "scores",
    "scores",
    "Score every snapshot, choose one on val, score it again on test.",
    (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN),
    gpu=True,
)
SYNTHESIZE = Job(
    "synthesize",
    "synthetic",
    "dataset",
    "Generate images from the chosen snapshot and annotate them.",
    (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE),
    gpu=True,
    parts=True,
)
TRAIN_MIXED = Job(
    "train_mixed",
    "mixed",
    "results",
    "Train the same classifier on real, mixed and synthetic images; give the verdict.",
    (PREPROCESS, SYNTHESIZE),
    gpu=True,
)
TUNE = Job(
    "tune",
    "tune",
    "study",
    "Search for better options of train_gan on val; compare before and after on test.",
    (PREPROCESS, TRAIN_CLASSIFIER),
    gpu=True,
    optional=True,
)
REPORT = Job(
    "report",
    "report",
    "page",
    "Put every figure, table and its lineage on one page.",
    (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE, SYNTHESIZE, TRAIN_MIXED),
    extras=(TUNE,),
)

JOBS = (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE, SYNTHESIZE, TRAIN_MIXED, TUNE, REPORT)
PIPELINE = tuple(row for row in JOBS if not row.optional)
