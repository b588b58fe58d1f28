"""The command `preprocess`."""

from typing import TYPE_CHECKING

import click

from jobs.pipeline import PREPROCESS
from jobs.preprocess.config import FILTERS, SOURCE_NAMES, PreprocessConfig
from shared.cli import job
from shared.job import Result, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.preprocess.sources import Source
    from shared.format.manifest import Dataset
    from shared.format.sample import Sample


@job(PREPROCESS, PreprocessConfig)
@click.option("--source", type=click.Choice(SOURCE_NAMES), default="digits", help="Where the images come from.")
@click.option("--size-px", type=click.IntRange(8, 1024), default=16, help="Side of the square images.")
@click.option("--channels", type=click.Choice([1, 3]), default=1, help="1 grey, 3 colour.")
@click.option(
    "--crop", type=click.Choice(["center", "none"]), default="center", help="Cut the centre square, or squeeze."
)
@click.option("--resize-filter", type=click.Choice(FILTERS), default="bicubic", help="Recorded: scores depend on it.")
@click.option("--val-fraction", type=float, default=0.1, help="Share of the images, rounded up.")
@click.option("--test-fraction", type=float, default=0.2, help="Share of the images, rounded up.")
@click.option("--shard-images", type=click.IntRange(1), default=1000, help="Images in a shard.")
def main(run: Run, config: PreprocessConfig) -> Result:
    """Crop and resize real images, split them into train, val and test, write them as shards.

    The split is random, seeded and stratified by class. Writes the dataset `real` and figures of samples, class
    balance and split sizes.
    """
    from jobs.preprocess.sources import SOURCES

    source = SOURCES[config.source]()
    dataset = write_dataset(run, config, source)
    draw(run, dataset)
    sizes = ", ".join(f"{name} {split.count:,}" for name, split in dataset.splits.items())
    return Result({"source": config.source}, dataset, f"{len(dataset.classes)} classes; {sizes} images")


def write_dataset(run: Run, config: PreprocessConfig, source: "Source") -> "Dataset":
    """Write every split of `source` as shards into the run's folder; return the dataset's description."""
    from jobs.preprocess.images import split_indexes
    from shared.format.manifest import Dataset
    from shared.format.shards import write_split

    labels = [item.label for item in source.items]
    indexes = split_indexes(labels, config.val_fraction, config.test_fraction, config.seed)
    with run.talk.bar("prepare", len(labels), "images") as bar:

        def samples(split: str) -> "Iterator[Sample]":
            for sample in prepared(source, config, split, indexes[split].tolist()):
                yield sample
                bar.advance()

        splits = {
            split: write_split(
                run.folder, split, samples(split), class_count=len(source.classes), shard_images=config.shard_images
            )
            for split in indexes
        }
    return Dataset(
        classes=list(source.classes),
        size_px=config.size_px,
        channels=3 if config.channels == 3 else 1,
        preparation=config.preparation,
        splits=splits,
    )


def prepared(source: "Source", config: PreprocessConfig, split: str, indexes: list[int]) -> "Iterator[Sample]":
    """Yield the samples of a split, opened and prepared one by one."""
    from jobs.preprocess.images import prepare
    from shared.format.sample import Sample

    for number, index in enumerate(indexes):
        item = source.items[index]
        image = prepare(item.open(), config.size_px, config.channels, config.crop, config.resize_filter)
        yield Sample(key=f"{split}-{number:08d}", image=image, label=item.label, meta={"origin": item.origin})


def draw(run: Run, dataset: "Dataset") -> None:
    """Draw ten images of each class and how many images each class and split has."""
    from shared.figures import class_balance, class_rows, save_png
    from shared.format.shards import preview

    samples = preview(run.folder, dataset.splits["train"], per_class=10)
    title = f"real train images, first 10 of each class, {dataset.size_px}x{dataset.size_px} px"
    save_png(class_rows(samples, dataset.classes, title), run.figures / "samples.png")
    counts = {name: split.class_counts for name, split in dataset.splits.items()}
    save_png(class_balance(counts, dataset.classes), run.figures / "class_balance.png")


if __name__ == "__main__":
    main()
