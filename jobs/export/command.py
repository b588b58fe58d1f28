"""The command `export`: write the synthetic set for other tools, with labels and a dataset card."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.export.formats import FORMATS, write_layout
from jobs.export.options import ANNOTATED, ASKED, GIVEN, ExportConfig
from jobs.pipeline import EVALUATE, PIPELINE, REPORT, SYNTHESIZE, TRAIN_GAN
from shared import __version__
from shared.cli.click_options import LocalPath
from shared.cli.common_options import REPLICATE, experiment_name, place
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.progress import Reporter
from shared.cli.recipes import Recipe
from shared.disk.durable import write_whole
from shared.errors import BadConfig
from shared.store.job import Job
from shared.store.lineage import chosen_replicate, need_test_scores, open_inputs, recipe_text

if TYPE_CHECKING:
    from jobs.export.pictures import Picture
    from shared.store.artifacts import Artifact
    from shared.store.records.datasets import SyntheticRecord
    from shared.store.volume.room import Need

READS = tuple(job for job in PIPELINE if job not in (REPORT, TRAIN_GAN))
ROW: Job = Job("export", "", "export", "", READS, replicated=True, behind=(TRAIN_GAN,))


@click.command("export", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@place
@click.option(
    "--to",
    type=click.Choice(tuple(FORMATS)),
    required=True,
    help="; ".join(f"{name}: {row.about}" for name, row in FORMATS.items()) + ".",
)
@click.option("--out", type=LocalPath(file_okay=False), help="Folder [default: the experiment's export/<to>].")
@click.option(
    "--labels",
    type=click.Choice([ANNOTATED, ASKED, GIVEN]),
    help="Whose labels: the classifier's, the class asked for, or those given with imported images "
    "[default: given where imported images have them, as in the verdict; else annotated].",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Least confidence of the classifier; other images are left out.",
)
@REPLICATE
@click.option("--force", is_flag=True, help="Replace what the folder holds.")
def main(
    recipe: Recipe,
    experiment: str | None,
    data_root: Path,
    out: Path | None,
    replicate: int | None,
    force: bool,
    debug: bool,
    **asked: Any,
) -> None:
    """Write the synthetic set for other tools: images with labels, and a dataset card with a place for your licence.

    The card, README.md, has the verdict, the scores and the test for copies.
    """
    from jobs.export.card import RECIPE, amount, render
    from jobs.export.staging import CARD, check_place, why_written, write_export
    from shared.metrics.over_replicates import MEMBERS_FOUND, membership
    from shared.store.artifacts import input_of
    from shared.store.staging import BuildKey
    from shared.store.volume.room import check_room

    folder = data_root / experiment_name(experiment, recipe)
    target = (out or folder / "export" / asked["to"]).resolve()
    # before anything is opened or written
    check_place(target, folder)
    number, reporter = chosen_replicate(folder, EVALUATE, replicate), Reporter("export")
    inputs = open_inputs(ROW, folder, number)
    labels = labels_of(input_of(inputs, SYNTHESIZE).record, asked["labels"])
    config = ExportConfig(**{**asked, "labels": labels})
    # the version too: another one may write other bytes from the same artifacts
    key = BuildKey(ROW.name, ROW.kind, {**asdict(config), "halfreal": __version__}, inputs)
    reason = why_written(target, key, force)
    if reason is None:
        reporter.info(f"already complete: {target}")
        return
    counts: Counter[int] = Counter()
    # of all replicates: the recipe makes the whole experiment again
    remake = recipe_text(PIPELINE, open_inputs(ROW, folder))

    def write(staging: Path) -> None:
        if reason:
            reporter.info(f"rebuilding because {reason}")
        check_room(staging, need_of(input_of(inputs, SYNTHESIZE), config), "the images", reporter.info)
        _write(staging, inputs, config, counts, reporter)
        write_whole(staging / RECIPE, f"{remake}\n".encode())
        write_whole(staging / CARD, render(inputs, config, counts, number).encode())

    write_export(target, key, write)
    on_test = need_test_scores(input_of(inputs, EVALUATE))
    for space, copies in on_test.copies.items():
        if copies.flagged:
            reporter.info(f"warning: copies of training images, in {space}; the card says how many")
    for space, found in (membership([on_test], input_of(inputs, EVALUATE).record.imported) or {}).items():
        if found.found:
            reporter.info(f"warning: {MEMBERS_FOUND}, by {space}; the card says how well")
    reporter.info(f"{amount(counts.total(), 'image')}: {target}\nfill in the licence: {target / 'README.md'}")


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


if __name__ == "__main__":
    main()
