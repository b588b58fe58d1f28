"""The command `synthesize`."""

from jobs.pipeline import JOB_NAMES, SYNTHESIZE
from jobs.synthesize.options import SynthesizeOptions
from jobs.synthesize.validate import declare
from shared.cli.job import job
from shared.cli.run import Result, Run
from shared.errors import BadConfig


@job(SYNTHESIZE, SynthesizeOptions, jobs=JOB_NAMES, declare=declare)
def main(run: Run, config: SynthesizeOptions) -> Result | None:
    """Generate floor(share * train images) images from the chosen snapshot, annotate them, write them as shards.

    Classes are asked for in the proportions of the train split; the label of a sample is the one that the
    annotator gives, with its confidence in the sample's json. With --parts several processes write a part of the shards
    each. Writes the dataset `synthetic` and figures of
    annotated images, labels and confidence.
    """
    from jobs.synthesize.writer import write_synthetic
    from shared.data.sampling import floor_share
    from shared.format.shards import preview
    from shared.plots.figures import annotated_grid, class_balance, confidence_histogram, save_png
    from shared.store.records.datasets import SyntheticRecord

    total = floor_share(config.share, run.inputs["real"].dataset.splits["train"].count)
    if total < 1:
        raise BadConfig(f"--share {config.share}: gives no image at all; take a larger share")
    written = write_synthetic(run, total, config.shard_images, config.seed)
    if written is None:
        return None
    dataset, facts = written
    samples = preview(run.folder, dataset.splits["train"], per_class=max(100 // len(dataset.classes), 1))
    save_png(annotated_grid(samples, dataset.classes), run.figures / "annotated.png")
    counts = {"asked": facts["asked_counts"], "annotated": facts["annotated_counts"]}
    counts = {name: found for name, found in counts.items() if found is not None}
    save_png(class_balance(counts, dataset.classes, "synthetic images"), run.figures / "labels.png")
    save_png(confidence_histogram(facts), run.figures / "confidence.png")
    agreement = facts["agreement"]
    agrees = "" if agreement is None else f"annotation agrees with the class asked for in {agreement:.1%}, "
    return Result(
        SyntheticRecord.model_validate(facts),
        dataset,
        f"{total:,} images; {agrees}median confidence {facts['confidence_median']:.3f}",
    )


if __name__ == "__main__":
    main()
