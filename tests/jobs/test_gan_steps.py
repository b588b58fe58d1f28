"""The steps of GAN training in one process and in two, and the generator's moving average."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from jobs.train_gan.config import GanConfig, resolve
from jobs.train_gan.families import FAMILIES
from jobs.train_gan.state import State, specs
from jobs.train_gan.steps import Batch, Draws, critic_step, draw_batch, generator_step
from shared.artifacts import Artifact, open_artifact
from shared.distributed import Team
from shared.format.manifest import Dataset

ROOT = Path(__file__).resolve().parents[2]
INFO = Dataset(classes=["a", "b", "c"], size_px=16, channels=1, preparation={}, splits={})

every_family = pytest.mark.parametrize("family", sorted(FAMILIES))


def make_config(family: str, **changes: Any) -> GanConfig:
    """Return a tiny config of this family, its learning rate high enough that one step shows."""
    options: dict[str, Any] = {"epochs": 1, "snapshot_every_epochs": 1, "batch_images": 8, "latent": 4, "width": 2}
    options |= {"learning_rate": 1e-2, "decay": "none", "ema_images": 100, "seed": 0}
    return GanConfig(family=family, **(options | changes))


def make_state(config: GanConfig) -> State:
    """Return a fresh state for images of 16 px, grey, in three classes."""
    family = resolve(config)
    return State(Team("cpu"), family, config, specs(family, config, INFO))


def batch(config: GanConfig) -> Batch:
    """Return a step on eight images in [-1, 1] and their labels."""
    chance = torch.Generator().manual_seed(9)
    images = torch.rand(8, 1, 16, 16, generator=chance) * 2 - 1
    return draw_batch(config, Draws(Team("cpu"), 8, 1, 2), images, torch.arange(8) % 3)


def parameters(network: Any) -> dict[str, Tensor]:
    """Return copies of the trainable numbers of a network."""
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def differing(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Return the names of the parameters that changed."""
    return {name for name in before if not torch.equal(before[name], after[name])}


@every_family
def test_a_critic_step_moves_the_discriminator_only(family: str) -> None:
    """After a critic step every layer of the discriminator has moved and no parameter of the generator has."""
    config = make_config(family)
    state = make_state(config)
    generator, discriminator = parameters(state.models.generator), parameters(state.models.discriminator)
    critic_step(state.models, state.family, config, batch(config))
    assert differing(generator, parameters(state.models.generator)) == set()
    moved = differing(discriminator, parameters(state.models.discriminator))
    assert {name for name in discriminator if "weight" in name} <= moved


@every_family
def test_a_generator_step_moves_the_generator_only(family: str) -> None:
    """After a generator step the generator has moved; the discriminator has not, and gathered no gradients."""
    config = make_config(family)
    state = make_state(config)
    generator, discriminator = parameters(state.models.generator), parameters(state.models.discriminator)
    generator_step(state.models, state.family, config, batch(config))
    assert differing(discriminator, parameters(state.models.discriminator)) == set()
    assert [value for value in state.models.discriminator.parameters() if value.grad is not None] == []
    moved = differing(generator, parameters(state.models.generator))
    assert {name for name in generator if "weight" in name} <= moved


@every_family
def test_every_family_reports_what_it_lowers(family: str) -> None:
    """A step hands back each of its losses by name, finite: a penalty or class losses only where the row has them."""
    config = make_config(family)
    state = make_state(config)
    row = FAMILIES[family]
    critic = critic_step(state.models, state.family, config, batch(config))
    drawn = generator_step(state.models, state.family, config, batch(config))
    classes = row.auxiliary_weight > 0
    expected = {"discriminator_loss"} | ({"penalty"} if row.penalty else set())
    assert set(critic) == expected | ({"discriminator_class_loss"} if classes else set())
    assert set(drawn) == {"generator_loss"} | ({"generator_class_loss"} if classes else set())
    assert all(torch.isfinite(value) and not value.requires_grad for value in (*critic.values(), *drawn.values()))


def test_a_critic_step_reports_its_loss_and_penalty() -> None:
    """The numbers of a WGAN-GP step are those of Gulrajani et al. 2017, eq. 3, taken image by image."""
    config = make_config("wgan_gp")
    state, part = make_state(config), batch(config)
    critic, generator = state.models.discriminator, deepcopy(state.models.generator)
    with torch.no_grad():
        fakes = generator(part.latents, part.labels)
        loss = critic(fakes, part.labels).mean() - critic(part.real, part.labels).mean()
    squares = []
    for real, fake, share, label in zip(part.real, fakes, part.shares, part.labels, strict=True):
        point = (share * real + (1 - share) * fake)[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(point, label[None]), point)
        squares.append((slope.norm().item() - 1) ** 2)
    found = critic_step(state.models, state.family, config, part)
    assert found["discriminator_loss"].item() == pytest.approx(loss.item(), rel=1e-4, abs=1e-6)
    assert found["penalty"].item() == pytest.approx(10 * sum(squares) / 8, rel=1e-4)


def test_clipping_keeps_every_weight_of_the_critic_small() -> None:
    """Arjovsky et al. 2017, algorithm 1: after a critic step of wgan no weight is larger than the clip."""
    config = make_config("wgan", clip=0.02)
    state = make_state(config)
    assert max(value.abs().max().item() for value in state.models.discriminator.parameters()) > 0.02
    critic_step(state.models, state.family, config, batch(config))
    assert max(value.abs().max().item() for value in state.models.discriminator.parameters()) <= 0.02


@pytest.mark.parametrize("family", ["wgan_gp", "r3gan"])
def test_parts_of_a_batch_add_up_to_its_gradients(family: str) -> None:
    """A batch worked off in four parts gives the gradients, and reports the losses, of the batch in one piece.

    The generator is in evaluation mode, since batch norm sees only its part.
    """
    found = []
    for parts in (1, 4):
        config = make_config(family, accumulate=parts)
        state = make_state(config)
        state.models.generator.eval()
        losses = [step(state.models, state.family, config, batch(config)) for step in (critic_step, generator_step)]
        networks = (state.models.discriminator, state.models.generator)
        gradients = [value.grad for network in networks for value in network.parameters() if value.grad is not None]
        found.append((gradients, [value for part in losses for value in part.values()]))
    for whole, joined in zip(found[0][0][:4], found[1][0][:4], strict=True):
        assert torch.allclose(whole, joined, atol=1e-5, rtol=1e-4)
    assert torch.allclose(found[0][1][0], found[1][1][0], rtol=1e-4)


@every_family
def test_bfloat16_leaves_the_weights_float32(family: str) -> None:
    """With bf16 autocast every loss stays near its float32 value, and weights and their gradients are float32."""
    values = {}
    for precision in ("float32", "bf16"):
        config = make_config(family, precision=precision)
        state = make_state(config)
        values[precision] = critic_step(state.models, state.family, config, batch(config))
        values[precision] |= generator_step(state.models, state.family, config, batch(config))
        dtypes = {value.dtype for value in state.models.generator.parameters()}
        dtypes |= {value.grad.dtype for value in state.models.generator.parameters() if value.grad is not None}
        assert dtypes == {torch.float32}
    for name, value in values["float32"].items():
        assert values["bf16"][name].item() == pytest.approx(value.item(), rel=0.1, abs=0.1), name


def test_the_penalty_of_a_bfloat16_run_is_taken_in_float32() -> None:
    """The gradient penalty of wgan_gp is the same number, to rounding of the fakes, whatever the precision."""
    found = {}
    for precision in ("float32", "bf16"):
        config = make_config("wgan_gp", precision=precision)
        state = make_state(config)
        found[precision] = critic_step(state.models, state.family, config, batch(config))["penalty"].item()
    assert found["bf16"] == pytest.approx(found["float32"], rel=2e-3)


@pytest.mark.parametrize(
    ("half_life_images", "images", "seen_images", "kept"),
    [
        (100, 100, 10**9, 0.5),  # one half-life
        (100, 50, 10**9, 0.5**0.5),
        (100, 50, 200, 0.5**5),  # early: at most 5 % of the 200 images seen, so five half-lives of 10
        (0, 50, 10**9, 0.0),  # no average at all
    ],
)
def test_average_by_hand(half_life_images: int, images: int, seen_images: int, kept: float) -> None:
    """After a half-life of images half of the old average is left; early on the half-life is shorter."""
    config = make_config("wgan_gp", ema_images=half_life_images, batch_images=images)
    state = make_state(config)
    with torch.no_grad():
        for network, value in ((state.average, 1.0), (state.models.generator, 3.0)):
            for tensor in network.state_dict().values():
                tensor.fill_(value)
    state.update_average(config, seen_images)
    for name, tensor in state.average.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, torch.full_like(tensor, 3 - 2 * kept), atol=1e-6), name


def start(script: list[str], rank: int, world: int, port: int) -> subprocess.Popen[str]:
    """Start one of `world` processes that train together."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    team = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)} if world > 1 else {}
    return subprocess.Popen(
        [sys.executable, *script],
        env=os.environ | place | team | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def together(script: list[str], world: int) -> list[subprocess.Popen[str]]:
    """Start `world` processes of the same script."""
    port = free_port()
    return [start(script, rank, world, port) for rank in range(world)]


def ends(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Wait for every process; return (exit code, standard error) of each."""
    said = [process.communicate(timeout=120)[1] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


CHECK = """
import json
import sys
import test_gan_steps as tests
from jobs.train_gan import distributed_check, steps
from shared.distributed import Team
from shared.format.manifest import Dataset
tests.BROKEN[sys.argv[1]](steps)
found = list(distributed_check.check_families("cpu", tuple(sys.argv[3:])))
if Team("cpu").lead:
    with open(sys.argv[2], "w") as file:
        json.dump([[each.family, each.passed, each.critic] for each in found], file)
"""


def two_backwards(steps: Any) -> None:
    """Each loss of a critic step goes through a backward of its own."""

    def lower(models: Any, config: Any, losses: dict[str, Tensor], total: dict[str, Tensor]) -> None:
        for name, value in losses.items():
            models.team.backward(value)
            total[name] = value.detach()

    steps._lower = lower


def unsynchronised_loss(steps: Any) -> None:
    """Gather the gradients of the loss without telling the others, then average the penalty alone."""

    def lower(models: Any, config: Any, losses: dict[str, Tensor], total: dict[str, Tensor]) -> None:
        *first, last = losses.values()
        if first and hasattr(models.discriminator, "no_sync"):
            with models.discriminator.no_sync():
                torch.stack(first).sum().backward(retain_graph=True)
        last.backward()
        total |= {name: value.detach() for name, value in losses.items()}

    steps._lower = lower


def lazy_penalty(steps: Any) -> None:
    """Only the penalty goes through the backward, as in steps of lazy regularisation."""

    def lower(models: Any, config: Any, losses: dict[str, Tensor], total: dict[str, Tensor]) -> None:
        models.team.backward(losses.get("penalty", next(iter(losses.values()))))
        total |= {name: value.detach() for name, value in losses.items()}

    steps._lower = lower


def static_graph(steps: Any) -> None:
    """DistributedDataParallel is told that its graph never changes, which a double backward does."""
    wrap = Team.wrap

    def wrapped(team: Any, network: Any) -> Any:
        found = wrap(team, network)
        if hasattr(found, "_set_static_graph"):
            found._set_static_graph()
        return found

    Team.wrap = wrapped  # type: ignore[method-assign]


def lonely_batch_norm(steps: Any) -> None:
    """Batch norm sees this process's part of the batch only, as torch's own does on a CPU."""
    from shared.networks import layers

    layers.BatchNorm.forward = torch.nn.BatchNorm2d.forward  # type: ignore[method-assign]


def own_draws(steps: Any) -> None:
    """Every process draws latents for itself."""
    normal = steps.Draws.normal

    def drawn(draws: Any, width: int) -> Tensor:
        return normal(draws, width) + torch.distributed.get_rank() * (draws._mine != slice(0, draws._batch_images))

    steps.Draws.normal = drawn


BROKEN: dict[str, Callable[[Any], None]] = {
    "nothing": lambda steps: None,
    "two_backwards": two_backwards,
    "unsynchronised_loss": unsynchronised_loss,
    "lazy_penalty": lazy_penalty,
    "static_graph": static_graph,
    "lonely_batch_norm": lonely_batch_norm,
    "own_draws": own_draws,
}


def check(tmp_path: Path, broken: str, *families: str) -> tuple[list[tuple[int, str]], list[list[Any]]]:
    """Run the distributed check in two processes with something broken; return how they end and what is found."""
    path = tmp_path / "found.json"
    found = ends(together(["-c", CHECK, broken, str(path), *families], 2))
    return found, json.loads(path.read_text()) if path.exists() else []


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """For every family two processes that share a batch take the gradients of the whole batch, in both steps.

    After 20 steps both hold the same weights.
    """
    processes, found = check(tmp_path, "nothing", *FAMILIES)
    assert [code for code, _ in processes] == [0, 0], processes
    assert found == [[family, True, None] for family in FAMILIES]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "family"),
    [
        ("two_backwards", "wgan_gp"),
        ("unsynchronised_loss", "wgan_gp"),
        ("lazy_penalty", "wgan_gp"),
        ("static_graph", "wgan_gp"),
        ("lonely_batch_norm", "dcgan"),
        ("own_draws", "dcgan"),
    ],
)
def test_the_check_finds_what_is_broken(broken: str, family: str, tmp_path: Path) -> None:
    """Each pattern that goes wrong in silence fails the check: it finds a difference, or torch raises an error."""
    processes, found = check(tmp_path, broken, family)
    assert not found or [each[1] for each in found] == [False], (processes, found)


def command(root: Path, epochs: int) -> list[str]:
    """Return the words that train a tiny GAN on the volume `root`."""
    words = ["-m", "jobs.train_gan", "--data-root", str(root), "--experiment", "small", "--device", "cpu"]
    sizes = ["--batch-images", "8", "--critic-steps", "1", "--width", "2", "--latent", "4"]
    return [*words, *sizes, "--epochs", str(epochs), "--snapshot-every-epochs", str(epochs)]


@pytest.mark.slow
def test_two_processes_train_one_artifact(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Two processes write one artifact together and both end with 0."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    found = ends(together(command(tmp_path, epochs=2), world=2))
    assert [code for code, _ in found] == [0, 0], found
    artifact = open_artifact(tmp_path / "small" / "gan", "model", "train_gan")
    assert [row["images_seen"] for row in artifact.facts["snapshots"]] == [48]


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """SIGTERM to the second of two processes ends both with 75 after the first has saved a checkpoint."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    processes = together(command(tmp_path, epochs=100_000), world=2)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "small").glob(".gan-*/tensorboard/*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    processes[1].send_signal(signal.SIGTERM)
    found = ends(processes)
    assert [code for code, _ in found] == [75, 75], found
    assert list((tmp_path / "small").glob(".gan-*/checkpoint.safetensors"))
