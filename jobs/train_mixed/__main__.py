"""The command `train_mixed`."""

from typing import TYPE_CHECKING

from jobs.pipeline import JOB_NAMES, PREPROCESS, SYNTHESIZE, TRAIN_MIXED
from jobs.train_mixed.arms import chosen_arms
from jobs.train_mixed.options import MixedOptions
from jobs.train_mixed.validate import validate
from shared.cli.job import job
from shared.cli.run import Result, Run

if TYPE_CHECKING:
    from shared.store.records.mixed import MixedRecord


@job(TRAIN_MIXED, MixedOptions, jobs=JOB_NAMES, resumes=True, validate=validate)
def main(run: Run, config: MixedOptions) -> Result:
    """Train the same classifier on real, mixed and synthetic images; measure on the real test split.

    Every arm gets the same model, seeds and number of optimizer steps; weights are chosen on the real val split
    and the test split is used once. Writes the results `mixed`: a row per arm and seed, and the verdict.
    """
    from jobs.train_mixed.experiment import Plan, run_experiment
    from shared.plots.gallery import mixed_pictures, save_all

    # the record of an unconditional generator has no agreement of asked and given labels
    conditional = run.input(SYNTHESIZE).record.agreement is not None
    arms = chosen_arms(config.arms, conditional)
    record = run_experiment(run, Plan(arms, config, config.seeds, config.seed, config.min_confidence))
    save_all(mixed_pictures(record, run.input(PREPROCESS).dataset.classes), run.figures)
    return Result(record, summary=headline(record))


def headline(record: "MixedRecord") -> str:
    """Return the first comparison in words, or what was trained where nothing is compared."""
    compared = record.comparisons
    return compared[0].sentence if compared else f"{len(record.arms)} arms trained, none compared"


if __name__ == "__main__":
    main()
