"""GAN training by several processes takes the steps of one, and its check finds what is broken."""

import json
import os
import shutil
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
from torch import Tensor

from jobs.train_gan.families import FAMILIES
from shared.runtime.process_group import ProcessGroup
from shared.store.artifacts import Artifact, open_artifact
from shared.store.checkpoints import load

ROOT = Path(__file__).resolve().parents[3]


def start(script: list[str], rank: int, world: int, port: int) -> subprocess.Popen[str]:
    """Start one of `world` processes that train together."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    group = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)} if world > 1 else {}
    return subprocess.Popen(
        [sys.executable, *script],
        env=os.environ | place | group | {"OMP_NUM_THREADS": "1"},
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


def ends(processes: list[subprocess.Popen[str]], timeout_s: float = 120) -> list[tuple[int, str]]:
    """Wait for every process; return (exit code, standard error) of each. None outlives the wait."""
    try:
        said = [process.communicate(timeout=timeout_s)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


CHECK = """
import json
import sys
import test_gan_processes as tests
from jobs.selfcheck import distributed as distributed_check
from jobs.train_gan import steps
from shared.runtime.process_group import ProcessGroup, leave
tests.BROKEN[sys.argv[1]](steps)
found = list(distributed_check.check_families("cpu", tuple(sys.argv[3:])))
if ProcessGroup("cpu").is_main:
    with open(sys.argv[2], "w") as file:
        json.dump([[each.family, each.passed, each.critic] for each in found], file)
leave()
"""


def two_backwards(steps: Any) -> None:
    """Run a backward for each loss of a critic step."""

    def backward(models: Any, config: Any, losses: dict[str, Tensor], total: dict[str, Tensor]) -> None:
        for name, value in losses.items():
            models.group.backward(value)
            total[name] = value.detach()

    steps._backward = backward


def unsynchronised_loss(steps: Any) -> None:
    """Skip gradient synchronisation for the loss, and average the penalty alone."""

    def backward(models: Any, config: Any, losses: dict[str, Tensor], total: dict[str, Tensor]) -> None:
        *first, last = losses.values()
        if first and hasattr(models.discriminator, "no_sync"):
            with models.discriminator.no_sync():
                torch.stack(first).sum().backward(retain_graph=True)
        last.backward()
        total |= {name: value.detach() for name, value in losses.items()}

    steps._backward = backward


def lazy_penalty(steps: Any) -> None:
    """Run the backward of the penalty alone, as in lazy regularisation."""

    def backward(models: Any, config: Any, losses: dict[str, Tensor], total: dict[str, Tensor]) -> None:
        models.group.backward(losses.get("penalty", next(iter(losses.values()))))
        total |= {name: value.detach() for name, value in losses.items()}

    steps._backward = backward


def static_graph(steps: Any) -> None:
    """Use DistributedDataParallel with a static graph, which a double backward violates."""
    wrap = ProcessGroup.wrap

    def wrapped(group: Any, network: Any) -> Any:
        found = wrap(group, network)
        if hasattr(found, "_set_static_graph"):
            found._set_static_graph()
        return found

    ProcessGroup.wrap = wrapped  # type: ignore[method-assign]


def lonely_batch_norm(steps: Any) -> None:
    """Use batch norm over this process's part of the batch only, like torch's own on a CPU."""
    from shared.models import layers

    layers.BatchNorm.forward = torch.nn.BatchNorm2d.forward  # type: ignore[method-assign]


def own_draws(steps: Any) -> None:
    """Draw latents independently in every process."""
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
    """Run the distributed check in two processes with a fault; return how they end and what is found."""
    path = tmp_path / "found.json"
    found = ends(together(["-c", CHECK, broken, str(path), *families], 2))
    return found, json.loads(path.read_text()) if path.exists() else []


@pytest.mark.long
def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """For every family two processes that share a batch have the gradients of the whole batch, in both steps.

    After 20 steps both hold the same weights.
    """
    processes, found = check(tmp_path, "nothing", *FAMILIES)
    assert [code for code, _ in processes] == [0, 0], processes
    assert found == [[family, True, None] for family in FAMILIES]


@pytest.mark.long
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
    """Each silent fault fails the check: it finds a difference, or torch raises an error."""
    processes, found = check(tmp_path, broken, family)
    assert not found or [each[1] for each in found] == [False], (processes, found)


def command(root: Path, epochs: int) -> list[str]:
    """Return the command that trains a tiny GAN on the volume `root`."""
    return ["-m", "jobs.train_gan", *options(root, epochs)]


def options(root: Path, epochs: int) -> list[str]:
    """Return the options of that command."""
    words = ["--data-root", str(root), "--experiment", "small", "--device", "cpu"]
    sizes = ["--batch-images", "8", "--critic-steps", "1", "--width", "2", "--latent", "4"]
    return [*words, *sizes, "--epochs", str(epochs), "--snapshot-every-epochs", str(epochs)]


@pytest.mark.long
def test_two_processes_train_one_artifact(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """Two processes write one artifact together and both end with 0."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    found = ends(together(command(tmp_path, epochs=2), world=2))
    assert [code for code, _ in found] == [0, 0], found
    artifact = open_artifact(tmp_path / "small" / "gan" / "r00", "model", "train_gan")
    assert [row["images_seen"] for row in artifact.facts["snapshots"]] == [48]


DOUBLE = """
import runpy
import torch
torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
runpy.run_module("jobs.train_gan", run_name="__main__")
"""
"""Train in float64."""


@pytest.mark.long
@pytest.mark.parametrize(("family", "module"), [("dcgan", ["-m", "jobs.train_gan"]), ("wgan_gp", ["-c", DOUBLE])])
def test_one_two_and_four_processes_train_the_same_weights(
    family: str, module: list[str], make_dataset: Callable[..., Artifact], tmp_path: Path
) -> None:
    """After 21 steps on the same global batches the weights of 1, 2 and 4 processes are equal to 1e-5.

    WGAN-GPs are trained in float64. Their generator has biases in front of batch norm, and their critic one whose
    gradients from real and fake images cancel: such gradients are 0 but for rounding, and Adam divides them by their
    own size, so that in float32 a step moves these weights by up to the learning rate, in either direction.
    """
    weights = {}
    for world in (1, 2, 4):
        root = tmp_path / str(world)
        make_dataset(root / "small" / "real", train=24, val=6, test=6)
        found = ends(together([*module, *options(root, epochs=7), "--family", family], world), timeout_s=600)
        assert [code for code, _ in found] == [0] * world, found
        (path,) = (root / "small" / "gan" / "r00" / "snapshots").glob("*.safetensors")
        weights[world] = load(path.read_bytes(), str(path))[0]
    for world in (2, 4):
        assert weights[world].keys() == weights[1].keys()
        for name, alone in weights[1].items():
            torch.testing.assert_close(weights[world][name], alone, rtol=1e-5, atol=1e-5, msg=f"{world}: {name}")


@pytest.mark.long
def test_the_first_process_says_which_replicates_are_made(
    make_dataset: Callable[..., Artifact], tmp_path: Path
) -> None:
    """A process that sees the volume as it was earlier makes the replicate that the first process makes."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    make_dataset(here / "small" / "real", train=24, val=6, test=6)
    shutil.copytree(here, elsewhere)
    words = ["--replicates", "2"]
    found = ends(together([*command(here, epochs=2), *words], world=2))
    assert [code for code, _ in found] == [0, 0], found
    made = here / "small" / "gan" / "r01"
    wanted = (made / "manifest.json").read_bytes()
    shutil.rmtree(made)
    port = free_port()
    roots = enumerate((here, elsewhere))
    found = ends([start([*command(root, epochs=2), *words], rank, 2, port) for rank, root in roots])
    assert [code for code, _ in found] == [0, 0], found
    assert "r00" in found[0][1]
    assert (made / "manifest.json").read_bytes() == wanted


LOST = """
import sys
from shared.runtime.process_group import leave
from tests.jobs.train_gan.test_gan_steps import make_config, make_state
state = make_state(make_config("dcgan"))
before, names = state.lost(), list(state.average.state_dict())
if state.group.rank == 1:
    state.average.state_dict()[names[0]].fill_(float("inf"))
sys.stderr.write(f"{before}; {state.lost() == names[0] + ' of the average generator'}\\n")
leave()
"""


@pytest.mark.long
def test_every_process_reports_a_non_finite_weight() -> None:
    """A weight that is infinite on the second process alone is named by both."""
    found = ends(together(["-c", LOST], world=2))
    assert [(code, said.splitlines()[-1]) for code, said in found] == [(0, "None; True")] * 2, found


@pytest.mark.long
def test_a_signal_to_one_process_stops_both(make_dataset: Callable[..., Artifact], tmp_path: Path) -> None:
    """SIGTERM to the second of two processes ends both with 75 after the first has saved a checkpoint."""
    make_dataset(tmp_path / "small" / "real", train=24, val=6, test=6)
    processes = together(command(tmp_path, epochs=100_000), world=2)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "small" / "gan").glob(".r00-*/tensorboard/*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    processes[1].send_signal(signal.SIGTERM)
    found = ends(processes)
    assert [code for code, _ in found] == [75, 75], found
    assert list((tmp_path / "small" / "gan").glob(".r00-*/checkpoint.safetensors"))
