"""tensorboard: shows finished and unfinished training, on this machine only."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from shared.plots.tensorboard import open_tensorboard
from shared.store.artifacts import Artifact
from tests.conftest import ROOT

DRAFT = "gan/.r00-0123456789ab/tensorboard"


@pytest.fixture(scope="module")
def served(volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve TensorBoard on the experiment `small` and a second, unfinished GAN; return the address."""
    root = tmp_path_factory.mktemp("board")
    shutil.copytree(volume / "small", root / "small")
    tensorboard = open_tensorboard(root / "small" / "gan" / ".r00-0123456789ab")
    for epoch in range(1, 13):
        tensorboard.add_scalar("generator_loss", 1 / epoch, epoch)
        tensorboard.add_image("samples", torch.zeros(1, 4, 4), epoch)
    tensorboard.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = ["--data-root", str(root), "--experiment", "small", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "tensorboard", *place],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(root)},
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(timeout=30) == 0


def ask(address: str, what: str) -> Any:
    """Return the JSON that TensorBoard answers."""
    with urllib.request.urlopen(f"{address}/data/{what}", timeout=10) as answer:
        return json.load(answer)


def ask_until(address: str, what: str, found: set[str], timeout_s: float = 90) -> Any:
    """Return the answer once it has every expected key; TensorBoard reads them one after the other."""
    deadline = time.monotonic() + timeout_s
    answer: Any = {}
    while time.monotonic() < deadline:
        try:
            answer = ask(address, what)
        except OSError:  # not listening yet
            answer = {}
        if found <= set(answer):
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what}: {answer}")


@pytest.mark.slow
def test_losses_scores_and_samples_of_every_epoch(served: str, made: dict[str, Artifact]) -> None:
    """Losses and grids of three epochs of the finished GAN and twelve of the unfinished one, three scores."""
    tags = ask_until(served, "plugin/scalars/tags", {"gan/r00/tensorboard", DRAFT, "scores/r00/tensorboard"})
    assert {"discriminator_loss", "generator_loss", "penalty"} <= set(tags["gan/r00/tensorboard"])
    history, rows = made["gan"].facts["history"], made["scores"].facts["rows"]
    expected = {"gan/r00/tensorboard": [row["generator_loss"] for row in history], DRAFT: [1 / n for n in range(1, 13)]}
    for run, values in expected.items():
        epochs = list(range(1, len(values) + 1))
        losses = ask(served, f"plugin/scalars/scalars?run={run}&tag=generator_loss")
        assert [step for _, step, _ in losses] == epochs
        assert [value for _, _, value in losses] == pytest.approx(values, rel=1e-6)
        images = ask(served, f"plugin/images/images?run={run}&tag=samples&sample=0")
        assert [image["step"] for image in images] == epochs
    scores = ask(served, "plugin/scalars/scalars?run=scores/r00/tensorboard&tag=frechet_classifier")
    assert [step for _, step, _ in scores] == [row["epoch"] for row in rows]
    assert [value for _, _, value in scores] == pytest.approx([row["frechet_classifier"] for row in rows], rel=1e-6)
    assert {"agreement", "ratio_to_real/diversity"} <= set(tags["scores/r00/tensorboard"])


@pytest.mark.slow
@pytest.mark.fault(13)
def test_a_foreign_name_gets_nothing(served: str) -> None:
    """The page is served under this machine's names alone, and reads no files that a folder of events names."""
    ask_until(served, "plugin/scalars/tags", {"gan/r00/tensorboard"})
    assert ask(served, "plugins_listing").keys() == {"scalars", "images", "timeseries"}
    foreign = urllib.request.Request(f"{served}/data/runs", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(foreign, timeout=10)
    refused.value.close()


@pytest.mark.slow
def test_its_page_asks_no_other_host(browser: Any, served: str) -> None:
    """In a browser it draws its charts, and every request goes to this machine."""
    ask_until(served, "plugin/scalars/tags", {"gan/r00/tensorboard"})
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served)
    page.get_by_text("generator_loss").first.wait_for(timeout=60_000)
    assert [url for url in asked if not url.startswith((served, "data:", "blob:"))] == []
    page.close()


def test_event_files_are_no_part_of_the_scores(made: dict[str, Artifact]) -> None:
    """They hold timestamps, so no manifest may list them."""
    assert list((made["scores"].folder / "tensorboard").iterdir())
    assert [info.name for info in made["scores"].manifest.files] == []


@pytest.mark.parametrize("command", ["tensorboard", "playground"])
def test_a_page_is_served_to_this_machine_alone(command: str) -> None:
    """Only --host lets others in."""
    (host,) = [param for param in halfreal.get_command(click.Context(halfreal), command).params if param.name == "host"]
    assert host.default == "127.0.0.1"


def test_an_experiment_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Exit code 2, with the command that makes it."""
    result = CliRunner().invoke(halfreal, ["tensorboard", "--data-root", str(tmp_path), "--experiment", "mine"])
    assert result.exit_code == 2
    assert "run first: halfreal run" in result.stderr


def test_a_port_that_is_taken_is_refused(volume: Path) -> None:
    """Exit code 2, and nothing else is tried."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = ["tensorboard", "--data-root", str(volume), "--experiment", "small"]
        result = CliRunner().invoke(halfreal, [*words, "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "cannot listen there" in result.stderr
