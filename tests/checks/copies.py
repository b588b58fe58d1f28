"""The headline on a memoriser: copies of all train images as the synthetic set of every replicate.

    python -m tests.checks.copies DATA_ROOT EXPERIMENT

makes the experiment EXPERIMENT-copies, whose synthetic sets are the train images themselves, labelled as they are, and
judges it as `train_mixed` judges any other. All real images are already in the baseline: copies of them bring nothing,
and must not be said to have helped. In the 70/30 design they bring the 70 % that its baseline lacks.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jobs.pipeline import EVALUATE, FITS, PREPROCESS, SYNTHESIZE, TRAIN_MIXED
from shared.data.sampling import spread
from shared.format.manifest import Dataset
from shared.format.sample import Sample, decode
from shared.format.shards import write_split
from shared.store.artifacts import Artifact, open_output
from shared.store.records.datasets import RealRecord, SyntheticRecord
from shared.store.replicates import existing, place
from shared.store.staging import BuildKey, stage


def plant(root: Path, experiment: str) -> Path:
    """Return the folder of a copy of the experiment whose synthetic images are its train images."""
    source, folder = root / experiment, root / f"{experiment}-copies"
    shutil.rmtree(folder, ignore_errors=True)
    for kept in (PREPROCESS.writes, EVALUATE.writes):
        shutil.copytree(source / kept, folder / kept)
    real = open_output(PREPROCESS, source)
    for replicate in existing(source, SYNTHESIZE):
        write_copies(real, open_output(SYNTHESIZE, source, replicate), folder / place(SYNTHESIZE, replicate))
    return folder


def write_copies(real: Artifact[RealRecord], synthetic: Artifact[SyntheticRecord], final: Path) -> None:
    """Write the train images as a synthetic set with the options, inputs and record of another one."""
    made = synthetic.manifest
    inputs = {name: Artifact(final, made, digest) for name, digest in made.inputs.items()}
    with stage(final, BuildKey(made.job, made.kind, made.options, inputs), resumable=False) as work:
        split = write_split(
            work.folder, "train", copies(real), class_count=len(real.dataset.classes), shard_images=1000
        )
        described = synthetic.dataset
        dataset = Dataset(
            classes=described.classes,
            size_px=described.size_px,
            channels=described.channels,
            preparation=described.preparation,
            splits={"train": split},
        )
        work.commit(record=synthetic.record, dataset=dataset)


def copies(real: Artifact[RealRecord]) -> Iterator[Sample]:
    """Yield the train images as samples of a synthetic set, their classes spread evenly over it."""
    train = [decode(key, members, str(real.folder)) for key, members in real.members("train")]
    waiting: dict[int, list[Sample]] = {}
    for sample in train:
        waiting.setdefault(sample.label, []).append(sample)
    counts = [len(waiting.get(label, [])) for label in range(len(real.dataset.classes))]
    for number, label in enumerate(spread(counts).tolist()):
        sample = waiting[label].pop()
        meta = {
            "origin": {"generator_sha256": "copies", "snapshot": "copies", "latent_seed": number, "asked_label": label},
            "annotation": {"classifier_sha256": "copies", "confidence": 1.0},
        }
        yield Sample(key=f"synthetic-{number:08d}", image=sample.image, label=label, meta=meta)


def main() -> int:
    """Judge the copies; return 1 where the headline says that they helped."""
    root, experiment = Path(sys.argv[1]), sys.argv[2]
    folder = plant(root, experiment)
    options = open_output(TRAIN_MIXED, root / experiment).manifest.options
    replicates = len(existing(root / experiment, SYNTHESIZE))
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", "jobs", TRAIN_MIXED.name, "--data-root", root, "--experiment", folder.name]
    subprocess.run([*command, f"--replicates={replicates}", *words], check=True)
    assert len(existing(folder, FITS)) == replicates
    headline = open_output(TRAIN_MIXED, folder).record.headline
    assert headline is not None, "the headline's arms were not trained"
    print(headline.sentence)
    return int(headline.outcome == "helped")


if __name__ == "__main__":
    sys.exit(main())
