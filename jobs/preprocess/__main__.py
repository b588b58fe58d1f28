"""The command `preprocess`."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.pipeline import JOB_NAMES, PREPROCESS
from jobs.preprocess.options import PreprocessOptions
from jobs.preprocess.validate import declare, validate
from shared.cli.job import job
from shared.cli.run import Result, Run

if TYPE_CHECKING:
    from jobs.preprocess.placing import Readable
    from shared.format.manifest import Dataset


@job(PREPROCESS, PreprocessOptions, jobs=JOB_NAMES, validate=validate, declare=declare)
def main(run: Run, config: PreprocessOptions) -> Result | None:
    """Crop and resize real images, split them into train, val and test, write them as shards.

    The split is the source's own (folders, a column, an official one), or else random, seeded and stratified by class;
    with --group-column or --group-by images of one group are in one split. Val and test get their fraction of the
    distinct images, rounded up (val its fraction of the official train part, where the source has no val). With
    --limit-train or --per-class-train train is filled first, with exactly that many different images; an official test
    or val part stays whole, and what is drawn gets its fraction, or the rest where that is less. Equal images are never
    in two splits: a copy goes where the first one is, and a copy of a train image is left out where train has an exact
    size. With --held-out the test split is that set alone; images of it that are in the source, too, are left out, as
    whoever saw the source saw them. Unreadable images are counted and listed in rejected.jsonl; those that were drawn
    for such a train split are replaced. Files that are not taken are reported. Near-duplicates in different splits are
    counted and listed in near-duplicates.jsonl; nothing is moved. With --resplit each replicate gets a random split of
    its own; --audit-fraction, --train-val-fraction and --labelled-fraction keep images or labels back. With --parts
    several processes divide the images, to hash them and then to prepare them: each is read by one part. Between the
    two a part waits for those at work; it takes over what ended parts left, and ends where others have yet to begin.
    Writes the dataset `real`, each split in an order drawn from the seed, and figures of the preparation, of samples,
    class balance and split sizes.
    """
    from jobs.preprocess.held_out import with_held_out
    from jobs.preprocess.near_duplicates import find_near_duplicates
    from jobs.preprocess.writer import write_dataset
    from shared.sources.detect import find
    from shared.sources.table import SOURCES

    known = SOURCES[config.source]
    place = find(config.source_path, config.source, run.sources, may_be_new=bool(known.official))
    if config.source_path and not Path(config.source_path).is_absolute():
        run.reporter.info(f"reading {place}")
    with run.reporter.stop.at_once():
        source = with_held_out(run, config, known.read.get()(place, config.reading))
    written = write_dataset(run, config, source)
    if written is None:
        return None
    dataset, record, train = written
    near = find_near_duplicates(run, dataset, config.near_duplicates_bits)
    record = record.model_copy(update={"near_duplicates": near})
    draw(run, config, dataset, train)
    sizes = ", ".join(f"{name} {split.count:,}" for name, split in dataset.splits.items())
    aside = f"; {record.rejected} rejected, see rejected.jsonl" if record.rejected else ""
    return Result(record, dataset, f"{len(dataset.classes)} classes; {sizes} images{aside}")


def draw(run: Run, config: PreprocessOptions, dataset: "Dataset", train: "Readable") -> None:
    """Draw some train images before and after, ten of each class, and how many images each class and split has."""
    from jobs.preprocess.examples import examples_of
    from shared.data.examples import save_examples
    from shared.plots.gallery import real_pictures, save_all

    examples = examples_of(config, train.labels, train.item)
    # an input of the page too, which draws the same figure
    save_examples(run.folder, examples)
    save_all(real_pictures(run.folder, dataset, examples), run.figures)


if __name__ == "__main__":
    main()
