"""The command of a job by its name, and its options, for commands that are about every job."""

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from jobs.pipeline import JOB_NAMES
from shared.cli.common_options import COMMON_NAMES
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.job import JobCommand


def command_of(job: str) -> JobCommand:
    """Return the command of the job called `job`, without running it."""
    command: JobCommand = import_module(f"jobs.{job}.__main__").main
    return command


def job_options(job: str) -> list[str]:
    """Return the names of a job's own options, those that `--set` takes."""
    return sorted({str(param.name) for param in command_of(job).params} - COMMON_NAMES)


def complete_settings(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the beginnings of a setting for `--set` that a shell offers: a job, then its options."""
    job, dot, _ = incomplete.partition(".")
    names = (
        [f"{job}.{name}=" for name in job_options(job)]
        if dot and job in JOB_NAMES
        else [f"{name}." for name in JOB_NAMES]
    )
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


SETTINGS = click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="JOB.OPTION=VALUE",
    shell_complete=complete_settings,
    help="Set an option of one job; repeatable.",
)
"""The option by which a command that calls jobs sets theirs: argument `pairs`."""


class CallingJobs(ErrorHandlingCommand):
    """A command that calls jobs, and knows their options."""

    def option_of_others(self, option: str) -> str:
        """Return how an option of some jobs is set, as the end of a sentence; nothing for one of none."""
        name = option.strip("-").replace("-", "_")
        pairs = [f"--set {job}.{name}=VALUE" for job in JOB_NAMES if name in job_options(job)]
        return f"; it is an option of single jobs: {' or '.join(pairs)}" if pairs else ""
