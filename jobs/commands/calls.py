"""Jobs as processes of their own, which is how `run` and `tune` start them, and what they would do if called."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from shared.cli.job import JobCommand
from shared.cli.resolve import asked_options
from shared.errors import BadConfig

ROOT = Path(__file__).resolve().parents[2]


def command_of(job: str) -> JobCommand:
    """Return the command of the job called `job`, without running it."""
    command: JobCommand = import_module(f"jobs.{job}.__main__").main
    return command


def variables(options: Mapping[str, Any]) -> dict[str, str]:
    """Return options by `job.option` as the environment variables that set them, which beat any recipe."""
    return {f"HALFREAL_{name}".replace(".", "_").upper(): str(value) for name, value in options.items()}


def options_of(job: str, words: list[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resolved options of `job`, called with `words` where `options` are set by their variables.

    Raises BadConfig for a value that the job refuses.
    """
    with surroundings(variables(options)):
        try:
            return asked_options(command_of(job), words)
        except click.ClickException as error:
            raise BadConfig(error.format_message()) from error


@contextmanager
def surroundings(changes: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def start(job: str, words: list[str], changes: Mapping[str, str] | None = None, **extra: Any) -> subprocess.Popen[Any]:
    """Start `halfreal job words...` with these changes to the environment; `extra` is handed to Popen."""
    # -P: a folder called jobs where the user stands must not come before this one
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", f"jobs.{job}", *words]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path} | dict(changes or {}), **extra)


def wait(process: subprocess.Popen[Any], seconds: float = 0.2) -> int | None:
    """Return the exit code, as a shell reports it, or None after so many seconds without one."""
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    return code if code >= 0 else 128 - code
