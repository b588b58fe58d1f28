"""The command `preprocess`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.pipeline import PREPROCESS
from jobs.preprocess.known import KNOWN
from jobs.preprocess.options import SPLITS, PreprocessConfig
from shared.cli.job import job
from shared.cli.run import Result, Run
from shared.data.resizing import FILTERS

if TYPE_CHECKING:
    from shared.format.manifest import Dataset


@job(PREPROCESS, PreprocessConfig)
@click.option("--source", type=click.Choice(tuple(KNOWN)), default="digits", help="Where the images come from.")
@click.option("--source-path", metavar="PATH", help="Folder, CSV or tar [default: sources/<source> on the volume].")
@click.option(
    "--label", metavar="NAME", help="CelebA attribute [default: Young], or json field of foreign shards [label]."
)
@click.option("--limit", type=click.IntRange(0), default=0, help="Images in all, in proportion; 0 takes every one.")
@click.option("--limit-seed", type=click.IntRange(0), default=0, help="Which images --limit and --per-class draw.")
@click.option("--per-class", type=click.IntRange(0), default=0, help="Images of each class at most; 0 has no limit.")
@click.option("--size-px", type=click.IntRange(8, 1024), default=16, help="Side of the square images.")
@click.option("--channels", type=click.Choice([1, 3]), default=1, help="1 grey, 3 colour.")
@click.option(
    "--crop", type=click.Choice(["center", "none"]), default="center", help="Cut the centre square, or squeeze."
)
@click.option("--resize-filter", type=click.Choice(FILTERS), default="bicubic", help="Recorded: scores depend on it.")
@click.option("--background", default="white", help="Colour under transparent pixels.")
@click.option("--split", type=click.Choice(SPLITS), default="auto", help="auto takes the official one if there is one.")
@click.option("--val-fraction", type=float, default=0.1, help="Share of the different images, rounded up.")
@click.option("--test-fraction", type=float, default=0.2, help="Share of the different images, rounded up.")
@click.option("--max-rejected", type=click.FloatRange(0, 1), default=0.01, help="Unreadable share that fails the job.")
@click.option("--verify-md5/--no-verify-md5", default=True, help="Check CelebA's tables against the published md5.")
@click.option("--shard-images", type=click.IntRange(1), default=1000, help="Images in a shard.")
def main(run: Run, config: PreprocessConfig) -> Result | None:
    """Crop and resize real images, split them into train, val and test, write them as shards.

    The split is the source's official one, else random, seeded and stratified by class. Val and test get their
    fraction of the different images that are there, rounded up to whole images (val, where only that is missing, of
    the official train part). Equal images never stand in two splits: a copy goes where the first one is. What cannot
    be read is counted and listed in rejected.jsonl; what lies there and is not taken is said. With --parts each of
    several processes reads every image, to agree on the splits, and prepares its share of the shards. Writes the
    dataset `real` and figures of samples, class balance and split sizes.
    """
    from jobs.preprocess.sources import SOURCES
    from jobs.preprocess.writer import write_dataset
    from shared.store.records.datasets import RealRecord

    given = Path(config.source_path) if config.source_path else Path(config.source)
    written = write_dataset(run, config, SOURCES[config.source](run.sources / given, config))
    if written is None:
        return None
    dataset, facts = written
    draw(run, dataset)
    sizes = ", ".join(f"{name} {split.count:,}" for name, split in dataset.splits.items())
    aside = f"; {facts['rejected']} rejected, see rejected.jsonl" if facts["rejected"] else ""
    return Result(RealRecord.model_validate(facts), dataset, f"{len(dataset.classes)} classes; {sizes} images{aside}")


def draw(run: Run, dataset: "Dataset") -> None:
    """Draw ten images of each class and how many images each class and split has."""
    from shared.format.shards import preview
    from shared.plots.figures import class_balance, class_rows, save_png

    samples = preview(run.folder, dataset.splits["train"], per_class=10)
    title = f"real train images, first 10 of each class, {dataset.size_px}x{dataset.size_px} px"
    save_png(class_rows(samples, dataset.classes, title), run.figures / "samples.png")
    counts = {name: split.class_counts for name, split in dataset.splits.items()}
    save_png(class_balance(counts, dataset.classes), run.figures / "class_balance.png")


if __name__ == "__main__":
    main()
