"""Images a second that are trained on: whole iterations of ours against the loops that people copy, the same layers.

Ours is what `train_gan` does for each iteration: the batch, its random numbers, the steps, the average of the weights
and the losses. A peer is its steps alone, on a batch and latents that lie on the GPU, in float32, as it is written.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn

from tests.bench.libraries import mimicry, optimizer
from tests.bench.row import Missing
from tests.bench.rows import training as loops
from tests.gpu.part import Iteration, Row, Task, ratios, rounds_of, spread

MODES: dict[str, dict[str, Any]] = {
    "float32": {},
    "bf16": {"precision": "bf16"},
    "float32, graphs": {"cuda_graphs": True},
    "bf16, graphs": {"precision": "bf16", "cuda_graphs": True},
}
"""The options of ours that are compared."""

GOALS = {64: 1.5, 1024: 1.3}
"""What the fastest of ours is to be over each peer, by batch."""


def usual_r3gan(start: loops.Start) -> Iteration:
    """Return R3GAN's iteration as it is usually written: a pass and a penalty for each of real and fake images."""
    generator, discriminator = start.twins()
    sides = optimizer(generator, start), optimizer(discriminator, start)
    weight = start.family.penalty_weight

    def penalty(values: Tensor, images: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(values.sum(), images, create_graph=True)
        return gradient.square().sum((1, 2, 3)).mean()

    def iteration() -> list[Tensor]:
        discriminator.requires_grad_(True)
        fake = generator(start.latents, start.labels).detach().requires_grad_(True)
        real = start.real.detach().requires_grad_(True)
        of_real, of_fake = discriminator(real, start.labels), discriminator(fake, start.labels)
        loss = nn.functional.softplus(of_fake - of_real).mean()
        both = weight / 2 * (penalty(of_real, real) + penalty(of_fake, fake))
        sides[1].zero_grad()
        (loss + both).backward()
        sides[1].step()
        discriminator.requires_grad_(False)
        made = generator(start.latents, start.labels)
        of_real, of_fake = discriminator(start.real, start.labels), discriminator(made, start.labels)
        sides[0].zero_grad()
        generators = nn.functional.softplus(of_real - of_fake).mean()
        generators.backward()
        sides[0].step()
        return [each.detach() for each in (loss, both, generators)]

    return iteration


def steps_of(start: loops.Start, critic: Callable[..., Iteration], generator: Callable[..., Iteration]) -> Iteration:
    """Return an iteration of a peer: the family's critic steps, then a generator step."""
    one, other = critic(start), generator(start)

    def iteration() -> None:
        for _ in range(start.family.critic_steps):
            one()
        other()

    return iteration


Peer = Callable[[loops.Start], Iteration]

MIMICRY = partial(steps_of, critic=partial(mimicry, generator=False), generator=partial(mimicry, critic=False))

FAMILIES: dict[str, tuple[dict[str, Any], dict[str, Peer]]] = {
    "dcgan": ({}, {"pytorch/examples' loop": loops.pytorch_examples, "torch-mimicry": MIMICRY}),
    "wgan_gp": (
        loops.GP,
        {
            "the tutorials' loop": partial(steps_of, critic=loops.tutorial_critic, generator=loops.tutorial_generator),
            "torch-mimicry": MIMICRY,
        },
    ),
    "r3gan": ({"discriminator_norm": "none"}, {"the usual loop": usual_r3gan}),
}
"""The options of each family, and its peers."""


def measure(task: Task) -> Iterator[Row]:
    """Yield a row for each family, batch and mode; a batch that does not fit the GPU says so."""
    for batch in task.sizes.batches:
        for family in FAMILIES:
            try:
                yield from compared(task, family, batch)
            except torch.OutOfMemoryError:
                yield Row(f"{family}, batch {batch:,}", note="does not fit the GPU's memory")
            if task.device.type == "cuda":
                torch.cuda.empty_cache()


def compared(task: Task, family: str, batch: int) -> Iterator[Row]:
    """Yield a row for each mode of ours, against the family's peers in the same rounds."""
    options, peers = FAMILIES[family]
    make = partial(begin, task, family, batch, options)
    sides, missing = {mode: ours(make(**MODES[mode])) for mode in modes(task)}, []
    for name, peer in peers.items():
        try:
            sides[name] = peer(make())
        except (ImportError, Missing):
            missing.append(f"{name} is not installed")
    benchmark = torch.backends.cudnn.benchmark
    # as pytorch/examples sets it; ours do without, whose kernels then do not differ from run to run
    for name in peers.keys() & sides.keys():
        sides[name] = with_benchmark(sides[name])
    try:
        taken = rounds_of(sides, task)
    finally:
        torch.backends.cudnn.benchmark = benchmark
    theirs = {name: taken.pop(name) for name in peers if name in taken}
    best = min(taken, key=lambda mode: spread(taken[mode])[0])
    for mode, seconds in taken.items():
        middle, low, high = spread([images_of(task, family, batch) / each for each in seconds])
        against = ratios(seconds, theirs)
        aim = GOALS.get(batch) if mode == best else None
        yield Row(
            f"{family}, batch {batch:,}, {mode}", "images/s", middle, low, high, against,
            goal="" if aim is None else f"{aim}x each",
            met=None if aim is None or not against else all(ratio[0] >= aim for ratio in against.values()),
            note="; ".join(missing),
        )  # fmt: skip


def modes(task: Task) -> list[str]:
    """Return the modes that the device has."""
    return [mode for mode, options in MODES.items() if task.device.type == "cuda" or "cuda_graphs" not in options]


def begin(task: Task, family: str, batch: int, options: dict[str, Any], **mode: Any) -> loops.Start:
    """Return a family's networks on the task's device, and a batch."""
    size = {"size_px": task.sizes.size_px, "width": task.sizes.width, "ema_images": 10_000}
    return loops.start(None, family, batch, str(task.device), **size, **options, **mode)


def images_of(task: Task, family: str, batch: int) -> int:
    """Return the real images that an iteration sees: a batch for each critic step."""
    from jobs.train_gan.families import FAMILIES as ROWS

    return batch * ROWS[family].critic_steps


def ours(start: loops.Start) -> Iteration:
    """Return an iteration as the job's loop has it, on images that lie on the device."""
    from jobs.train_gan.loop import iterate
    from shared.data.images import to_uint8

    state, config = start.state, start.config
    stream = repeat((to_uint8(start.real), start.labels))

    def iteration() -> None:
        state.scale_learning_rate(1.0)
        for losses in iterate(state, config, stream):
            state.running_mean.add(losses)
        state.update_average(config, state.steps * config.batch_images * state.family.critic_steps)

    return iteration


def with_benchmark(iteration: Iteration) -> Iteration:
    """Return the iteration with cuDNN choosing its kernels by trial."""

    def tried() -> None:
        torch.backends.cudnn.benchmark = True
        iteration()
        torch.backends.cudnn.benchmark = False

    return tried
