"""One experiment: the replicates of a GAN, then each classifier on them, by the jobs that `halfreal run` runs.

They run in this process, since starting one for each job takes longer than such small jobs themselves.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from jobs.commands.calls import command_of
from jobs.pipeline import EVALUATE, FITS, PREPROCESS, SYNTHESIZE, TRAIN_CLASSIFIER, TRAIN_GAN, TRAIN_MIXED
from jobs.train_mixed.experiment import read_outcome
from shared.data.images import load_split
from shared.runtime.job_processes import variables
from shared.stats.confidence import LEVEL
from shared.stats.intervals import difference_interval
from shared.store.artifacts import open_output
from shared.store.replicates import existing
from tests.checks.helps.images import Half, RealImage, chosen, source_options, write_source
from tests.checks.helps.phases import Comparison, Found, Phase, check_made_from, read_found, result_path, write_found
from tests.checks.helps.settings import ALWAYS, AUGMENTED, BASELINE, CLASSIFIERS, COPIED, Gan, Options

JOBS_OF_GAN = (PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN, EVALUATE, SYNTHESIZE)

BASELINES = (BASELINE, AUGMENTED[0], COPIED)
"""What other arms are compared with, where they are trained."""


def make(gan: Gan, half: Half, phase: Phase, arms: Mapping[str, Sequence[str]], out: Path) -> list[Found]:
    """Return the results of a GAN, trained on images of `half`, with each classifier of `arms`.

    `arms` has the arms that are trained with each classifier. What an earlier call finished is not repeated; raises
    OtherResult where that was made from other options or images.
    """
    paths = {name: result_path(out, phase.name, gan.name, name) for name in arms}
    todo = [name for name, path in paths.items() if not path.exists()]
    for name in paths.keys() - {*todo}:
        check_made_from(paths[name], read_found(paths[name]), made_from(gan, name, arms[name], phase), half.digest)
    if todo:
        root = out / phase.name
        options = {**options_of(gan), **real_images(gan, half, root / "sources" / gan.name)}
        words = ["--recipe", "digits", "--experiment", gan.name, "--data-root", str(root)]
        words += ["--seed", str(phase.seed), "--threads", "1", "--device", "cpu"]
        with environment(options, phase.replicates):
            for job in JOBS_OF_GAN:
                call(job.name, words)
        for name in todo:
            fitted = {**options, **CLASSIFIERS[name], "train_mixed.arms": ",".join(arms[name])}
            with environment(fitted, phase.replicates):
                call(TRAIN_MIXED.name, words)
            found = found_in(root / gan.name, gan, name, arms[name])
            kept = {"options": made_from(gan, name, arms[name], phase), "images": half.digest}
            write_found(paths[name], replace(found, **kept))
    return [read_found(path) for path in paths.values()]


def options_of(gan: Gan) -> Options:
    """Return the options of a GAN's experiment, apart from its images."""
    return {**ALWAYS, **gan.options, "preprocess.val_fraction": gan.val_fraction, "synthesize.share": gan.share}


def made_from(gan: Gan, classifier: str, arms: Sequence[str], phase: Phase) -> dict[str, str]:
    """Return all that a result depends on but for the real images, as text."""
    counts = {"seed": phase.seed, "replicates": phase.replicates, "per_class": gan.per_class}
    options = {**options_of(gan), **CLASSIFIERS[classifier], "train_mixed.arms": ",".join(arms), **counts}
    return {name: str(value) for name, value in options.items()}


def real_images(gan: Gan, half: Half, place: Path) -> Options:
    """Write the real images to `place`, unless these are there; return the options that name it."""
    # next to the folder: a file inside would be one of its images
    kept, digest = place.with_name(f"{place.name}.sha256"), f"{half.digest} {gan.drawn}"
    if not (place.exists() and kept.exists() and kept.read_text(encoding="utf-8") == digest):
        images: list[RealImage] = chosen(half, gan.drawn)
        write_source(gan.images, images, half.test, place)
        kept.write_text(digest, encoding="utf-8")
    return source_options(gan.images, place)


@contextmanager
def environment(options: Options, replicates: int) -> Iterator[None]:
    """Set the options of jobs within the block, as `halfreal run --set` does."""
    before = dict(os.environ)
    # one at a time: several searches may share the machine
    os.environ |= {**variables(options), "HALFREAL_REPLICATES": str(replicates), "HALFREAL_PROCESSES": "1"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def call(job: str, words: Sequence[str]) -> None:
    """Run a job to its end; raises what it raises."""
    command_of(job).main(list(words), prog_name=f"halfreal {job}", standalone_mode=False)


def found_in(folder: Path, gan: Gan, classifier: str, arms: Sequence[str], level: float = LEVEL) -> Found:
    """Return what the finished experiment in `folder` shows of its `arms`, with intervals at `level`."""
    real, mixed = open_output(PREPROCESS, folder), open_output(TRAIN_MIXED, folder).record
    fits = [open_output(FITS, folder, replicate) for replicate in existing(folder, FITS)]
    truth = load_split(real, "test").labels.numpy()
    correct = {arm: read_outcome(fits, arm, 1, truth).correct for arm in arms}
    comparisons = []
    for a in arms:
        for b in [name for name in BASELINES if name in arms and name != a]:
            difference = correct[a] - correct[b]
            interval = difference_interval(difference, level)
            values = difference.mean(axis=1).tolist()
            comparisons.append(
                Comparison(
                    a=a,
                    b=b,
                    difference=interval.mean,
                    low=interval.low,
                    high=interval.high,
                    standard_error=interval.standard_error,
                    freedom=interval.freedom,
                    values=values,
                )
            )
    return Found(
        gan=gan.name,
        classifier=classifier,
        n_test=len(truth),
        seeds=sorted({row.seed for row in mixed.rows}),
        accuracy={arm: float(values.mean()) for arm, values in correct.items()},
        comparisons=comparisons,
        copies=mixed.copies_flagged,
    )
