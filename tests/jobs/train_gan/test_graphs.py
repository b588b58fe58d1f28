"""Steps as CUDA graphs, their recorder replaced by one of the CPU; `tests/gpu` records on a GPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from jobs.train_gan.experiment import check
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.gpu.graphs import TAKEN_FIRST, Graphs, set_learning_rate, settle
from jobs.train_gan.loop import iterate
from jobs.train_gan.steps import Losses
from shared.errors import BadConfig
from shared.runtime.process_group import SingleProcess
from tests.jobs.train_gan.test_gan_steps import make_config, make_state

every_family = pytest.mark.parametrize("family", sorted(FAMILIES))


class CpuRecorder:
    """Does recorded work again from the tensors that it was recorded with; counts what was taken apart."""

    def __init__(self) -> None:
        self.taken, self.recorded = 0, 0

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Count a step that is taken as it is."""
        self.taken += 1
        yield

    def record(self, work: Callable[[], Losses]) -> tuple[Callable[[], None], Losses]:
        """Return what does the work and leaves its losses in the same tensors each time."""
        self.recorded += 1
        losses: Losses = {}

        def replay() -> None:
            for name, value in work().items():
                losses[name] = losses[name].copy_(value) if name in losses else value.clone()

        return replay, losses


def batches() -> Iterator[tuple[Tensor, Tensor]]:
    """Yield another batch of eight images and labels each time."""
    chance = torch.Generator().manual_seed(9)
    while True:
        pixels = torch.randint(0, 256, (8, 1, 16, 16), dtype=torch.uint8, generator=chance)
        yield pixels, torch.randint(0, 3, (8,), generator=chance)


@every_family
def test_replayed_steps_are_the_steps(family: str) -> None:
    """With each step replayed from its fourth call on, all losses and weights are those of the steps themselves.

    Losses are collected first and read at the end: each is a tensor of its own.
    """
    found, recorder = [], CpuRecorder()
    for graphs in (None, Graphs(recorder)):
        config = make_config(family, critic_steps=2, flips=True, augment="translation,cutout")
        state = make_state(config)
        state.graphs = graphs
        stream = batches()
        losses = [step for _ in range(TAKEN_FIRST + 3) for step in iterate(state, config, stream)]
        networks = (state.models.generator, state.models.discriminator)
        weights = [value for network in networks for value in network.state_dict().values()]
        found.append([*(value for step in losses for value in step.values()), *weights])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    assert (recorder.taken, recorder.recorded) == (2 * TAKEN_FIRST, 2)


@pytest.mark.parametrize("family", ["dcgan", "wgan"])
def test_an_optimizer_is_settled_for_the_run_that_it_is_in(family: str) -> None:
    """Recorded steps read the learning rate from a tensor, which is set in place; others have the number again."""
    config = make_config(family, critic_steps=1)
    state = make_state(config)
    list(iterate(state, config, batches()))
    optimizer = state.models.generator_optimizer
    plain = str(optimizer.state_dict())
    settle(optimizer, recorded=True)
    (group,) = optimizer.param_groups
    rate = group["lr"]
    assert group["capturable"] is True
    assert isinstance(rate, Tensor)
    set_learning_rate(optimizer, 0.25)
    assert group["lr"] is rate
    assert float(rate) == 0.25
    settle(optimizer, recorded=False)
    assert group["lr"] == 0.25
    set_learning_rate(optimizer, config.learning_rate or 0.0)
    assert str(optimizer.state_dict()) == plain


def test_graphs_want_a_gpu() -> None:
    """--cuda-graphs on a CPU is refused with 2, before anything is trained."""
    with pytest.raises(BadConfig, match="--cuda-graphs: want one process on one NVIDIA GPU, and this runs on cpu"):
        check(make_config("dcgan", cuda_graphs=True), SingleProcess(torch.device("cpu")))


def test_graphs_want_one_process() -> None:
    """--cuda-graphs with several processes is refused: what they send each other is not recorded."""
    group = SingleProcess(torch.device("cuda"))
    group.world = 2
    with pytest.raises(BadConfig, match="2 processes train together"):
        check(make_config("dcgan", cuda_graphs=True), group)
