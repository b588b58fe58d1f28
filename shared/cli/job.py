"""What every job's command line shares: common options, recipes, errors to exit codes, resume and commit.

A job is one function under `@job`::

    @job(TRAIN_GAN, GanOptions, jobs=JOB_NAMES, resumes=True)
    def main(run: Run, options: GanOptions) -> Result:
        '''Train a GAN.'''

The options are the fields of a frozen dataclass that cannot exist in a wrong state (see `shared.cli.options`). The
decorator makes it, opens the inputs, answers "already complete" where that is so, and otherwise calls the function with
a draft folder to write into and commits what it returns. Only then is torch imported, by the function itself.
"""

import os
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from shared.cli.click_options import SHOWN, click_options, write_grouped
from shared.cli.common_options import COMMON, PARTS, PLACE, experiment_name
from shared.cli.environment import check_environment, option_variables
from shared.cli.options import JobOptions
from shared.cli.progress import Reporter
from shared.cli.recipes import Recipe
from shared.cli.resolve import CommandWithOptions, explain, resolve_options, shown_defaults, take_recipe, variable
from shared.cli.run import Result, Run, write_run_record
from shared.errors import BadConfig
from shared.runtime.launch import is_main_process
from shared.store.job import Job
from shared.store.lineage import open_inputs
from shared.store.work_shards import Shard

if TYPE_CHECKING:
    from shared.store.staging import BuildKey

WORDS = "halfreal.words"
"""Where click's context keeps the words of a call."""


@dataclass(frozen=True)
class _Common:
    """The values of the common options."""

    recipe: Recipe
    experiment: str | None
    data_root: Path
    device: str
    force: bool
    dry_run: bool
    debug: bool
    index: int | None = None
    parts: int = 1
    threads: int = 0
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        name = experiment_name(self.experiment, self.recipe)
        object.__setattr__(self, "folder", self.data_root / name)
        said = click.get_current_context().get_parameter_source
        if said("index") is ParameterSource.COMMANDLINE and said("parts") is ParameterSource.DEFAULT:
            raise BadConfig(f"--index {self.index}: say by --parts into how many parts the work is cut")
        if self.index is None or self.parts == 1:
            object.__setattr__(self, "index", None)
        elif self.index >= self.parts:
            raise BadConfig(f"--index {self.index}: want less than --parts {self.parts}; parts are counted from 0")
        elif self.force:
            raise BadConfig("--force with --index: would drop the other parts' work; run --force alone first")

    @property
    def part(self) -> Shard:
        """Which part of the work is to be done; all of it unless an index says otherwise."""
        return Shard(0, 1) if self.index is None else Shard(self.index, self.parts)


Before = Callable[[Run, Any], None]
Check = Callable[[Any, Shard, dict[str, Any]], None]


def _all_right(config: Any, part: Shard, inputs: dict[str, Any]) -> None:
    """Find nothing wrong: a job whose config is checked by itself."""


class JobCommand(CommandWithOptions):
    """A job's command; `before` and `check` are as in `job`."""

    before: Before | None
    check: Check

    def take_recipe(self, context: click.Context, recipe: Recipe) -> None:
        """Make the recipe's values the defaults of a call."""
        take_recipe(context, self, recipe)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of a call, which `--help` looks at as well."""
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, once its own variables are checked: those of other jobs are for these to look at."""
        own = option_variables(self.params, self.job.name)
        check_environment(lambda job: own if job == self.job.name else None, self.tables or (self.job.name,))
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under headings, each with the default that will be used."""
        ctx.meta[SHOWN] = shown_defaults(self, ctx, ctx.meta.get(WORDS, []))
        write_grouped(self.get_params(ctx), ctx, formatter)


class JobGroup(JobCommand, click.Group):
    """A job's command that has commands of its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def job(
    row: Job,
    options: type[JobOptions],
    *,
    jobs: Collection[str] = (),
    resumes: bool = False,
    before: Before | None = None,
    check: Check = _all_right,
    cls: type[JobCommand] = JobCommand,
) -> Callable[[Callable[..., Result | None]], JobCommand]:
    """Turn `main(run, options) -> Result` into the command of the job in `row`; see the module's docstring.

    `jobs` are the names of all jobs, which recipes may have tables of. With `resumes` an interrupted run's draft is
    kept for the next run of the same request. A job with parts returns None while parts of other processes are missing.
    `before(run, config)`, where `run.folder` is the experiment's, does work that any number of processes share;
    whoever is done with it first makes the artifact. `check(config, part, inputs)` raises BadInput for options that do
    not go with the part of the work or with the inputs, in a dry run too, where it gets none as long as one is missing:
    it then goes by what the recipe says of them. It must not import torch.
    """

    def decorate(body: Callable[..., Result | None]) -> JobCommand:
        def command(**params: Any) -> None:
            context = click.get_current_context()
            if context.invoked_subcommand is not None:
                return
            resolved = resolve_options(made, context)
            for line in explain(row.name, resolved):
                click.echo(line, err=True)
            common = _Common(threads=resolved.threads, **resolved.common)
            # what the result depends on; jobs without torch do not depend on its threads
            threads = {"threads": resolved.threads} if row.gpu else {}
            built_from = made.recorded(resolved.config) | threads
            if common.dry_run:
                from shared.cli.dry_run import dry_run

                shown = resolved.config.resolved() | threads
                checked = partial(check, resolved.config, common.part)
                dry_run(row, built_from, common.folder, common.force, checked, shown)
            else:
                _perform(made, resolved.config, built_from, common, body, resumes)

        decorated: Any = update_wrapper(command, body)
        for option in reversed((*(PARTS if row.parts else ()), *COMMON, *PLACE)):
            decorated = option(decorated)
        prefix = f"HALFREAL_{row.name.upper()}"
        settings = {"auto_envvar_prefix": prefix, "show_default": True, "max_content_width": 100}
        alone = {"invoke_without_command": True} if issubclass(cls, click.Group) else {}
        own = click_options(options, prefix)
        made: JobCommand = click.command(row.name, cls=cls, context_settings=settings, params=own, **alone)(decorated)
        for param in made.params:
            if isinstance(param.envvar, str):  # HALFREAL_TRAIN_GAN_DEVICE before HALFREAL_DEVICE
                param.envvar = [variable(row.name, str(param.name)), param.envvar]
        made.job, made.options, made.before, made.check = row, options, before, check
        made.tables = jobs or None
        return made

    return decorate


def _perform(
    command: JobCommand,
    config: Any,
    options: dict[str, Any],
    common: _Common,
    body: Callable[..., Result | None],
    resumes: bool,
) -> None:
    row, before = command.job, command.before
    reporter = Reporter(row.name)
    final = common.folder / row.writes
    # Before numpy and torch are imported, whose libraries look once. Waiting threads must sleep: spinning gains 1.2x on
    # idle cores, loses 20x on shared ones.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if options.get("threads"):
        os.environ |= {"OMP_NUM_THREADS": str(options["threads"]), "OPENBLAS_NUM_THREADS": str(options["threads"])}
    from shared.runtime.processes import usable_cores
    from shared.store.locks import locked
    from shared.store.staging import BuildKey, draft

    request = BuildKey(row.name, row.kind, options, open_inputs(row, common.folder))
    if not common.force and _already(row, final, request, reporter):
        return
    for artifact in request.inputs.values():
        artifact.record  # noqa: B018  # what an input lacks is said now, not after hours of work
    command.check(config, common.part, request.inputs)
    lead = is_main_process()
    reporter.stop.listen()
    started = time.monotonic()
    part = None if common.index is None else common.part
    threads, sources = common.threads or usable_cores(), common.data_root / "sources"
    place = Run(request.inputs, common.folder, sources, common.device, reporter, common.part, threads=threads)
    if before is not None:
        before(place, config)
    with ExitStack() as held:
        work = held.enter_context(
            draft(final, request, keep=resumes, fresh=common.force, lead=lead, part=part, wait=before is not None)
        )
        if before is not None and not common.force and _already(row, final, request, reporter):
            return
        place = replace(place, folder=work.folder)
        if part and lead:
            place = replace(place, exclusive=lambda: held.enter_context(locked(final, wait=True)))
        result = body(place, config)
        if not lead:
            return
        if result is None:
            if not _already(row, final, request, reporter):
                reporter.info(f"part {common.index} of {common.parts} is done; others are not yet: {final}")
            return
        write_run_record(work.folder / "run.json", started)
        work.commit(record=result.record, dataset=result.dataset)
    reporter.info(
        f"complete in {time.monotonic() - started:.1f} s: {final}" + (result.summary and f"\n{result.summary}")
    )


def _already(row: Job, final: Path, request: "BuildKey", reporter: Reporter) -> bool:
    """Whether the artifact that is at `final` answers the request; if not, say why it is rebuilt."""
    from shared.store.artifacts import as_output
    from shared.store.staging import finished

    found = finished(final, request)
    reasons = request.differences(found.manifest) if found else []
    if found and not reasons:
        reporter.info(f"already complete: {final}")
        for name in as_output(row, found).record.not_measured:
            reporter.info(f"it leaves out {name}; once what that lacked is there, --force rebuilds it")
    elif found:
        reporter.info(f"rebuilding because {'; '.join(reasons)}")
    return found is not None and not reasons
