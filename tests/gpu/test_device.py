"""The device's paths: every family trains there, resumes, and takes the CPU's steps; precisions, layouts, graphs.

`make gpu` runs this on a GPU. On a CPU, where `make test` has it, the same tests hold that they can run at all.
"""

import os
import shutil
from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.train_gan.families import FAMILIES
from jobs.train_gan.loop import iterate
from jobs.train_gan.options import GanOptions, resolve
from jobs.train_gan.state import State, specs
from shared.format.manifest import Dataset
from shared.runtime.process_group import SingleProcess
from tests.gpu.part import DEVICE
from tests.gpu.waits import profiled

HERE = torch.device(os.environ.get(DEVICE, "cpu"))
CPU = torch.device("cpu")

INFO = Dataset(classes=["a", "b", "c"], size_px=16, channels=1, preparation={}, splits={})

BATCH = 8

QUICK = ("dcgan", "wgan_gp")
"""The families that `make test` has; a GPU has all of them."""

every_family = pytest.mark.parametrize(
    "family", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in sorted(FAMILIES)]
)
on_gpu = pytest.mark.skipif(HERE.type != "cuda", reason="needs a GPU")


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let float32 be float32, and let a convolution take the same kernel each time."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def make(family: str, device: torch.device, **options: Any) -> tuple[State, GanOptions]:
    """Return a fresh state on `device` for images of 16 px, grey, in three classes, and its options."""
    size = {"epochs": 1, "snapshot_every_epochs": 1, "batch_images": BATCH, "latent": 4, "width": 4, "seed": 0}
    config = GanOptions(family=family, **(size | {"augment": "translation,cutout,colour", "flips": True} | options))
    found = resolve(config)
    return State(SingleProcess(device), found, config, specs(found, config, INFO)), config


def stream(device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Return the same two batches for ever, on `device`."""
    chance = torch.Generator().manual_seed(9)
    pixels = torch.randint(0, 256, (2, BATCH, 1, 16, 16), dtype=torch.uint8, generator=chance).to(device)
    labels = (torch.arange(BATCH) % 3).to(device)
    return (pair for _ in repeat(None) for pair in zip(pixels, (labels, labels), strict=True))


def train(state: State, config: GanOptions, iterations: int) -> list[dict[str, float]]:
    """Take whole iterations; return the losses of each step."""
    batches, found = stream(state.group.device), []
    for _ in range(iterations):
        state.scale_learning_rate(1.0)
        found += list(iterate(state, config, batches))
        state.update_average(config, state.steps * BATCH)
    return [{name: float(value) for name, value in losses.items()} for losses in found]


def near(found: list[dict[str, float]], wanted: list[dict[str, float]], relative: float) -> None:
    """Compare the losses of steps, in order."""
    for mine, other in zip(found, wanted, strict=True):
        assert mine == pytest.approx(other, rel=relative, abs=relative)


def numbers(state: State) -> dict[str, Tensor]:
    """Return copies of all that networks and optimizers hold, on the CPU, by name."""
    models = {"generator": state.models.generator, "discriminator": state.models.discriminator}
    networks = {**models, "average": state.average}
    found = {f"{name} {key}": value for name, net in networks.items() for key, value in net.state_dict().items()}
    for side, optimizer in (("G", state.models.generator_optimizer), ("D", state.models.discriminator_optimizer)):
        for place, memory in optimizer.state_dict()["state"].items():
            found |= {f"{side} {place} {key}": value for key, value in memory.items()}
    return {name: value.detach().cpu().clone() for name, value in found.items()}


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Compare all numbers, to the last bit."""
    assert found.keys() == wanted.keys()
    assert [name for name in found if not torch.equal(found[name], wanted[name])] == []


@every_family
def test_a_family_takes_the_steps_of_the_cpu(family: str) -> None:
    """The first iteration's losses are those of a CPU to 1e-3, those of three to a tenth; weights stay finite."""
    found = []
    for device in (HERE, CPU):
        state, config = make(family, device)
        found.append(train(state, config, 3))
        assert all(value.isfinite().all() for value in numbers(state).values())
    first = FAMILIES[family].critic_steps
    near(found[0][:first], found[1][:first], 1e-3)
    near(found[0], found[1], 0.1)


@every_family
def test_a_family_resumes(family: str, tmp_path: Path) -> None:
    """A checkpoint that was written on the device is read there to the last bit, and training goes on from it."""
    state, config = make(family, HERE)
    train(state, config, 2)
    state.save(tmp_path)
    resumed, _ = make(family, HERE)
    assert resumed.resume(tmp_path) == (True, False)
    same(numbers(resumed), numbers(state))
    near(train(resumed, config, 1), train(state, config, 1), 1e-3)


@pytest.mark.parametrize("family", ["dcgan", "wgan_gp", "r3gan"])
def test_bfloat16_takes_nearly_the_same_steps(family: str) -> None:
    """In bf16 the first losses are those of float32 to 5 %, and a penalty, which is float32, to 2 %."""
    found = {}
    for precision in ("float32", "bf16"):
        state, config = make(family, HERE, precision=precision)
        found[precision] = train(state, config, 1)[0]
    assert found["bf16"] == pytest.approx(found["float32"], rel=0.05, abs=0.05)
    if "penalty" in found["float32"]:
        assert found["bf16"]["penalty"] == pytest.approx(found["float32"]["penalty"], rel=0.02)


@every_family
def test_weights_have_the_layout_of_the_device(family: str, tmp_path: Path) -> None:
    """On a GPU convolutions' weights and their moments are channels last, after a checkpoint too; on a CPU not."""
    state, config = make(family, HERE)
    train(state, config, 1)
    state.save(tmp_path)
    resumed, _ = make(family, HERE)
    resumed.resume(tmp_path)
    wanted = torch.channels_last if HERE.type == "cuda" else torch.contiguous_format
    for each in (state, resumed):
        optimizers = (each.models.generator_optimizer, each.models.discriminator_optimizer)
        held = [value for optimizer in optimizers for memory in optimizer.state.values() for value in memory.values()]
        networks = (each.models.generator, each.models.discriminator, each.average)
        held += [value for network in networks for value in network.parameters()]
        maps = [value for value in held if value.dim() == 4 and value.numel() > 1]
        assert maps
        assert all(value.is_contiguous(memory_format=wanted) for value in maps)


@on_gpu
@every_family
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_graphs_take_the_same_steps(family: str, precision: str) -> None:
    """With --cuda-graphs eight iterations, of which five are replayed, have the losses of steps taken one by one."""
    found = []
    for graphs in (False, True):
        state, config = make(family, HERE, cuda_graphs=graphs, precision=precision, critic_steps=2)
        found.append(train(state, config, 8))
    near(found[1], found[0], 0.02 if precision == "float32" else 0.1)


@on_gpu
@every_family
def test_a_replayed_step_reads_the_learning_rate(family: str) -> None:
    """A learning rate of 0 that is set after a step was recorded stops its weights: it was not recorded with it."""
    state, config = make(family, HERE, cuda_graphs=True, critic_steps=1)
    train(state, config, 5)
    before = numbers(state)
    state.scale_learning_rate(0.0)
    list(iterate(state, config, stream(HERE)))
    networks = {"generator": state.models.generator, "discriminator": state.models.discriminator}
    trained = [f"{side} {name}" for side, network in networks.items() for name, _ in network.named_parameters()]
    after = numbers(state)
    assert [name for name in trained if not torch.equal(before[name], after[name])] == []


@on_gpu
@pytest.mark.parametrize("family", ["dcgan", "wgan"])
@pytest.mark.parametrize("then", [False, True])
def test_graphs_go_on_from_a_checkpoint_of_either_kind(family: str, then: bool, tmp_path: Path) -> None:
    """What was trained with graphs resumes without them, and the other way round."""
    state, config = make(family, HERE, cuda_graphs=not then, critic_steps=1)
    train(state, config, 6)
    state.save(tmp_path)
    resumed, other = make(family, HERE, cuda_graphs=then, critic_steps=1)
    resumed.resume(tmp_path)
    near(train(resumed, other, 5), train(state, config, 5), 0.02)


@on_gpu
@every_family
@pytest.mark.parametrize("graphs", [False, True])
def test_nothing_waits_in_a_step(family: str, graphs: bool) -> None:
    """Iterations neither synchronise nor copy anything from the GPU, says the profiler and torch's own check."""
    state, config = make(family, HERE, cuda_graphs=graphs)
    batches = stream(HERE)

    def iterations(count: int) -> None:
        for _ in islice(repeat(None), count):
            state.scale_learning_rate(1.0)
            for losses in iterate(state, config, batches):
                state.running_mean.add(losses)
            state.update_average(config, state.steps * BATCH)

    iterations(5)
    torch.cuda.synchronize()
    assert profiled(lambda: iterations(3)) == []
    torch.cuda.set_sync_debug_mode("error")
    try:
        iterations(2)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@on_gpu
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
# of torch's own, while it compiles
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:The distutils package is deprecated:DeprecationWarning")
@pytest.mark.parametrize("family", ["dcgan", "wgan_gp"])
def test_compiled_networks_take_the_same_steps(family: str) -> None:
    """With --compile the losses of an iteration are those of the plain networks."""
    found = []
    for compiled in (False, True):
        state, config = make(family, HERE, compile=compiled, critic_steps=1)
        found.append(train(state, config, 1))
    near(found[1], found[0], 1e-3)
