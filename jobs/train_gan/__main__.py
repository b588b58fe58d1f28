"""The command `train_gan`."""

import click

from jobs.pipeline import TRAIN_GAN
from jobs.train_gan.config import DECAYS, FAMILY_NAMES, GanConfig
from shared.cli import job
from shared.job import Result, Run


@job(TRAIN_GAN, GanConfig, resumes=True)
@click.option("--family", type=click.Choice(FAMILY_NAMES), default="wgan_gp", help="GAN variant.")
@click.option(
    "--epochs", type=click.IntRange(1), default=40, help="Epochs of the train split to show the discriminator."
)
@click.option("--snapshot-every-epochs", type=click.IntRange(1), default=1, help="Epochs between snapshots.")
@click.option("--batch-images", type=click.IntRange(2), default=64, help="Real images in a step, over all processes.")
@click.option("--latent", type=click.IntRange(1), default=64, help="Size of the latent vector.")
@click.option("--width", type=click.IntRange(1), default=16, help="Channels at full size; doubled as the image halves.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Of both [default: the family's].")
@click.option("--critic-steps", type=click.IntRange(1), help="Before each generator step [default: the family's].")
@click.option("--penalty-weight", type=click.FloatRange(0), help="Of the gradient penalty [default: the family's].")
@click.option("--beta1", type=click.FloatRange(0, 1, max_open=True), help="Of Adam [default: the family's].")
@click.option("--beta2", type=click.FloatRange(0, 1, max_open=True), help="Of Adam [default: the family's].")
@click.option("--decay", type=click.Choice(DECAYS), default="none", help="How the learning rate falls.")
@click.option("--ema-images", type=click.IntRange(0), default=5000, help="Half-life of the generator's average.")
def main(run: Run, config: GanConfig) -> Result:
    """Train a class-conditional GAN on the real train split; run the same command again to resume.

    Writes the model `gan`: a snapshot of the averaged generator per epoch, the training state, losses
    (metrics.jsonl, TensorBoard) and a sample grid from fixed latents per snapshot.
    """
    from jobs.train_gan.loop import train

    return train(run, config)


if __name__ == "__main__":
    main()
