"""The command of `make gpu`: what it does where no GPU is, how it ends, and what its table says."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.train_gan.steps import train_step
from tests.gpu import __main__ as command
from tests.gpu.part import Row, Task, ratios
from tests.gpu.parts.training import FAMILIES, begin, usual_r3gan
from tests.gpu.sizes import TINY
from tests.gpu.table import markdown
from tests.gpu.waits import waits

ROOT = Path(__file__).resolve().parents[2]

LONG = ("fits", "features", "quality")
"""Parts that import much, or take networks of a real size."""


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Run the command in this process; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["tests.gpu", *map(str, words)])
    return command.main()


def test_without_a_gpu_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """On a machine without a GPU the command ends with 2, says so and what can be done, and writes nothing."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert call(monkeypatch, "--out", tmp_path / "gpu") == 2
    assert "no NVIDIA GPU" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("version", "code"), [("2.10.1", 2), ("2.11.0+cu130", 0), ("3.0.0", 0)])
def test_an_old_torch_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, code: int, tmp_path: Path) -> None:
    """A torch before 2.11 ends with 2; newer ones go on."""
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setattr(command, "run", lambda *_: {"ended": "whole", "seconds": 0.0, "rows": []})
    assert call(monkeypatch, "loading", "--device", "cpu", "--out", tmp_path) == code


def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A package that is not installed ends with 2 and is named, before anything is run."""
    monkeypatch.setitem(command.MODULES, "no_such_module", "no-such-package")
    assert call(monkeypatch, "--device", "cpu", "--out", tmp_path / "gpu") == 2
    assert "lacks no-such-package" in capsys.readouterr().err


BLOCKED = """
import sys
sys.modules |= dict.fromkeys(sys.argv[1:])  # as if they were not installed
import importlib
from tests.gpu.__main__ import PARTS
import tests.conftest, jobs.train_gan.loop, shared.models.fitting, shared.models.pretrained.inception
for part in PARTS.values():
    importlib.import_module(part.module)
"""


@pytest.mark.long
def test_what_is_named_is_all_that_is_imported(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Without every other package that halfreal depends on, all parts and the tests can be imported."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["playground"], *extras["tune"]]
    packages = {re.match(r"[\w-]+", line)[0].lower() for line in wanted} - set(command.MODULES.values())  # type: ignore[index]
    others = [module for module, names in packages_distributions().items() if packages & {*map(str.lower, names)}]
    assert {"obstore", "rich"} <= set(others)
    result = python(BLOCKED, *others)
    assert result.returncode == 0, result.stderr


def test_the_parts_are_within_ten_minutes() -> None:
    """The parts together get no more than the budget, which is ten minutes, and each could be begun alone."""
    assert command.BUDGET_S == 600
    assert sum(part.seconds for part in command.PARTS.values()) <= command.BUDGET_S
    assert all(part.least_s <= part.seconds for part in command.PARTS.values())


def test_a_part_that_does_not_fit_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With less time than a part needs nothing is run; table and JSON say so, and the exit code is 1."""
    assert call(monkeypatch, "quality", "--device", "cpu", "--seconds", 20, "--out", tmp_path) == 1
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["parts"]["quality"]["ended"].startswith("left out: ")
    assert "| quality | left out: " in (tmp_path / "table.md").read_text()


def test_a_part_is_ended_after_its_time_and_keeps_its_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A part that takes longer than it gets is ended; what it had measured by then stays."""

    def slow(words: list[str], timeout: float, **_: Any) -> None:
        assert timeout == 12 + command.GRACE_S
        Path(words[words.index("--out") + 1], "loading.json").write_text('[{"what": "one"}]')
        raise subprocess.TimeoutExpired(words, timeout)

    monkeypatch.setattr(subprocess, "run", slow)
    monkeypatch.setattr(sys, "argv", ["tests.gpu", "loading", "--device", "cpu", "--out", str(tmp_path)])
    found = command.run("loading", command.arguments(), 12 + command.GRACE_S)  # of the 25 s that it would get
    assert found["ended"] == "ended after the 12 s that it got"
    assert found["rows"] == [{"what": "one"}]


@pytest.mark.parametrize(("met", "code"), [(True, 0), (False, 1)])
def test_a_failed_test_is_exit_code_1(met: bool, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A goal of speed that is missed is no failure; a test that failed is one."""
    rows = {"tests": Row("tests", value=3, met=met, goal="all"), "fits": Row("fits", value=1.0, met=False, goal="fast")}
    monkeypatch.setattr(
        command, "run", lambda name, *_: {"ended": "whole", "seconds": 1.0, "rows": [rows[name].facts()]}
    )
    assert call(monkeypatch, "tests", "fits", "--device", "cpu", "--out", tmp_path) == code


def test_the_table_has_every_row() -> None:
    """A row has its value with range and unit, its ratios, and whether the goal was met; a note where it has none."""
    row = Row("dcgan, batch 64", "images/s", 1234.5, 1200.0, 1300.25, {"a peer": (1.5, 1.4, 1.625)}, "1.5x each", True)
    parts = {
        "training": {"ended": "whole", "seconds": 1.0, "rows": [row.facts(), Row("r3gan", note="too large").facts()]},
        "fits": {"ended": "failed with exit code 1", "seconds": 1.0, "rows": []},
    }
    text = markdown({"machine": {"device": "H100", "torch": "2.11"}, "seconds": 12.0, "parts": parts})
    assert text.splitlines() == [
        "H100, torch 2.11, 12 s in all.",
        "",
        "| measured | value | times the speed of | goal |",
        "|---|---|---|---|",
        "| dcgan, batch 64 | 1,234 [1,200 .. 1,300] images/s | a peer 1.50 [1.40 .. 1.62] | 1.5x each: met |",
        "| r3gan | too large |  |  |",
        "| fits | failed with exit code 1 | | |",
    ]


def test_a_ratio_is_of_the_same_round() -> None:
    """A peer's seconds are divided by ours of the same round: median, least and largest; above 1 ours is faster."""
    assert ratios([1.0, 2.0, 4.0], {"peer": [3.0, 2.0, 8.0]}) == {"peer": (2.0, 1.0, 3.0)}


def test_a_wait_in_a_step_is_found() -> None:
    """Synchronising within the steps and copies from the GPU count; launches, other copies and the end do not."""
    events = [("aten::conv2d", 5.0), ("cudaLaunchKernel", 5.0), ("cudaMemcpyAsync", 6.0), ("Memcpy HtoD", 6.0)]
    assert waits(events, 1.0, 10.0) == []
    planted = [("cudaStreamSynchronize", 9.0), ("Memcpy DtoH (Device -> Pageable)", 12.0)]
    assert waits([*events, *planted], 1.0, 10.0) == [name for name, _ in planted]
    assert waits([("cudaDeviceSynchronize", 11.0)], 1.0, 10.0) == []


@pytest.mark.parametrize(
    "part", ["loading", "arithmetic", "training", *(pytest.param(name, marks=pytest.mark.long) for name in LONG)]
)
def test_a_part_measures(part: str) -> None:
    """Each part has rows with values; ratios are positive."""
    module = importlib.import_module(command.PARTS[part].module)
    rows = list(module.measure(Task(torch.device("cpu"), TINY, float("inf"))))
    assert rows
    assert all(row.value is not None and row.value >= 0 for row in rows)
    assert all(ratio > 0 for row in rows for spread in row.ratios.values() for ratio in spread)


def test_the_usual_r3gan_is_ours() -> None:
    """The peer that is written out here has our losses and penalty, of the first iteration and of the second."""
    start = begin(Task(torch.device("cpu"), TINY, float("inf")), "r3gan", 4, FAMILIES["r3gan"][0])
    peer = usual_r3gan(start)
    for _ in range(2):
        ours = train_step(start.state.models, start.family, start.config, start.batch)
        names = ("discriminator_loss", "penalty", "generator_loss")
        assert [float(ours[name]) for name in names] == pytest.approx([float(value) for value in peer()], rel=1e-4)


@pytest.mark.long
def test_the_whole_command_runs_on_a_cpu(tmp_path: Path) -> None:
    """`make gpu DEVICE=cpu` runs every part, writes both files and ends with 0."""
    words = [sys.executable, "-m", "tests.gpu", "--device", "cpu", "--seconds", "6000", "--out", str(tmp_path)]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=6000, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert list(results["parts"]) == list(command.PARTS)
    assert all(part["rows"] for part in results["parts"].values())
    assert (tmp_path / "table.md").read_text() == markdown(results)
