"""The command `train_gan`."""

from jobs.pipeline import JOB_NAMES, TRAIN_GAN
from jobs.train_gan.options import GanOptions
from jobs.train_gan.validate import validate
from shared.cli.job import job
from shared.cli.run import How, Result, Run
from shared.lazy import Lazy
from shared.store.identity import Extends

EXTENDS = Extends(("epochs",), Lazy("jobs.train_gan.plan:how_far"))


@job(
    TRAIN_GAN,
    GanOptions,
    jobs=JOB_NAMES,
    how=How(resumes=True, preload=("jobs.train_gan.experiment",), extends=EXTENDS),
    validate=validate,
)
def main(run: Run, config: GanOptions) -> Result | None:
    """Train a GAN on the real train split; run the same command again to resume, with more epochs to go on.

    Writes a model `gan` for each replicate: a snapshot of the averaged generator per epoch, the training state, losses
    (metrics.jsonl, TensorBoard), and of each snapshot a panel of real and generated images.
    """
    # imported here: torch takes seconds, and --help and option checks need none of it
    from jobs.train_gan.experiment import train_family

    return train_family(run, config)


if __name__ == "__main__":
    main()
