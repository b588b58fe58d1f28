"""The command of a job by its name, for commands that are about every job."""

from importlib import import_module

from shared.cli.job import JobCommand


def command_of(job: str) -> JobCommand:
    """Return the command of the job called `job`, without running it."""
    command: JobCommand = import_module(f"jobs.{job}.__main__").main
    return command
