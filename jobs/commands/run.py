"""The command `run`: every job of the table that is needed, in order, each in a process of its own."""

import io
import os
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.calls import SETTINGS, CallingJobs, command_of
from jobs.commands.ordering import ordered
from jobs.commands.running.settings import asked
from jobs.commands.running.shown import Display, Lines, shown
from jobs.commands.running.until import Looks, Until, check_more_can_be_made, until_of, without_force
from jobs.pipeline import JOBS, PIPELINE, PREPROCESS
from shared.cli.common_options import experiment_name, places
from shared.cli.progress import StopFlag
from shared.cli.recipes import Recipe
from shared.cli.resource_options import CACHE_DIR, MEMORY, bind_resources, observed
from shared.errors import BadConfig, BadInput, HalfrealError, Interrupted
from shared.runtime.forking.forked import sharing
from shared.runtime.job_processes import end_at_once, wait
from shared.stats.looks import FIRST
from shared.store.job import Job
from shared.store.replicates import MOST, RESPLITS

if TYPE_CHECKING:
    from jobs.commands.running.minutes import Minutes
    from shared.cli.calls.dry_run import DryRun


class JobFailed(HalfrealError):
    """A job ended with an exit code other than 0, which `run` passes on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@click.command("run", cls=CallingJobs, context_settings={"show_default": True})
@places
@SETTINGS
@click.option("--with-tuning", is_flag=True, help="Also run tune, which searches for better options of train_gan.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Random seed of every job [default: the recipe's].")
@click.option(
    "--replicates", type=click.IntRange(1, MOST), help="Replicates of the experiment [default: the recipe's]."
)
@click.option(
    "--resplit",
    is_flag=False,
    flag_value="all",
    type=click.Choice(RESPLITS),
    help="Random splits, one for each replicate (all, or no value), or one subset of train and val for each (train).",
)
@click.option(
    "--until",
    type=click.FloatRange(0, 100, min_open=True),
    metavar="POINTS",
    help="Add replicates until the headline's interval reaches this many points or fewer to each side.",
)
@click.option("--max-replicates", type=click.IntRange(FIRST, MOST), help=f"The most of --until [default: {MOST}].")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Time budget in minutes: times this machine and chooses epochs, width and replicates so that the run ends in "
    "time. With --until: no further step of replicates begins after it; one that has begun is finished, so are the "
    "first five.",
)
@click.option("--processes", type=click.IntRange(0), help="Replicates that run at once [default: as many as cores].")
@click.option("--threads", type=click.IntRange(0), help="CPU threads of torch [default: the recipe's].")
@click.option("--device", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@MEMORY
@CACHE_DIR
@click.option("--force", is_flag=True, help="Rebuild every artifact.")
@click.option("--dry-run", is_flag=True, help="Show what each job would do without doing it.")
@observed
def main(recipe: dict[str, Recipe], experiment: str | None, data_root: Path, **options: Any) -> None:
    """Run every job in order, each in a process of its own, and print the results.

    Complete artifacts are skipped; those whose options or inputs changed are rebuilt, with the reason. After a signal
    the same command resumes. With several recipes it runs an experiment of each, and compares them at the end. Where
    synthetic images are imported (synthesize.source) no GAN is trained.
    """
    started = time.monotonic()
    names, until = experiment_names(experiment, recipe), until_of(options)
    # as environment variables, which jobs in other processes inherit, and which jobs without replicates do not mind
    os.environ |= asked(options)
    bind_resources(options)
    if until is not None:
        os.environ |= until.sets(FIRST)
    # nobody starts more workers next to `run`, so tune takes every core itself
    os.environ.setdefault("HALFREAL_TUNE_WORKERS", "0")
    table = JOBS if options["with_tuning"] else PIPELINE
    words = {name: job_words(which, name, data_root, options) for name, which in names.items()}
    jobs = {name: ordered(table, each) for name, each in words.items()}
    budget = budget_of(options, jobs.values(), started)
    if until is not None:
        check_more_can_be_made(jobs.values())
        click.echo(until.plan(), err=True)
    if options["dry_run"]:
        for name, each in words.items():
            if budget is not None:
                os.environ |= budget.show(data_root / name, each)
            dry_run_next(jobs[name], each, data_root / name, until)
        return
    # a mistake in the options of the last job must not cost the hours before it; warnings appear again with each job
    notices = [line for name, each in words.items() for line in quiet_dry_run(jobs[name], each).notices]
    for line in dict.fromkeys(notices):
        click.secho(line, fg="yellow", bold=True, err=True)
    stop = StopFlag()
    # from here on: before it a signal ends `run` at once, and nothing is running yet
    stop.listen()
    several = len(words) > 1
    with sharing():
        for number, (name, each) in enumerate(words.items(), start=1):
            if several:
                click.secho(f"experiment {number}/{len(words)}: {name}", bold=True, err=True)
            with _of_experiment(name if several else ""):
                if budget is not None:
                    settle(budget, jobs[name], data_root / name, each, stop)
                make_experiment(jobs[name], each, data_root / name, until, stop)
            from jobs.commands.results import print_results

            print_results(data_root / name)
            click.echo(f"report: {data_root / name / 'report' / 'index.html'}")
    if several:
        from jobs.compare.command import compare_after_run

        compare_after_run(data_root, tuple(words), options["device"])


def experiment_names(experiment: str | None, recipes: dict[str, Recipe]) -> dict[str, str]:
    """Return the recipe of each experiment, as it was named; BadConfig for a name for several, or several of a name."""
    if len(recipes) == 1:
        ((named, recipe),) = recipes.items()
        return {experiment_name(experiment, recipe): named}
    if experiment:
        raise BadConfig(
            f"--experiment {experiment}: {len(recipes)} recipes are as many experiments, each named after its recipe; "
            "leave --experiment and HALFREAL_EXPERIMENT out"
        )
    names = {experiment_name(None, recipe): named for named, recipe in recipes.items()}
    if len(names) < len(recipes):
        raise BadConfig(f"--recipe {','.join(recipes)}: want recipes of different names, which name the experiments")
    return names


def job_words(recipe: str, experiment: str, data_root: Path, options: Mapping[str, Any]) -> list[str]:
    """Return the words that every job of an experiment is called with."""
    words = ["--recipe", recipe, "--experiment", experiment, "--data-root", str(data_root)]
    for option in ("threads", "device"):
        words += [f"--{option}", str(options[option])] if options[option] is not None else []
    return words + [f"--{flag.replace('_', '-')}" for flag in ("force", "dry_run", "debug") if options[flag]]


def run_jobs(selected: Sequence[Job], words: list[str], stop: StopFlag) -> None:
    """Run the jobs in order, each called with `words`."""
    with shown(selected, words) as display:
        for job in selected:
            display.begin(job.name)
            _run_job(job, words, stop, display)


def budget_of(options: Mapping[str, Any], experiments: Collection[Sequence[Job]], started: float) -> "Minutes | None":
    """Return the time budget that the options ask for; None without one, and where it is that of --until."""
    if options["minutes"] is None or options["until"] is not None:
        return None
    from jobs.commands.running.minutes import minutes_of  # here, since records are slow to import

    return minutes_of(options, experiments, started)


def settle(budget: "Minutes", jobs: Sequence[Job], folder: Path, words: list[str], stop: StopFlag) -> None:
    """Have the jobs do what is chosen for the budget; the machine is timed on the images that the first one makes."""
    preparing = [job for job in jobs if job.name == PREPROCESS.name]
    os.environ |= budget.settle(folder, words, lambda: run_jobs(preparing, without_force(words), stop), stop)


def make_experiment(jobs: Sequence[Job], words: list[str], folder: Path, until: Until | None, stop: StopFlag) -> None:
    """Run the jobs of the experiment in `folder`: once, or for each look of --until."""
    if until is None:
        run_jobs(jobs, words, stop)
    else:
        looks_at(until, folder, words, stop).run_all(jobs)


def looks_at(until: Until, folder: Path, words: list[str], stop: StopFlag) -> Looks:
    """Return the looks of --until at the experiment in `folder`, whose jobs are called with `words`."""
    return Looks(until, folder, words, partial(run_jobs, stop=stop), would_make)


@contextmanager
def _of_experiment(name: str) -> Iterator[None]:
    """Add the experiment's name, where there are several, to what is said of a job that stopped or failed."""
    try:
        yield
    except (JobFailed, Interrupted) as error:
        error.args = (f"{name}: {error}" if name else str(error),)
        raise


def quiet_dry_run(selected: Sequence[Job], arguments: list[str]) -> "DryRun":
    """Do a dry run that prints nothing."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return dry_run_chain(selected, [*arguments, "--dry-run"])


def dry_run_next(selected: Sequence[Job], arguments: list[str], folder: Path, until: Until | None) -> None:
    """Do a dry run of an experiment in `folder`: with --until, of what comes next."""
    if until is not None:
        os.environ |= looks_at(until, folder, arguments, StopFlag()).next_sets(selected)
    dry_run_jobs(selected, arguments)


def would_make(selected: Sequence[Job], arguments: list[str]) -> list[str]:
    """Return the places of what jobs would make or add to, called with these arguments."""
    chain = quiet_dry_run(selected, arguments)
    return [*chain.made, *chain.extended]


def dry_run_jobs(selected: Sequence[Job], arguments: list[str]) -> list[str]:
    """Let every job check its options and print what it would do after those before it, without doing anything.

    Returns what is to be said before the work, such as which weights are missing.
    """
    return dry_run_chain(selected, arguments).notices


def dry_run_chain(selected: Sequence[Job], arguments: list[str]) -> "DryRun":
    """Do what `dry_run_jobs` does, and return all that the jobs said.

    Each job checks its options against what the jobs before it declare that they will write.
    """
    from shared.cli.calls.dry_run import DryRun

    chain = DryRun()
    for job in selected:
        command = command_of(job.name)
        try:
            command.main(arguments, prog_name=f"halfreal {job.name}", standalone_mode=False, obj=chain)
        except BadInput as error:  # several jobs have options of one name
            raise type(error)(f"{job.name}: {error}") from error
        except click.UsageError as error:
            raise BadConfig(f"{job.name}: {error.format_message()}") from error
    return chain


def _run_job(job: Job, arguments: list[str], stop: StopFlag, display: Lines | Display) -> None:
    """Run one job to its end; see `to_its_end`."""
    # a process of its own: memory and threads of torch go with the job, and a crash of one leaves `run` alive
    with display.process(job.name, arguments) as process:
        to_its_end(process, job.name, stop)


def to_its_end(process: subprocess.Popen[Any], name: str, stop: StopFlag) -> None:
    """Wait for a process, called `name`; Interrupted if a signal came, JobFailed if it does not end well.

    A signal is passed on to it, and what `end_at_once` does follows a second one.
    """
    passed_on = False
    try:
        while (code := wait(process)) is None:
            # once: a second signal makes a job stop without saving
            if stop.signal_name and not passed_on:
                process.terminate()
                passed_on = True
    except KeyboardInterrupt:
        end_at_once(process)
        raise
    # it may finish in spite of the signal: the caller stops all the same
    if stop.signal_name or code == Interrupted.exit_code:
        raise Interrupted(f"{name} stopped; run the same command again (without --force) to go on")
    if code:
        raise JobFailed(f"{name} failed (exit code {code}); fix what it says above, then run this again", code)
