"""The command `synthesize`."""

from typing import TYPE_CHECKING

from jobs.pipeline import EVALUATE, JOB_NAMES, PREPROCESS, SYNTHESIZE
from jobs.synthesize.options import SynthesizeOptions
from jobs.synthesize.validate import declare, validate
from shared.cli.job import job
from shared.cli.run import How, Result, Run
from shared.errors import BadConfig, BadInput

if TYPE_CHECKING:
    from shared.format.manifest import Dataset
    from shared.store.records.datasets import SyntheticRecord

    Written = tuple[Dataset, SyntheticRecord]


@job(
    SYNTHESIZE,
    SynthesizeOptions,
    jobs=JOB_NAMES,
    how=How(preload=("jobs.synthesize.writer", "jobs.synthesize.importing", "shared.plots.gallery"), divides=True),
    validate=validate,
    declare=declare,
)
def main(run: Run, config: SynthesizeOptions) -> Result | None:
    """Generate floor(share * train images) images from the chosen snapshot, or import a set; annotate and write them.

    With --share-of unlabelled the share is one of the unlabelled real images, which the annotator names too. Classes
    are asked for in the proportions of the train split; the label of a sample is the one that the annotator gives, with
    its confidence in the sample's json. With --only-agreeing an image whose label is another one is dropped, counted
    and drawn again. With --source folder, csv or webdataset the images of any
    other generator are read from --source-path, all of them, and prepared as the real ones were: no GAN is needed.
    Unreadable ones are counted and listed in rejected.jsonl. With --parts several processes share the
    shards. Writes the dataset `synthetic` and figures of annotated images, labels and confidence.
    """
    from jobs.synthesize.unlabelled import annotate_unlabelled
    from shared.plots.gallery import save_all, synthetic_pictures

    written = imported(run, config) if config.imports else generated(run, config)
    if written is None:
        return None
    dataset, record = written
    # by the part that has found all shards there: the labels are of one file
    record = record.model_copy(update={"pseudo_counts": annotate_unlabelled(run)})
    save_all(synthetic_pictures(run.folder, dataset, record), run.figures)
    asked = "class asked for" if record.imported is None else "label of the set"
    agreement = record.drawn_agreement
    agrees = "" if agreement is None else f"annotation agrees with the {asked} in {agreement:.1%}, "
    if record.dropped:
        agrees += f"{record.dropped:,} of {record.drawn:,} dropped, "
    rejected = record.imported.rejected if record.imported else 0
    aside = f"; {rejected} rejected, see rejected.jsonl" if rejected else ""
    total = dataset.splits["train"].count
    return Result(record, dataset, f"{total:,} images; {agrees}median confidence {record.confidence_median:.3f}{aside}")


def generated(run: Run, config: SynthesizeOptions) -> "Written | None":
    """Write images of the chosen snapshot; None while shards of other parts are missing."""
    from jobs.synthesize.writer import write_synthetic
    from shared.data.sampling import floor_share

    scores = run.input(EVALUATE)
    if scores.record.imported:
        raise BadInput(f"{scores.folder}: scores of imported images choose no snapshot; run first: halfreal evaluate")
    # the count of a share, rounded down as the arms of train_mixed round theirs
    total = floor_share(config.share, run.input(PREPROCESS).split(config.share_of).count)
    if total < 1:
        raise BadConfig(f"--share {config.share}: gives no image at all; take a larger share")
    return write_synthetic(run, total, config)


def imported(run: Run, config: SynthesizeOptions) -> "Written | None":
    """Write the images of a set; None while shards of other parts are missing."""
    from jobs.synthesize.importing import import_images

    return import_images(run, config)


if __name__ == "__main__":
    main()
