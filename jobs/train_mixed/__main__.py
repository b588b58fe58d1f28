"""The command `train_mixed`."""

from typing import TYPE_CHECKING

from jobs.pipeline import FITS, JOB_NAMES, PREPROCESS, TRAIN_MIXED
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.validate import validate
from shared.cli.job import job
from shared.cli.run import How, Result, Run, Step
from shared.models.fit_options import FIT_IMPORTS

if TYPE_CHECKING:
    from shared.store.records.mixed import MixedRecord


def fits(run: Run, config: MixedOptions) -> Result | None:
    """Fit every arm of one replicate; None while fits of other parts are missing."""
    from jobs.train_mixed.fits import fit_replicate

    return fit_replicate(run, config)


@job(
    TRAIN_MIXED,
    MixedOptions,
    jobs=JOB_NAMES,
    how=How(
        after=(
            Step(
                FITS,
                fits,
                How(resumes=True, preload=(*FIT_IMPORTS, "sklearn.metrics", "jobs.train_mixed.fits"), divides=True),
            ),
        ),
        preload=("jobs.train_mixed.experiment", "shared.plots.mixed_gallery"),
    ),
    validate=validate,
)
def main(run: Run, config: MixedOptions) -> Result:
    """Train the same classifier on real, mixed and synthetic images; measure on the real test split.

    In a replicate every arm gets the same model, seed and patience; weights are chosen on the real val split and the
    test split is used once. With --parts several processes share the replicates, and the fits of each where there are
    more of them. Writes `fits` for each replicate, and from all of them the results `mixed`: a row for each arm, and
    the verdict.
    """
    from jobs.train_mixed.experiment import judge_replicates
    from shared.plots.gallery import save_all
    from shared.plots.mixed_gallery import mixed_pictures

    record = judge_replicates(run, config)
    save_all(mixed_pictures(record, run.input(PREPROCESS).dataset.classes), run.figures)
    return Result(record, summary=headline(record))


def headline(record: "MixedRecord") -> str:
    """Return the first answer in words, its warnings first, or what was trained where nothing is compared."""
    from shared.plots.answers import first_line

    said = record.top.text if record.top else f"{len(record.arms)} arms trained, none compared"
    line = first_line(record)
    return f"{line}\n{said}" if line else said


if __name__ == "__main__":
    main()
