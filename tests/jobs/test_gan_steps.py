"""The steps of GAN training in one process and in two, and the generator's moving average."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from jobs.train_gan.config import GanConfig
from jobs.train_gan.families import FAMILIES, resolve
from jobs.train_gan.state import State
from jobs.train_gan.steps import Draws, critic_step, generator_step
from shared.artifacts import Artifact, open_artifact
from shared.distributed import Team

ROOT = Path(__file__).resolve().parents[2]
SHAPE = {"size_px": 16, "channels": 1, "classes": 3, "width": 2}
SPECS = ({"name": "class_dcgan", "latent": 4, **SHAPE}, {"name": "projection", **SHAPE})

every_family = pytest.mark.parametrize("family", sorted(FAMILIES))


def make_state(family: str) -> State:
    """Return a fresh state of this family, its learning rate high enough that one step shows."""
    options: dict[str, Any] = dict.fromkeys(("critic_steps", "penalty_weight", "beta1", "beta2"))
    config = GanConfig(
        family=family,
        epochs=1,
        snapshot_every_epochs=1,
        batch_images=8,
        latent=4,
        width=2,
        learning_rate=1e-2,
        decay="none",
        ema_images=100,
        seed=0,
        **options,
    )
    return State(Team("cpu"), resolve(config), config, SPECS)


def batch() -> tuple[Tensor, Tensor]:
    """Return the global batch: eight images in [-1, 1] and their labels."""
    chance = torch.Generator().manual_seed(9)
    return torch.rand(8, 1, 16, 16, generator=chance) * 2 - 1, torch.arange(8) % 3


def critic_once(state: State) -> tuple[Tensor, Tensor]:
    """Take one critic step on this process's part of the batch, fakes from a generator that does not adapt."""
    state.models.generator.eval()  # batch norm in training mode would see another batch on each process
    images, labels = batch()
    mine = slice(state.team.rank * 8 // state.team.world, (state.team.rank + 1) * 8 // state.team.world)
    draws = Draws(state.team, 8, 1, 2)
    latents, shares = draws.normal(4), draws.uniform()
    return critic_step(state.models, state.family, images[mine], labels[mine], latents, shares)  # type: ignore[no-any-return]


def parameters(network: Any) -> dict[str, Tensor]:
    """Return copies of the trainable numbers of a network."""
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def differing(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Return the names of the parameters that changed."""
    return {name for name in before if not torch.equal(before[name], after[name])}


@every_family
def test_a_critic_step_moves_the_discriminator_only(family: str) -> None:
    """After a critic step every layer of the discriminator has moved and no parameter of the generator has."""
    state = make_state(family)
    generator, discriminator = parameters(state.models.generator), parameters(state.models.discriminator)
    critic_once(state)
    assert differing(generator, parameters(state.models.generator)) == set()
    moved = differing(discriminator, parameters(state.models.discriminator))
    assert {name for name in discriminator if "weight" in name} <= moved


@every_family
def test_a_generator_step_moves_the_generator_only(family: str) -> None:
    """After a generator step the generator has moved; the discriminator has not, and gathered no gradients."""
    state = make_state(family)
    images, labels = batch()
    generator, discriminator = parameters(state.models.generator), parameters(state.models.discriminator)
    generator_step(state.models, state.family, images, labels, Draws(state.team, 8, 1, 3).normal(4))
    assert differing(discriminator, parameters(state.models.discriminator)) == set()
    assert [value for value in state.models.discriminator.parameters() if value.grad is not None] == []
    assert {"embed.weight", "start.weight", "finish.weight"} <= differing(generator, parameters(state.models.generator))


def test_a_critic_step_reports_its_loss_and_penalty() -> None:
    """The numbers of a WGAN-GP step are those of Gulrajani et al. 2017, eq. 3, taken image by image."""
    state = make_state("wgan_gp")
    images, labels = batch()
    critic, generator = state.models.discriminator, state.models.generator.eval()
    draws = Draws(state.team, 8, 1, 2)
    latents, shares = draws.normal(4), draws.uniform()
    with torch.no_grad():
        fakes = generator(latents, labels)
        loss = critic(fakes, labels).mean() - critic(images, labels).mean()
    squares = []
    for real, fake, share, label in zip(images, fakes, shares, labels, strict=True):
        point = (share * real + (1 - share) * fake)[None].requires_grad_()
        (slope,) = torch.autograd.grad(critic(point, label[None]), point)
        squares.append((slope.norm().item() - 1) ** 2)
    found_loss, found_penalty = critic_once(state)
    assert found_loss.item() == pytest.approx(loss.item(), rel=1e-4, abs=1e-6)
    assert found_penalty.item() == pytest.approx(10 * sum(squares) / 8, rel=1e-4)


@pytest.mark.parametrize(
    ("half_life_images", "images", "seen_images", "kept"),
    [
        (100, 100, 10**9, 0.5),  # one half-life
        (100, 50, 10**9, 0.5**0.5),
        (100, 50, 200, 0.5**5),  # early: at most 5 % of the 200 images seen, so five half-lives of 10
        (0, 50, 10**9, 0.0),  # no average at all
    ],
)
def test_average_by_hand(half_life_images: float, images: int, seen_images: int, kept: float) -> None:
    """After a half-life of images half of the old average is left; early on the half-life is shorter."""
    state = make_state("wgan_gp")
    with torch.no_grad():
        for network, value in ((state.average, 1.0), (state.models.generator, 3.0)):
            for tensor in network.state_dict().values():
                tensor.fill_(value)
    state.update_average(half_life_images, images, seen_images)
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


ONE_STEP = """
import sys
from pathlib import Path
import test_gan_steps as steps
from shared.checkpoints import save
state = steps.make_state(sys.argv[1])
steps.critic_once(state)
team = state.team
network = team.plain(state.models.discriminator)
tensors = {f"weight {name}": value for name, value in network.named_parameters()}
tensors |= {f"gradient {name}": value.grad for name, value in network.named_parameters()}
save(Path(sys.argv[2]) / f"{team.rank}-of-{team.world}", tensors, {})
"""


@pytest.mark.slow
@every_family
def test_two_processes_take_the_critic_step_of_one(family: str, tmp_path: Path) -> None:
    """Two processes that share a batch take the gradients of the whole batch and end with the same discriminator.

    The weights of one process and of two are not compared: Adam's first step is nearly the gradient's sign, so it
    blows the rounding of a gradient that cancels to 0 up to a full step.
    """
    script = ["-c", ONE_STEP, family, str(tmp_path)]
    for world in (1, 2):
        assert [code for code, _ in ends(together(script, world))] == [0] * world
    alone, first, second = (load_file(tmp_path / name) for name in ("0-of-1", "0-of-2", "1-of-2"))
    for name, expected in alone.items():
        assert torch.equal(first[name], second[name]), name
        if name.startswith("gradient"):
            assert (first[name] - expected).norm() <= 1e-5 * expected.norm() + 1e-7, name


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
