"""The command `train_gan`."""

import click

from jobs.pipeline import TRAIN_GAN
from jobs.train_gan.families import FAMILIES, LOSSES, NETWORKS
from jobs.train_gan.options import DECAYS, GanConfig
from jobs.train_gan.validate import validate
from shared.cli.job import job
from shared.cli.run import Result, Run
from shared.models.tables import INITS, NORMS

POSITIVE = click.FloatRange(0, min_open=True)
SHARE = click.FloatRange(0, 1)
BETA = click.FloatRange(0, 1, max_open=True)


@job(TRAIN_GAN, GanConfig, resumes=True, check=validate)
@click.option("--family", type=click.Choice(tuple(FAMILIES)), default="wgan_gp", help="GAN variant.")
@click.option("--networks", type=click.Choice(tuple(NETWORKS)), help="Their layers [default: the family's].")
@click.option("--loss", type=click.Choice(tuple(LOSSES)), help="Of both networks [default: the family's].")
@click.option("--conditional/--unconditional", default=None, help="Use the labels [default: the family's].")
@click.option(
    "--epochs", type=click.IntRange(1), default=40, help="Epochs of the train split to show the discriminator."
)
@click.option("--snapshot-every-epochs", type=click.IntRange(1), default=1, help="Epochs between snapshots.")
@click.option("--batch-images", type=click.IntRange(2), default=64, help="Real images in a step, over all processes.")
@click.option("--accumulate", type=click.IntRange(1), default=1, help="Parts that a step's batch is worked off in.")
@click.option("--latent", type=click.IntRange(1, 16384), default=64, help="Size of the latent vector.")
@click.option(
    "--width", type=click.IntRange(1, 4096), default=16, help="Channels of the widest maps' stage; see the networks."
)
@click.option("--learning-rate", type=POSITIVE, help="Of both [default: the family's].")
@click.option("--critic-steps", type=click.IntRange(1), help="Before each generator step [default: the family's].")
@click.option("--penalty-weight", type=click.FloatRange(0), help="Of the gradient penalty [default: the family's].")
@click.option("--clip", type=POSITIVE, help="Largest weight of the critic of `wgan` [default: the family's].")
@click.option("--beta1", type=BETA, help="Of Adam [default: the family's].")
@click.option("--beta2", type=BETA, help="Of Adam [default: the family's].")
@click.option("--real-target", type=SHARE, help="Label smoothing: 0.9 is one-sided [default: the family's].")
@click.option("--fake-target", type=SHARE, help="0.1 makes it two-sided [default: the family's].")
@click.option("--auxiliary-weight", type=POSITIVE, help="Of the class loss of `acgan` [default: the family's].")
@click.option("--generator-norm", type=click.Choice(tuple(NORMS)), help="[default: the family's]")
@click.option("--discriminator-norm", type=click.Choice(tuple(NORMS)), help="[default: the family's]")
@click.option("--bn-eps", type=POSITIVE, default=1e-5, help="Added to the variance in norms; seed S2 has 0.8.")
@click.option("--init", type=click.Choice(tuple(INITS)), help="How weights begin [default: the family's].")
@click.option(
    "--augment", default="none", help="Differentiable: of translation,cutout,colour those to apply, by comma."
)
@click.option("--flips/--no-flips", default=False, help="Mirror real images at random.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bf16"]),
    default="float32",
    help="Of convolutions; bf16 is for GPUs: on a CPU it is slower than float32.",
)
@click.option(
    "--compile/--no-compile",
    default=False,
    help="Compile the networks (with a gradient penalty the generator): for long runs on a GPU.",
)
@click.option("--decay", type=click.Choice(DECAYS), default="none", help="How the learning rate falls.")
@click.option("--ema-images", type=click.IntRange(0), default=5000, help="Half-life of the generator's average.")
@click.option("--ema-ramp", type=SHARE, default=0.05, help="At most this share of the images seen.")
def main(run: Run, config: GanConfig) -> Result | None:
    """Train a GAN on the real train split; run the same command again to resume.

    Writes the model `gan`: a snapshot of the averaged generator per epoch, the training state, losses
    (metrics.jsonl, TensorBoard) and a sample grid from fixed latents per snapshot.
    """
    from jobs.train_gan.experiment import train_family

    return train_family(run, config)


if __name__ == "__main__":
    main()
