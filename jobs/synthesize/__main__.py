"""The command `synthesize`."""

from jobs.pipeline import JOB_NAMES, PREPROCESS, SYNTHESIZE
from jobs.synthesize.options import SynthesizeOptions
from jobs.synthesize.validate import declare
from shared.cli.job import job
from shared.cli.run import How, Result, Run
from shared.errors import BadConfig


@job(
    SYNTHESIZE,
    SynthesizeOptions,
    jobs=JOB_NAMES,
    how=How(preload=("jobs.synthesize.writer", "shared.plots.gallery")),
    declare=declare,
)
def main(run: Run, config: SynthesizeOptions) -> Result | None:
    """Generate floor(share * train images) images from the chosen snapshot, annotate them, write them as shards.

    Classes are asked for in the proportions of the train split; the label of a sample is the one that the
    annotator gives, with its confidence in the sample's json. With --parts several processes share the
    shards. Writes the dataset `synthetic` and figures of annotated images, labels and confidence.
    """
    from jobs.synthesize.writer import write_synthetic
    from shared.data.sampling import floor_share
    from shared.plots.gallery import save_all, synthetic_pictures

    # the count of a share, rounded down as the arms of train_mixed round theirs
    total = floor_share(config.share, run.input(PREPROCESS).dataset.splits["train"].count)
    if total < 1:
        raise BadConfig(f"--share {config.share}: gives no image at all; take a larger share")
    written = write_synthetic(run, total, config.shard_images, config.seed)
    if written is None:
        return None
    dataset, record = written
    save_all(synthetic_pictures(run.folder, dataset, record), run.figures)
    agrees = (
        "" if record.agreement is None else f"annotation agrees with the class asked for in {record.agreement:.1%}, "
    )
    return Result(record, dataset, f"{total:,} images; {agrees}median confidence {record.confidence_median:.3f}")


if __name__ == "__main__":
    main()
