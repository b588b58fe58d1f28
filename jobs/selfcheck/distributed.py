"""Check, for every family, that the processes of a launcher take the same steps as a single process.

Each process takes the step on the whole batch alone and on its part of the batch together with the others, from the
same weights and the same draws, then compares the gradients. Mistakes here raise no error: see `ProcessGroup.backward`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from jobs.train_gan import steps
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.state import State, specs
from shared.format.manifest import Dataset
from shared.runtime.process_group import ProcessGroup, SingleProcess

IMAGES_EACH = 4
STEPS = 20
SEED = 7
TOLERANCE = 1e-5
"""Largest difference of a gradient, as a share of its norm."""

NOTHING = 1e-7
"""Absolute tolerance per square root of a gradient's size: gradients that cancel to 0 differ by rounding alone."""

INFO = Dataset(classes=["a", "b", "c"], size_px=16, channels=1, preparation={}, splits={})


@dataclass(frozen=True)
class Finding:
    """What the check of one family found: the first tensor that differs in each part, None where none does."""

    family: str
    critic: str | None
    generator: str | None
    weights: str | None

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return (self.critic, self.generator, self.weights) == (None, None, None)


def check_families(device: str, families: tuple[str, ...] = tuple(FAMILIES)) -> Iterator[Finding]:
    """Yield what each family's check finds; every process must go through it, and gets the same answer."""
    group = ProcessGroup(device)
    for family in families:
        critic = first_difference(group, family, steps.critic_step, "discriminator")
        generator = first_difference(group, family, steps.generator_step, "generator")
        yield Finding(family, critic, generator, first_disagreement(group, family))


def make_config(family: str, world: int) -> GanOptions:
    """Return a tiny config of this family for `world` processes."""
    return GanOptions(
        family=family,
        epochs=1,
        snapshot_every_epochs=1,
        batch_images=IMAGES_EACH * world,
        latent=4,
        width=4,
        learning_rate=1e-2,  # large, so that processes that differ drift apart within STEPS
        decay="none",
        ema_images=100,
        seed=0,
    )


def make_state(group: ProcessGroup, config: GanOptions) -> State:
    """Return fresh networks and optimizers: the same for every process group."""
    family = resolve(config)
    return State(group, family, config, specs(family, config, INFO))


def make_batch(group: ProcessGroup, config: GanOptions, step: int) -> steps.Batch:
    """Return this process's part of the batch of a step: noise as real images, and what is drawn."""
    draws = steps.Draws(group, config.batch_images, SEED, step)
    # noise is enough: gradients are compared, not images
    real = draws.uniform(INFO.channels * INFO.size_px**2) * 2 - 1
    labels = (draws.uniform(1).squeeze(1) * len(INFO.classes)).long()
    return steps.draw_batch(config, draws, real.view(-1, INFO.channels, INFO.size_px, INFO.size_px), labels)


def first_difference(group: ProcessGroup, family: str, step: Callable[..., Any], network: str) -> str | None:
    """Return the name of the first gradient of `network` that differs between the group and one process alone."""
    config = make_config(family, group.world)
    gradients: list[dict[str, Tensor]] = []
    for processes in (group, SingleProcess(group.device)):
        state = make_state(processes, config)
        step(state.models, state.family, config, make_batch(processes, config, 0))
        plain = processes.unwrap(getattr(state.models, network))
        named = plain.named_parameters()
        gradients.append({name: value.grad for name, value in named if value.grad is not None})
    together, alone = gradients
    for name, expected in alone.items():
        apart = (together[name] - expected).norm() if name in together else torch.tensor(torch.inf)
        # asked of all processes, so that every one of them stops at the same tensor
        if group.any(bool(apart > TOLERANCE * expected.norm() + NOTHING * expected.numel() ** 0.5)):
            return f"gradient of {network}.{name}"
    return None


def first_disagreement(group: ProcessGroup, family: str) -> str | None:
    """Return the name of the first weight that is not the same on every process after STEPS steps of both kinds."""
    config = make_config(family, group.world)
    state = make_state(group, config)
    for step in range(STEPS):
        steps.train_step(state.models, state.family, config, make_batch(group, config, step))
    for network in ("discriminator", "generator"):
        for name, value in group.unwrap(getattr(state.models, network)).state_dict().items():
            if not group.all_equal(value):
                return f"{network}.{name}"
    return None
