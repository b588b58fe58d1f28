"""The options of memory and caches: every job has them, what a job starts inherits them, and they change no result."""

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from jobs.commands.calls import command_of
from jobs.commands.run import main as run
from jobs.pipeline import JOB_NAMES
from jobs.study.command import main as study
from shared.runtime import cache_place, memory
from shared.runtime.pool import Pool

COMMANDS: dict[str, click.Command] = {"run": run, "study": study}


def seen(found: list[tuple[int, Path | None]]) -> Any:
    """Return a job's body that notes what it may use."""
    return lambda run, config: found.append((memory.limit_bytes(), cache_place.chosen()))


def test_a_job_works_within_what_it_is_given(laboratory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By flags, its own variables, and those of every job; a relative folder is where the call was made."""
    found: list[tuple[int, Path | None]] = []
    laboratory.body = seen(found)
    monkeypatch.chdir(tmp_path)
    assert laboratory.call("--memory", "40MB", "--cache-dir", "cache").exit_code == 0
    assert laboratory.call("--force", HALFREAL_TINY_MEMORY="30MB", HALFREAL_CACHE_DIR="/big/disk").exit_code == 0
    assert found == [(40_000_000, tmp_path / "cache"), (30_000_000, Path("/big/disk"))]


def test_without_them_nothing_is_chosen(laboratory: Any) -> None:
    """The limit is then that of the machine or its container."""
    found: list[tuple[int, Path | None]] = []
    laboratory.body = seen(found)
    assert laboratory.call().exit_code == 0
    assert found == [(memory.limit().machine_bytes, None)]
    assert memory.VARIABLE not in os.environ


def test_they_change_no_result(laboratory: Any) -> None:
    """What is finished under one limit is complete under any other, and a manifest has neither."""
    assert laboratory.call("--memory", "40MB", "--cache-dir", "/a").exit_code == 0
    assert laboratory.options == {"steps": 1, "word": "plain", "seed": 0}
    assert "already complete" in laboratory.call("--memory", "80MB", "--cache-dir", "/b").stderr
    assert len(laboratory.runs) == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--memory", "8"], "--memory 8: want a size with its unit, such as 8GB"),
        (["--cache-dir", "file/below"], r"--cache-dir file/below: file is a file; want a folder"),
    ],
)
def test_what_cannot_be_used_is_refused(
    words: list[str], reason: str, laboratory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any work, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    outcome = laboratory.call(*words)
    assert (outcome.exit_code, laboratory.runs) == (2, [])
    assert reason in outcome.stderr


def test_a_dry_run_refuses_what_the_run_would(tmp_path: Path, make_dataset: Any) -> None:
    """By the memory of that job alone: nothing is left of it for the next one."""
    make_dataset(tmp_path / "digits" / "real", train=9, val=6, test=6)
    words = ["--data-root", str(tmp_path), "--recipe", "digits", "--dry-run", "--images", "2000"]
    outcome = CliRunner().invoke(command_of("evaluate"), [*words, "--memory", "20MB"])
    assert (outcome.exit_code, memory.VARIABLE in os.environ) == (2, False)
    assert "--images 2,000: with their features these would take" in outcome.output
    assert "half of --memory 20 MB" in outcome.output
    assert CliRunner().invoke(command_of("evaluate"), [*words, "--memory", "2GB"]).exit_code == 0


@pytest.mark.parametrize("name", [*JOB_NAMES])
def test_every_job_has_them(name: str) -> None:
    """Each under its own variable, too."""
    variables = {param.name: param.envvar for param in command_of(name).params}
    assert variables["memory"] == [f"HALFREAL_{name}_MEMORY".upper(), "HALFREAL_MEMORY"]
    assert variables["cache_dir"] == [f"HALFREAL_{name}_CACHE_DIR".upper(), "HALFREAL_CACHE_DIR"]


@pytest.mark.parametrize("command", ["run", "study"])
def test_commands_hand_them_to_their_jobs(command: str, tmp_path: Path) -> None:
    """Jobs in processes of their own inherit the variables."""
    points = ["--images", "50"] if command == "study" else []
    words = ["--data-root", str(tmp_path), "--recipe", "digits", "--dry-run", "--memory", "7GB", "--cache-dir", "/a"]
    outcome = CliRunner().invoke(COMMANDS[command], [*words, *points])
    assert outcome.exit_code == 0, outcome.output
    assert (os.environ[memory.VARIABLE], cache_place.chosen()) == ("7GB", Path("/a"))


def note_limit(path: Path) -> None:
    """Write what this process may use."""
    path.write_text(str(memory.limit_bytes()))


@pytest.mark.parametrize(("count", "share"), [(1, 1), (2, 2), (9, 3)])
def test_calls_next_to_each_other_share_the_memory(count: int, share: int, tmp_path: Path) -> None:
    """Three calls, `count` at a time: each may use a part of what one alone may, also of a server begun before."""
    paths = [tmp_path / str(number) for number in range(3)]
    pool = Pool(("shared.runtime.memory",))
    assert pool.run(note_limit, [(path,) for path in paths], count, lambda: "") == [0, 0, 0]
    assert {int(path.read_text()) for path in paths} == {memory.limit().machine_bytes // share}
