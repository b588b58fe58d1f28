"""Score one snapshot on val, while its GAN may still be training: a point of a score curve."""

import re
from pathlib import Path

from jobs.evaluate.evaluation import Evaluation, Plan
from jobs.evaluate.selection import score_snapshot
from jobs.pipeline import PREPROCESS, TRAIN_CLASSIFIER, TRAIN_GAN
from shared import __version__
from shared.cli.progress import Reporter
from shared.cli.run import Run
from shared.errors import BadInput
from shared.format.files import sha256
from shared.format.manifest import FileInfo, Manifest
from shared.format.outside import open_regular
from shared.runtime.memory import check_images_fit
from shared.store.artifacts import Artifact, input_of
from shared.store.checkpoints import load
from shared.store.job import Job
from shared.store.lineage import open_inputs, volume_of
from shared.store.records.gan import GeneratorRecord
from shared.store.records.scores import PrintedScores

READS: Job = Job("snapshot", "", "", "", (PREPROCESS,), first=(TRAIN_CLASSIFIER,))
"""What is read of an experiment."""


def score_file(
    file: Path, folder: Path, device: str, *, images: int, extractor: str, fallback: str, seed: int
) -> PrintedScores:
    """Return the epoch of the snapshot in `file` and its scores on val, the same as `evaluate` would give it.

    `folder` is the experiment's; only its real val images and its classifier are read. BadInput if there is no file.
    """
    inputs = open_inputs(READS, folder, replicate_of(file))
    real = input_of(inputs, PREPROCESS).dataset
    check_images_fit("--images", images, real.size_px, real.channels)
    epoch, gan = unfinished(file)
    run = Run(inputs, folder, volume_of(folder) / "sources", device, Reporter("evaluate"))
    plan = Plan(images, (extractor,), (), seed, reference="val", fallback=fallback)
    work = Evaluation(run, plan, gan.record.conditional)
    chooser = work.choosing()
    scores = score_snapshot(work, [chooser], work.snapshot(gan, file.name))
    return PrintedScores(epoch=epoch, score=chooser.extractor.distance, **dict(scores))


def replicate_of(file: Path) -> int:
    """Return the replicate that a snapshot is of, by its folder, such as `gan/.r01-...`; the first where none says."""
    found = [re.fullmatch(r"\.?r(\d\d)(-[0-9a-f]{12})?", name) for name in file.absolute().parts]
    return next((int(match[1]) for match in reversed(found) if match), 0)


def unfinished(file: Path) -> tuple[int, Artifact[GeneratorRecord]]:
    """Return the epoch of the snapshot in `file`, and a GAN that has this one alone and no manifest of its own yet."""
    try:
        with open_regular(file) as stream:
            payload = stream.read()
    except OSError as error:
        raise BadInput(f"{file}: no snapshot ({error.strerror}); want a file of `gan/snapshots`") from error
    header = load(payload, str(file))[1]
    spec = header.get("spec", {})
    # they are trained one after the other, so there is no epoch at which all can be scored
    if "members" in header:
        raise BadInput(f"{file}: holds several generators; run `halfreal evaluate` when they are finished")
    if not {"latent", "classes"} <= spec.keys() or "epoch" not in header:
        raise BadInput(f"{file}: not a snapshot of a generator; want a file of `gan/snapshots`")
    # the artifact has no manifest before training ends, so the file itself says what the scorer needs to know
    manifest = Manifest(
        kind=TRAIN_GAN.kind,
        job=TRAIN_GAN.name,
        halfreal=__version__,
        options={},
        inputs={},
        files=[FileInfo(name=file.name, bytes=len(payload), sha256=sha256(payload))],
        dataset=None,
        facts=GeneratorRecord(latent=spec["latent"], conditional=spec["classes"] > 0).facts(),
    )
    made: Artifact[GeneratorRecord] = Artifact(
        file.parent, manifest, sha256(payload), TRAIN_GAN.name, "gan.GeneratorRecord"
    )
    return header["epoch"], made
