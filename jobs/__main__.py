"""The `halfreal` command: every job, and `run`, `results` and `recipes` over them.

A job is imported only when it is called, so that `--help` answers at once.
"""

from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from jobs.pipeline import JOB_NAMES, JOBS
from shared import __version__
from shared.cli.environment import check_environment, option_variables
from shared.cli.exit_codes import ErrorHandlingGroup
from shared.runtime.observe.identity import identify, named

FIRST = "What most people need"
"""The heading of the commands that `halfreal` alone shows."""

EXPERIMENTS, VOLUME, INSTALLATION = "Experiments", "Look after a volume", "The installation"
SINGLE_JOBS = "Single jobs, in the order in which run calls them"


class Command(NamedTuple):
    """A command: its heading in the help, the module in which `main` is the click command, and what it does."""

    heading: str
    module: str
    about: str


COMMANDS = {
    "run": Command(FIRST, "jobs.commands.run", "Run every job in order; skip what is complete."),
    "judge": Command(FIRST, "jobs.judge.command", "Judge synthetic images that you have against your real ones."),
    "results": Command(FIRST, "jobs.commands.results", "Print the results table and the verdict of an experiment."),
    "sample": Command(FIRST, "jobs.commands.sample", "Draw images of a class, with their quality figures."),
    "recipes": Command(FIRST, "jobs.commands.recipes", "List the recipes that ship with halfreal, or show one."),
    "compare": Command(
        EXPERIMENTS, "jobs.compare.command", "Compare experiments: scores, curves, printed numbers, the winner."
    ),
    "study": Command(EXPERIMENTS, "jobs.study.command", "Study from how many real images on synthetic ones help."),
    "export": Command(
        EXPERIMENTS, "jobs.export.command", "Write the synthetic images, or the generator, for other tools."
    ),
    "playground": Command(EXPERIMENTS, "jobs.playground.command", "Serve a local page on which to draw images."),
    "tensorboard": Command(EXPERIMENTS, "jobs.commands.tensorboard", "Show losses, scores and samples of each epoch."),
    "status": Command(VOLUME, "jobs.status.command", "Say what is on a volume, and who is at work there."),
    "verify": Command(VOLUME, "jobs.verify.command", "Check that what is on a volume is as it was written."),
    "clean": Command(VOLUME, "jobs.clean.command", "List what is in no use any more, and remove it."),
    "weights": Command(
        INSTALLATION, "jobs.commands.weights", "Download, list and check the weights of feature extractors."
    ),
    "selfcheck": Command(INSTALLATION, "jobs.selfcheck.command", "Check that this installation works as it should."),
    "completion": Command(
        INSTALLATION, "jobs.completion.command", "Let your shell complete commands, options, recipes, experiments."
    ),
    **{job.name: Command(SINGLE_JOBS, f"jobs.{job.name}.__main__", job.about) for job in JOBS},
    "launch": Command(
        SINGLE_JOBS, "jobs.commands.launch", "Start one of them in several processes that train together."
    ),
}
"""Every command, in the order of the help."""

INSTEAD = {
    "demo": "halfreal run, or make demo in a clone",
    "start": "halfreal run",
    "train": "halfreal run, or a single job: halfreal train_gan",
    "generate": "halfreal sample, or halfreal export for all images",
    "list": "halfreal recipes, or halfreal status for what is on the volume",
    "ls": "halfreal status",
    "help": "halfreal --help, or halfreal COMMAND --help",
    "version": "halfreal --version",
}
"""What to type in place of words that other tools have."""


def job_variables(job: str) -> set[str]:
    """Return the environment variables that set options of a job, which is imported for that."""
    return option_variables(import_module(COMMANDS[job].module).main.params, job)


class Jobs(ErrorHandlingGroup):
    """The group of all commands, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name].module).main
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command and check the environment variables of every job; a job checks its own by itself."""
        name, command, remaining = super().resolve_command(ctx, args)
        identify(named(name))
        if not ctx.resilient_parsing and not {*ctx.help_option_names} & {*remaining}:
            # a job is imported here only where a variable that begins with its name is set
            check_environment(lambda job: None if job == name else job_variables(job), JOB_NAMES)
        return name, command, remaining

    def instead_of(self, word: str) -> str:
        """Return what is called otherwise here."""
        return f"; type {INSTEAD[word]}" if word in INSTEAD else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands under headings, without importing any."""
        # from the table, not from docstrings, for which every command would be imported
        for heading in dict.fromkeys(row.heading for row in COMMANDS.values()):
            write_commands(formatter, heading)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin with `incomplete`, without importing any, or this command's own options."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=row.about) for name, row in COMMANDS.items() if name.startswith(incomplete)]


def write_commands(formatter: click.HelpFormatter, heading: str) -> None:
    """Write the commands under a heading, each with what it does."""
    with formatter.section(heading):
        formatter.write_dl([(name, row.about) for name, row in COMMANDS.items() if row.heading == heading])


@click.command(cls=Jobs, invoke_without_command=True)
@click.version_option(__version__, "-V", "--version", prog_name="halfreal")
@click.pass_context
def main(context: click.Context) -> None:
    """Answer whether synthetic data helps a classifier.

    Trains a GAN on labelled images, writes labelled synthetic ones, runs the experiment, gives the verdict.
    """
    if context.invoked_subcommand is None:
        formatter = context.make_formatter()
        formatter.write_usage("halfreal", "COMMAND [OPTIONS]")
        write_commands(formatter, FIRST)
        formatter.write_paragraph()
        formatter.write("All commands: halfreal --help. The options of one: halfreal COMMAND --help.\n")
        click.echo(formatter.getvalue(), nl=False)


if __name__ == "__main__":
    main(prog_name="halfreal")
