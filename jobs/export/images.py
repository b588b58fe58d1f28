"""An export of images: the synthetic set in the layout of another tool, with labels and a dataset card."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.export.formats import write_layout
from jobs.export.options import ANNOTATED, ASKED, GIVEN, ExportConfig
from jobs.export.plan import Asked, Plan
from jobs.export.privacy import warn_of_privacy
from jobs.export.staging import CARD
from jobs.pipeline import EVALUATE, PIPELINE, REPORT, SYNTHESIZE, TRAIN_GAN
from shared import __version__
from shared.cli.progress import Reporter
from shared.disk.durable import write_whole
from shared.errors import BadConfig
from shared.store.job import Job
from shared.store.lineage import open_inputs, recipe_text
from shared.store.staging import BuildKey

if TYPE_CHECKING:
    from jobs.export.pictures import Picture
    from shared.store.artifacts import Artifact
    from shared.store.records.datasets import SyntheticRecord
    from shared.store.volume.room import Need

READS = tuple(job for job in PIPELINE if job not in (REPORT, TRAIN_GAN))
ROW: Job = Job("export", "", "export", "", READS, replicated=True, behind=(TRAIN_GAN,))


def plan(asked: Asked) -> Plan:
    """Return what the export of images depends on and how they are written; no image is read yet."""
    from shared.store.artifacts import input_of

    if asked.epoch is not None:
        raise BadConfig(
            f"--epoch {asked.epoch}: is of a generator; images are those of the chosen snapshot, leave it out"
        )
    inputs = open_inputs(ROW, asked.folder, asked.replicate)
    labels = labels_of(input_of(inputs, SYNTHESIZE).record, asked.labels)
    config = ExportConfig(to=asked.to, labels=labels, min_confidence=asked.min_confidence or 0.0)
    # the version too: another one may write other bytes from the same artifacts
    key = BuildKey(ROW.name, ROW.kind, {**asdict(config), "halfreal": __version__}, inputs)
    counts: Counter[int] = Counter()

    def write(staging: Path, reporter: Reporter) -> None:
        from jobs.export.card import RECIPE, render
        from shared.store.volume.room import check_room

        check_room(staging, need_of(input_of(inputs, SYNTHESIZE), config), "the images", reporter.info)
        _write(staging, inputs, config, counts, reporter)
        # of all replicates: the recipe makes the whole experiment again
        remake = recipe_text(PIPELINE, open_inputs(ROW, asked.folder))
        write_whole(staging / RECIPE, f"{remake}\n".encode())
        write_whole(staging / CARD, render(inputs, config, counts, asked.replicate).encode())

    def say(out: Path, reporter: Reporter) -> None:
        from jobs.export.card import amount

        warn_of_privacy(input_of(inputs, EVALUATE), "card", reporter)
        reporter.info(f"{amount(counts.total(), 'image')}: {out}\nfill in the licence: {out / CARD}")

    return Plan(key, write, say)


BLOCK_BYTES = 4096
"""What disks give files by: a small image takes as much."""


def need_of(synthetic: "Artifact[SyntheticRecord]", config: ExportConfig) -> "Need":
    """Return what an export takes: about the shards' bytes, and nothing surely where some images are left out."""
    from shared.store.volume.room import Need

    split = synthetic.split("train")
    size_bytes = sum(shard.bytes for shard in split.shards)
    # shards are padded, other layouts are not; a third is the least that is left of them
    return Need(0 if config.min_confidence else size_bytes // 3, size_bytes + split.count * BLOCK_BYTES)


def labels_of(synthetic: "SyntheticRecord", wanted: str | None) -> str:
    """Return whose labels images get where somebody has `wanted` some, or none in particular: those of the verdict.

    `given` is `asked` by its name for imported images; BadConfig for it where the generator is the experiment's own.
    """
    if wanted == GIVEN and synthetic.imported is None:
        raise BadConfig("--labels given: these images were not imported; take annotated or asked")
    if wanted is None:
        own = synthetic.imported is not None and synthetic.agreement is not None
        return ASKED if own else ANNOTATED
    return ASKED if wanted == GIVEN else wanted


def _write(
    folder: Path, inputs: "Mapping[str, Artifact]", config: ExportConfig, counts: Counter[int], reporter: Reporter
) -> None:
    """Write the images into `folder`; count those of each label."""
    from jobs.export.pictures import pictures
    from shared.store.artifacts import input_of

    synthetic = input_of(inputs, SYNTHESIZE)

    def counted() -> Iterator["Picture"]:
        total = synthetic.split("train").count
        with reporter.bar("export", total, "images", stops=False) as bar:
            for picture in pictures(synthetic, config):
                counts[picture.label] += 1
                bar.advance()
                yield picture

    write_layout(folder, config.to, counted(), synthetic.dataset.classes)
    # after writing: only reading every sample tells
    if not counts:
        raise BadConfig(f"--min-confidence {config.min_confidence}: leaves no image; take a lower one")
