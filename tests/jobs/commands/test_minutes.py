"""`halfreal run --minutes`: the machine is timed once, the choice is kept, explicit options win."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.__main__ import main as halfreal
from jobs.commands.running import minutes as module
from jobs.commands.running.budget import Plan, Times
from jobs.commands.running.minutes import FILE, Minutes, minutes_of, read_choice, timed
from jobs.pipeline import IMPORT, PIPELINE
from shared.cli.progress import StopFlag
from shared.errors import BadConfig, FormatError, HalfrealError
from tests.jobs.conftest import SMALL

TIMES = Times({8: 1.0}, annotator_step_s=0.01, fit_step_s=0.01, image_s=0.001, start_s=2.0)
"""Steps of the digits: 40 epochs of width 8 take 40 seconds, fits 5 x 700 steps of 10 ms nearly as long."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Return a machine of two cores on which steps take TIMES; `timings` are the requests, `made` what was prepared."""
    monkeypatch.delenv("HALFREAL_REPLICATES")
    seen = SimpleNamespace(timings=[], made=[], folder=tmp_path / "digits", device="cpu", scratch=[])

    def answer(request: Mapping[str, Any], count: int, changes: Mapping[str, str]) -> list[tuple[dict[str, Any], str]]:
        seen.timings.append((request, count, dict(changes)))
        seen.scratch.append(os.environ.get("HALFREAL_CACHE_DIR", ""))
        return [(vars(TIMES), seen.device)] * count

    monkeypatch.setattr(module, "timed", answer)
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    split = SimpleNamespace(split=lambda name: SimpleNamespace(count=1257))
    monkeypatch.setattr(module, "open_output", lambda row, folder: split)
    seen.folder.mkdir()
    return seen


def settle(machine: SimpleNamespace, minutes: float, *words: str) -> dict[str, str]:
    """Return what a call of `run` sets; it has just begun."""
    place = ["--data-root", str(machine.folder.parent), *words]
    budget = Minutes(minutes, module.time.monotonic())
    return budget.settle(machine.folder, place, lambda: machine.made.append("real"), StopFlag())


def test_a_choice_is_made_once_and_kept(machine: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """Images come first, then the timing with a process for each core; a second call takes what was chosen."""
    first = settle(machine, 4.0)
    assert (machine.made, len(machine.timings)) == (["real"], 1)
    request, count, changes = machine.timings[0]
    assert (request["widths"], count, changes["OMP_NUM_THREADS"]) == ([8], 2, "1")
    chosen = read_choice(machine.folder)
    assert chosen is not None
    assert 3 <= chosen.replicates < 5
    assert first == {
        "HALFREAL_REPLICATES": str(chosen.replicates),
        "HALFREAL_TRAIN_GAN_EPOCHS": str(chosen.epochs),
        "HALFREAL_TRAIN_GAN_SNAPSHOT_EVERY_EPOCHS": str(chosen.every),
        "HALFREAL_TRAIN_GAN_WIDTH": "8",
        "HALFREAL_TRAIN_MIXED_BUDGET_MINUTES": "4.0",
    }
    assert chosen.expected_minutes < 4.0
    assert chosen.epoch_s == {8: 1.0}
    assert "more time buys" in capsys.readouterr().err
    assert settle(machine, 60.0) == first
    assert (machine.made, len(machine.timings)) == (["real"], 1)
    assert "--minutes 4 was chosen for" in capsys.readouterr().err


def test_force_chooses_again(machine: SimpleNamespace) -> None:
    """All else is built again, too."""
    settle(machine, 4.0)
    assert settle(machine, 60.0, "--force")["HALFREAL_REPLICATES"] == "5"
    assert len(machine.timings) == 2


def test_explicit_options_win(machine: SimpleNamespace) -> None:
    """A first call does not choose them; in a second one they beat what was chosen."""
    os.environ |= {"HALFREAL_TRAIN_GAN_EPOCHS": "7", "HALFREAL_REPLICATES": "2"}
    sets = settle(machine, 10.0)
    assert (sets["HALFREAL_TRAIN_GAN_EPOCHS"], sets["HALFREAL_REPLICATES"]) == ("7", "2")
    os.environ |= {"HALFREAL_TRAIN_GAN_EPOCHS": "9"}
    assert settle(machine, 10.0)["HALFREAL_TRAIN_GAN_EPOCHS"] == "9"
    assert read_choice(machine.folder).plan == Plan(7, 5, 8, 2)  # type: ignore[union-attr]


def test_too_small_a_budget_is_refused_with_the_least(machine: SimpleNamespace) -> None:
    """Exit code 2, what is too much, what would do; nothing is chosen."""
    with pytest.raises(
        BadConfig, match=r"too few for 3 replicates, .* 4 epochs, the least\nwant --minutes (\d+)"
    ) as no:
        settle(machine, 1.0)
    assert no.value.exit_code == 2
    assert not (machine.folder / FILE).exists()
    enough = int(str(no.value).partition("want --minutes ")[2].partition(" ")[0])
    assert int(settle(machine, enough)["HALFREAL_TRAIN_GAN_EPOCHS"]) >= 4


def test_a_gpu_has_one_replicate_at_a_time(machine: SimpleNamespace) -> None:
    """What two cores do at once takes a GPU twice as long."""
    settle(machine, 60.0)
    on_cpu = read_choice(machine.folder)
    machine.device = "cuda"
    settle(machine, 60.0, "--force")
    on_gpu = read_choice(machine.folder)
    assert on_cpu is not None
    assert on_gpu is not None
    assert on_cpu.plan == on_gpu.plan
    assert on_gpu.expected_minutes > 1.5 * on_cpu.expected_minutes


def test_a_dry_run_leaves_nothing(machine: SimpleNamespace) -> None:
    """It says and sets what a run would choose, with decoded images in a folder that goes away."""
    sets = Minutes(4.0, module.time.monotonic()).show(machine.folder, ["--data-root", str(machine.folder.parent)])
    assert list(machine.folder.iterdir()) == []
    assert not Path(machine.scratch[0]).exists()
    assert sets == settle(machine, 4.0)


def test_a_broken_choice_is_named(machine: SimpleNamespace) -> None:
    """Nobody trains for a number that a damaged file gives."""
    (machine.folder / FILE).write_text('{"minutes": 4.0, "epochs": "many"}')
    with pytest.raises(FormatError, match="remove it to have the machine timed"):
        settle(machine, 4.0)


@pytest.mark.parametrize(
    ("given", "environment", "jobs", "mention"),
    [
        ({}, {}, [PIPELINE, PIPELINE], "2 recipes"),
        ({"with_tuning": True}, {}, [PIPELINE], "--with-tuning"),
        ({}, {"HALFREAL_PARTS": "2"}, [PIPELINE], "HALFREAL_PARTS=2"),
        ({}, {}, [(IMPORT,)], "nothing to choose"),
    ],
)
def test_what_no_budget_can_be_for_is_refused(
    given: dict[str, Any], environment: dict[str, str], jobs: list[Any], mention: str
) -> None:
    """A plan needs one experiment with a GAN, on this machine alone."""
    os.environ |= environment
    with pytest.raises(BadConfig, match=f"^--minutes 30: .*{mention}"):
        minutes_of({"minutes": 30.0, "with_tuning": False} | given, jobs, 0.0)


def test_nobody_else_sets_the_budget() -> None:
    """A verdict names a budget only where the plan was chosen for it."""
    outcome = CliRunner().invoke(halfreal, ["run", "--dry-run", "--set", "train_mixed.budget_minutes=30"])
    assert outcome.exit_code == 2
    assert "with --minutes M" in outcome.output


def test_a_failed_timing_is_said(tmp_path: Path) -> None:
    """The process says why; the command does not go on with times that it has not got."""
    request = {"folder": str(tmp_path), "words": ["--data-root", str(tmp_path)], "widths": [8], "device": "cpu"}
    with pytest.raises(HalfrealError, match="timing this machine failed"):
        timed(request, 1, {"OMP_NUM_THREADS": "1"})


@pytest.mark.long
def test_a_run_ends_within_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three replicates, from the source to the page, in about the time that was given."""
    monkeypatch.delenv("HALFREAL_REPLICATES")
    words = ["--data-root", str(tmp_path), "--experiment", "small", "--device", "cpu"]
    for job, options in SMALL.items():
        for flag, value in zip(options[::2], options[1::2], strict=True):
            if flag not in ("--epochs", "--width"):
                words += ["--set", f"{job}.{flag.removeprefix('--').replace('-', '_')}={value}"]
    refused = CliRunner().invoke(halfreal, ["run", *words, "--minutes", "0.2"])
    assert refused.exit_code == 2
    # what a machine needs at least depends on who else is at work there, and that may change between two calls
    minutes = math.ceil(1.5 * int(refused.output.partition("want --minutes ")[2].partition(" ")[0]))
    started = module.time.monotonic()
    outcome = CliRunner().invoke(halfreal, ["run", *words, "--minutes", str(minutes)])
    assert outcome.exit_code == 0, outcome.output
    spent = (module.time.monotonic() - started) / 60
    chosen = read_choice(tmp_path / "small")
    assert chosen is not None
    assert chosen.replicates >= 3
    assert spent < 2 * minutes  # others may begin to work on this machine after it was timed
    page = (tmp_path / "small" / "report" / "index.html").read_text()
    assert f"chosen to end within {minutes} minutes" in page
    gan = json.loads((tmp_path / "small" / "gan" / "r02" / "manifest.json").read_bytes())["options"]
    assert (gan["epochs"], gan["width"]) == (chosen.epochs, chosen.width)
