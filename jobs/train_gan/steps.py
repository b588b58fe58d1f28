"""One critic step and one generator step; what they draw depends on (seed, step) alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jobs.train_gan.families import LOSSES, Family
from jobs.train_gan.objectives import gradient_penalty, interpolate
from jobs.train_gan.options import GanOptions
from shared.data.augmentation import augment, flip, params_per_image
from shared.models.layers import couples_images
from shared.runtime.devices import send, sound_kernels
from shared.runtime.process_group import ProcessGroup
from shared.runtime.seeding import Stream, make_generator, seed_everything

Losses = dict[str, Tensor]
"""What a step lowered, by name: scalars, detached."""


@dataclass
class Models:
    """Generator and discriminator as `group` wrapped them, and their optimizers."""

    group: ProcessGroup
    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer


class Draws:
    """The random numbers of one step: drawn for the global batch, cut to this process's part.

    So any number of processes draws the same numbers for the same global batch. Layers that draw by themselves do so
    from torch's global generator, which is seeded here too.
    """

    def __init__(self, group: ProcessGroup, batch_images: int, *seed: int) -> None:
        # dropout and similar layers take no generator of their own
        seed_everything(*seed, Stream.GAN_STEP_LAYERS)
        # on the CPU for every device: a GPU's generator gives other numbers for the same seed
        self._generator = make_generator(*seed)
        self._batch_images = batch_images
        # drawn whole on every process, then cut: cheaper than communication, and independent of the number of processes
        share = batch_images // group.world
        self._own = slice(group.rank * share, (group.rank + 1) * share)
        self._device = group.device

    def normal(self, width: int) -> Tensor:
        """Return (n, width) from N(0, 1)."""
        return send(torch.randn(self._batch_images, width, generator=self._generator)[self._own], self._device)

    def uniform(self, width: int) -> Tensor:
        """Return (n, width) from [0, 1)."""
        return send(torch.rand(self._batch_images, width, generator=self._generator)[self._own], self._device)


@dataclass(frozen=True)
class Batch:
    """What one step works on, or an equal part of it: real images (n, C, S, S) in [-1, 1] and all it draws.

    `epsilon` (n,) in [0, 1) are the points of the gradient penalty between real and fake images.
    """

    real: Tensor
    labels: Tensor
    latents: Tensor
    epsilon: Tensor
    augment_params_real: Tensor
    augment_params_fake: Tensor

    def parts(self, count: int) -> Iterator["Batch"]:
        """Yield `count` equal parts of the batch."""
        columns = [column.chunk(count) for column in vars(self).values()]
        return (Batch(*tensors) for tensors in zip(*columns, strict=True))


def draw_batch(config: GanOptions, draws: Draws, real: Tensor, labels: Tensor) -> Batch:
    """Return the batch of a step on `real` images of `labels`, flipped where the config says so."""
    params = params_per_image(config.augmentations)
    # the order of these draws is part of every trained weight; what a family does not use is drawn all the same, so
    # that its latents are those of the others
    batch = Batch(
        real=real,
        labels=labels,
        latents=draws.normal(config.latent),
        epsilon=draws.uniform(1).squeeze(1),
        augment_params_real=draws.uniform(params),
        augment_params_fake=draws.uniform(params),
    )
    return replace(batch, real=flip(real, draws.uniform(1))) if config.flips else batch


def train_step(models: Models, family: Family, config: GanOptions, batch: Batch) -> Losses:
    """Take a critic step and a generator step on the same fakes, as the usual loops do: one pass of the generator."""
    fake = None
    # with gradient accumulation the graph of all fakes would be kept at once, which is what it is there to avoid:
    # each step then makes its own fakes from the same latents
    if config.accumulate == 1:
        with mixed_precision(models, config):
            fake = models.generator(batch.latents, batch.labels)
    losses = critic_step(models, family, config, batch, fake)
    return losses | generator_step(models, family, config, batch, fake)


def critic_step(models: Models, family: Family, config: GanOptions, batch: Batch, fake: Tensor | None = None) -> Losses:
    """Update the discriminator once on the real images of `batch` and as many fakes of the same labels.

    `fake` are the generator's images for the whole batch if there are any yet.
    """
    # the generator step before this one switched them off
    models.discriminator.requires_grad_(True)
    models.discriminator_optimizer.zero_grad(set_to_none=True)
    means: Losses = {}
    for number, part in enumerate(batch.parts(config.accumulate), start=1):
        # no gradient reaches the generator from here: its images are constants to the discriminator's loss
        with torch.no_grad(), mixed_precision(models, config):
            images = models.generator(part.latents, part.labels) if fake is None else fake.detach()
        with models.group.no_sync_unless(models.discriminator, is_last=number == config.accumulate):
            losses = _critic_losses(models, family, config, part, images.float())
            _backward(models, config, losses, means)
    models.discriminator_optimizer.step()
    # after the optimizer's step, as in the paper: the constraint is on the weights that the next loss sees
    if family.clip is not None:  # Arjovsky et al. 2017, algorithm 1, line 7
        with torch.no_grad():
            for parameter in models.discriminator.parameters():
                parameter.clamp_(-family.clip, family.clip)
    return means


def generator_step(
    models: Models, family: Family, config: GanOptions, batch: Batch, fake: Tensor | None = None
) -> Losses:
    """Update the generator once on fakes of the labels of `batch`; its real images are for losses that compare.

    `fake` are its images for the whole batch, with their graph, if there are any yet.
    """
    # without its wrapper and without gradients: gradients pass through the discriminator to the images, none stays
    discriminator = models.group.unwrap(models.discriminator).requires_grad_(False)
    models.generator_optimizer.zero_grad(set_to_none=True)
    loss, means = LOSSES[family.loss], Losses()
    for number, part in enumerate(batch.parts(config.accumulate), start=1):
        with models.group.no_sync_unless(models.generator, is_last=number == config.accumulate):
            with mixed_precision(models, config):
                real = None
                if loss.sees_real:  # relativistic losses compare each fake with a real image
                    with torch.no_grad():
                        augmented = augment(part.real, config.augmentations, part.augment_params_real)
                        real = _logits(discriminator(augmented, part.labels))
                made = models.generator(part.latents, part.labels) if fake is None else fake
                # Zhao et al. 2020: the generator's images are augmented too, or it would learn the changes
                augmented = augment(made.float(), config.augmentations, part.augment_params_fake)
                output = discriminator(augmented, part.labels)
            losses = {"generator_loss": loss.generator.get()(real, _logits(output))}
            if family.auxiliary_weight:
                losses["generator_class_loss"] = family.auxiliary_weight * _class_loss(output, part.labels)
            _backward(models, config, losses, means)
    models.generator_optimizer.step()
    return means


@contextmanager
def mixed_precision(models: Models, config: GanOptions) -> Iterator[None]:
    """Let convolutions run in bfloat16 where the config says so; weights stay float32."""
    device = models.group.device
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")
    with sound_kernels(device, config.precision), autocast:
        yield


def _critic_losses(models: Models, family: Family, config: GanOptions, part: Batch, fake: Tensor) -> Losses:
    """Return the losses of the discriminator on one part, with their graphs.

    A gradient penalty is taken in float32; one on real and fake images shares their pass, which then is float32 too.
    """
    penalty, loss = family.penalty, LOSSES[family.loss]
    # Zhao et al. 2020: real and fake images alike, or the discriminator would tell them apart by the augmentation
    real = augment(part.real, config.augmentations, part.augment_params_real)
    fake = augment(fake, config.augmentations, part.augment_params_fake)
    images = torch.cat([real, fake])
    # R1 and R2 are penalties on the images of the loss themselves: a second pass over them would only repeat the first
    shares_pass = penalty is not None and not penalty.interpolated
    if shares_pass:
        images.requires_grad_(True)
        # no mixed precision: the penalty differentiates a gradient, for which bfloat16 is too coarse
        output = _discriminate(models, images, part.labels)
    else:
        with mixed_precision(models, config):
            output = _discriminate(models, images, part.labels)
    real_output, fake_output = output.chunk(2)
    targets = {"real_target": family.real_target, "fake_target": family.fake_target} if loss.has_targets else {}
    losses = {"discriminator_loss": loss.discriminator.get()(_logits(real_output), _logits(fake_output), **targets)}
    if family.auxiliary_weight:
        # Odena et al. 2017, eq. 3: the class of fakes counts as well as that of real images
        class_loss = _class_loss(real_output, part.labels) + _class_loss(fake_output, part.labels)
        losses["discriminator_class_loss"] = family.auxiliary_weight * class_loss
    if penalty is not None and family.penalty_weight is not None:
        # Gulrajani et al. 2017, algorithm 1, line 6, or R1 and R2 on the very images of the loss
        points = images if shares_pass else interpolate(real, fake, part.epsilon).requires_grad_(True)
        values = _logits(output if shares_pass else models.discriminator(points, part.labels))
        losses["penalty"] = family.penalty_weight * gradient_penalty(values, points, penalty.centre)
    return losses


def _discriminate(models: Models, images: Tensor, labels: Tensor) -> Tensor:
    """Return the discriminator's output on real and fake images of the same `labels`, in this order.

    Both go through it together, unless a pass couples its images: then real and fake have a pass each.
    """
    # batch norm over both would mix the statistics of real and fake images, by which it could tell the two apart
    if not couples_images(models.discriminator):
        return models.discriminator(images, labels.repeat(2))  # type: ignore[no-any-return]
    return torch.cat([models.discriminator(half, labels) for half in images.chunk(2)])


def _logits(output: Tensor) -> Tensor:
    """Return the logits (N,) in a discriminator's output (N,) or (N, 1 + classes), as float32."""
    # losses take exponentials and means, in which bfloat16 loses too much
    return (output if output.dim() == 1 else output[:, 0]).float()


def _class_loss(output: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy of the auxiliary head's classes (Odena et al. 2017, eq. 3)."""
    return F.cross_entropy(output[:, 1:].float(), labels)


def _backward(models: Models, config: GanOptions, losses: Losses, means: Losses) -> None:
    """Add the gradients of one part's losses, and the losses to `means` over the gradient-accumulation steps."""
    grad_accum_steps = config.accumulate
    # one backward for all losses: the first one averages gradients over processes, what a second one adds would stay
    # this process's own, without an error
    with sound_kernels(models.group.device, config.precision):
        models.group.backward(torch.stack(list(losses.values())).sum() / grad_accum_steps)
    for name, value in losses.items():
        # detached: a mean that kept its graph would keep every step's activations in memory
        means[name] = means.get(name, torch.zeros_like(value)) + value.detach() / grad_accum_steps
