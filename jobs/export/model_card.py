"""The model card of an exported generator, rendered from the template model_card.md."""

from collections.abc import Mapping

from jobs.export.card import found, reached_with, template
from jobs.pipeline import PREPROCESS, TRAIN_GAN
from shared.store.artifacts import Artifact, input_of
from shared.store.records.gan import Snapshot


def render(inputs: Mapping[str, Artifact], snapshot: Snapshot, replicate: int) -> str:
    """Return the card of a snapshot of the generator among the artifacts `inputs`, those of one `replicate`."""
    gan = input_of(inputs, TRAIN_GAN).record
    real = input_of(inputs, PREPROCESS).dataset
    return template("model_card.md").render(
        **found(inputs, replicate),
        family=gan.family,
        epoch=snapshot.epoch,
        conditional=gan.conditional,
        latent=gan.latent,
        size_px=real.size_px,
        channels=real.channels,
        here="The generator here is that",
        reached=f"The first answer was reached {reached_with(inputs)}.",
    )
