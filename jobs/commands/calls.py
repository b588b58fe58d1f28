"""The commands of jobs by name, and the options that they would have if called."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from shared.cli.job import JobCommand
from shared.cli.resolve import asked_options
from shared.errors import BadConfig
from shared.runtime.job_processes import variables


def command_of(job: str) -> JobCommand:
    """Return the command of the job called `job`, without running it."""
    command: JobCommand = import_module(f"jobs.{job}.__main__").main
    return command


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
