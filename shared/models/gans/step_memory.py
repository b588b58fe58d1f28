"""What a step of a GAN needs of memory, told before anything is computed."""

from collections.abc import Callable

import torch

from shared.models.gans.build import build_discriminator, build_generator
from shared.models.inference import ADAM_NUMBERS, PROBED, kept_for_gradients
from shared.models.tables import Spec
from shared.runtime.memory import check_step_fits

TWICE = 3
"""How many times the layers of a discriminator are held for an image that it is differentiated twice for."""


def check_gan_step(
    name: str,
    specs: tuple[Spec, Spec],
    batch_images: int,
    classes: int,
    penalised: int,
    device: torch.device,
) -> None:
    """Raise BadConfig where a step of the networks called `name` does not fit, with the largest batch that does.

    `specs` are those of generator and discriminator, `batch_images` what one process works on at once. `penalised` is
    how many images have a gradient penalty for each real one. A step holds the layers of the generator for its fakes,
    those of the discriminator for these and for the real images, and for each penalised image TWICE as many.
    """
    size_px = specs[1]["size_px"]
    assert isinstance(size_px, int)  # as `build_discriminator` needs it
    few, more = (_held(specs, images, classes, penalised) for images in (PROBED, 2 * PROBED))
    each = (more - few) // PROBED
    numbers = [_numbers(build, spec) for build, spec in zip((build_generator, build_discriminator), specs, strict=True)]
    # the generator has an average too
    weights = 4 * (ADAM_NUMBERS * sum(numbers) + numbers[0]) + few - PROBED * each
    check_step_fits(name, batch_images, size_px, each, weights, device, "fewer channels (--width)")


def _numbers(build: Callable[[Spec], torch.nn.Module], spec: Spec) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(spec).parameters())


def _held(specs: tuple[Spec, Spec], images: int, classes: int, penalised: int) -> int:
    """Return the bytes that a step on a number of images keeps for its gradients, its weights left out."""
    # nothing is computed on "meta", so that the largest networks can be tried
    with torch.device("meta"):
        generator, discriminator = build_generator(specs[0]), build_discriminator(specs[1])
        labels, latents = torch.arange(images) % max(classes, 1), torch.zeros(images, generator.latent)
        with kept_for_gradients(generator) as drawn:
            fakes = generator(latents, labels)
        with kept_for_gradients(discriminator) as seen:
            discriminator(fakes, labels)
    return sum(drawn.values()) + (2 + TWICE * penalised) * sum(seen.values())
