"""The `halfreal` command: every job, and `run`, `results` and `recipes` over them.

A job is imported only when it is called, so that `--help` answers at once.
"""

from importlib import import_module

import click

from jobs.pipeline import JOB_NAMES, JOBS
from shared import __version__
from shared.cli.environment import check_environment, option_variables
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.runtime.observe.identity import identify, named

COMMANDS = {job.name: f"jobs.{job.name}.__main__" for job in JOBS} | {
    "run": "jobs.commands.run",
    "judge": "jobs.judge.command",
    "study": "jobs.study.command",
    "launch": "jobs.commands.launch",
    "results": "jobs.commands.results",
    "compare": "jobs.compare.command",
    "recipes": "jobs.commands.recipes",
    "sample": "jobs.commands.sample",
    "playground": "jobs.playground.command",
    "tensorboard": "jobs.commands.tensorboard",
    "export": "jobs.export.command",
    "weights": "jobs.commands.weights",
    "status": "jobs.status.command",
    "verify": "jobs.verify.command",
    "clean": "jobs.clean.command",
    "selfcheck": "jobs.selfcheck.command",
}
"""Where each command lives; `main` there is the click command."""

ABOUT = {job.name: job.about for job in JOBS} | {
    "run": "Run every job in order; skip what is complete.",
    "judge": "Judge synthetic images that you have against your real ones.",
    "study": "Study from how many real images on synthetic ones help.",
    "launch": "Start a job in several processes that train together.",
    "results": "Print the results table and the verdict of an experiment.",
    "compare": "Compare experiments: scores, curves, printed numbers, the winner.",
    "recipes": "List the recipes that ship with halfreal, or show one.",
    "sample": "Draw images of a class, with their quality figures.",
    "playground": "Serve a local page on which to draw images.",
    "tensorboard": "Show losses, scores and samples of each epoch.",
    "export": "Write the synthetic images for other tools, with a dataset card.",
    "weights": "Download, list and check the weights of feature extractors.",
    "status": "Say what is on a volume, and who is at work there.",
    "verify": "Check that what is on a volume is as it was written.",
    "clean": "List what is in no use any more, and remove it.",
    "selfcheck": "Check that this installation works as it should.",
}


def job_variables(job: str) -> set[str]:
    """Return the environment variables that set options of a job, which is imported for that."""
    return option_variables(import_module(COMMANDS[job]).main.params, job)


class Jobs(ErrorHandlingCommand, click.Group):
    """The group of all commands, imported one at a time."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of the commands: run first, then the jobs in the order in which they run."""
        return [*(name for name in COMMANDS if name not in JOB_NAMES), *JOB_NAMES]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import and return a command; None if there is none of that name."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[name]).main
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command and check the environment variables of every job; a job checks its own by itself."""
        name, command, remaining = super().resolve_command(ctx, args)
        identify(named(name))
        if "--help" not in remaining:
            # a job is imported here only where a variable that begins with its name is set
            check_environment(lambda job: None if job == name else job_variables(job), JOB_NAMES)
        return name, command, remaining

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            # from the table, not from docstrings, for which every command would be imported
            formatter.write_dl([(name, ABOUT[name]) for name in self.list_commands(context)])


@click.command(cls=Jobs)
@click.version_option(__version__, prog_name="halfreal")
def main() -> None:
    """Answer whether synthetic data helps a classifier.

    Trains a GAN on labelled images, writes labelled synthetic ones, runs the experiment, gives the verdict.
    """


if __name__ == "__main__":
    main(prog_name="halfreal")
