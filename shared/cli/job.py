"""What every job's command line shares: common options, recipes, errors to exit codes, resume and commit.

A job is one function under `@job`::

    @job(TRAIN_GAN, GanOptions, jobs=JOB_NAMES, how=How(resumes=True))
    def main(run: Run, options: GanOptions) -> Result:
        '''Train a GAN.'''

The options are the fields of a frozen dataclass that cannot exist in a wrong state (see `shared.cli.options`). The
decorator makes it, opens the inputs, prints "already complete" if it is, and otherwise calls the function with a
staging folder to write into and commits what it returns. Only then is torch imported, by the function itself.
"""

import json
import os
import sys
from collections.abc import Callable, Collection
from functools import update_wrapper
from typing import Any

import click
from click.core import ParameterSource

from shared.cli.calls.call import Call, Common, Piece
from shared.cli.calls.part import shard_of
from shared.cli.calls.perform import ReplicatesFailed, perform
from shared.cli.calls.volume import bring, check_on_one_machine
from shared.cli.click_options import SHOWN, click_options
from shared.cli.common_options import COMMON, PARTS, PLACE, REPLICATES
from shared.cli.environment import check_environment, option_variables
from shared.cli.exit_codes import ErrorHandlingGroup, code_of
from shared.cli.options import JobOptions, defaults, specs, value_types
from shared.cli.recipes import Recipe
from shared.cli.resolve import (
    CommandWithOptions,
    explain,
    options_with,
    resolve_options,
    shown_defaults,
    take_recipe,
    variable,
)
from shared.cli.resource_options import OBSERVED
from shared.cli.run import Body, How, Step
from shared.cli.terminal.hints import TYPED
from shared.data.specs import Declare, Validate, no_data_needed
from shared.errors import BadConfig, BadInput
from shared.runtime.job_processes import OPTIONS_FLAG
from shared.runtime.observe.log import say
from shared.runtime.observe.watching import watching_failures
from shared.store.job import Job
from shared.store.work_shards import WHOLE


def _answer(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Answer what `shared.runtime.job_processes.ask` asks on standard input, and end; see there."""
    command = context.command
    if not wanted or context.resilient_parsing or not isinstance(command, CommandWithOptions):
        return
    request = json.load(sys.stdin)
    answers: list[dict[str, object]] = []
    for changes in request["questions"]:
        try:
            answers.append({"options": options_with(command, request["words"], changes)})
        except BadInput as error:
            answers.append({"refused": str(error)})
    known = specs(command.options)
    click.echo(
        json.dumps(
            {
                "types": {name: kind.__name__ for name, kind in value_types(command.options).items()},
                "defaults": defaults(command.options),
                "owners": {name: spec.owner for name, spec in known.items() if spec.owner},
                "answers": answers,
            }
        )
    )
    context.exit()


OPTIONS_JSON = click.option(
    OPTIONS_FLAG,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    hidden=True,
    allow_from_autoenv=False,
    callback=_answer,
)
"""The option by which a job tells another process its options."""


class JobCommand(CommandWithOptions):
    """A job's command: its recipe sets its defaults, its help groups its options."""

    def take_recipe(self, context: click.Context, recipe: Recipe) -> None:
        """Make the recipe's values the defaults of a call."""
        take_recipe(context, self, recipe)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, once its own variables are checked; those of other jobs are checked by these."""
        own = option_variables(self.params, self.job.name)
        check_environment(lambda job: own if job == self.job.name else None, self.tables or (self.job.name,))
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under headings, each with the default that will be used."""
        ctx.meta[SHOWN] = shown_defaults(self, ctx, ctx.meta.get(TYPED, []))
        super().format_options(ctx, formatter)


class JobGroup(JobCommand, ErrorHandlingGroup):
    """A job's command that has commands of its own."""


def job(
    row: Job,
    options: type[JobOptions],
    *,
    jobs: Collection[str] = (),
    how: How | None = None,
    validate: Validate = no_data_needed,
    declare: Declare | None = None,
    cls: type[JobCommand] = JobCommand,
) -> Callable[[Body], JobCommand]:
    """Turn `main(run, options) -> Result` into the command of the job in `row`; see the module's docstring.

    `jobs` are the names of all jobs, which recipes may have tables of. `how` says how its artifacts are made. A job
    with parts returns None while shards of other processes are missing.
    `validate(config, shard, specs)` raises BadInput for options that do not fit the shard of the work or the data, as
    far as `specs` describe it: in a dry run artifacts may be missing. `declare(config)` describes the artifact for the
    validation of the jobs that read it. Neither may import torch. `cls` is a command with more than this.
    """
    making = how or How()

    def decorate(body: Body) -> JobCommand:
        def command(**params: Any) -> None:
            context = click.get_current_context()
            if context.invoked_subcommand is not None:
                return
            resolved = resolve_options(made, context)
            for line in (*explain(row.name, resolved), *made.notes(resolved.config)):
                say("notice", line)
            shard = shard_of(context, os.environ) if "parts" in context.params else WHOLE
            common = Common(threads=resolved.threads, shard=shard, typed=resolved.typed, **resolved.common)
            check_on_one_machine(context, shard)
            bring(common.folder)
            call = Call(made, resolved.config, made.recorded(resolved.config), common)
            _check_replicates(call, context)
            if call.common.dry_run:
                from shared.cli.calls.dry_run import dry_run

                dry_run(call)
            else:
                who = call.identity(Piece(call.row, shard=call.common.shard))
                with watching_failures(who, code_of, (ReplicatesFailed, SystemExit)):
                    perform(call)

        made = _command(row, options, cls, update_wrapper(command, body), bool(making.after))
        made.job, made.options, made.tables = row, options, jobs or None
        made.steps = (*making.after, Step(row, body, making))
        made.validate, made.declare = validate, declare
        return made

    return decorate


def _check_replicates(call: Call, context: click.Context) -> None:
    """Raise BadConfig where a flag asks for replicates of an artifact that all replicates share."""
    # the variable and the recipe's value are for every job, also for those that make one artifact
    given = context.get_parameter_source("replicates") is ParameterSource.COMMANDLINE
    if given and not any(step.row.replicated for step in call.steps):
        raise BadConfig(
            f"--replicates {call.common.replicates}: all replicates share one `{call.row.writes}`\n"
            "leave it out, or say --resplit for a random split for each"
        )


def _command(row: Job, options: type[JobOptions], cls: type[JobCommand], body: Any, gathers: bool) -> JobCommand:
    """Return click's command with the job's own options and those that every job has."""
    replicates = row.replicated or row.splits or gathers
    shared = [*(PARTS if row.parts or replicates else ()), *(REPLICATES if replicates else ())]
    for option in reversed((*shared, *COMMON, *OBSERVED, *PLACE, OPTIONS_JSON)):
        body = option(body)
    prefix = f"HALFREAL_{row.name.upper()}"
    settings = {"auto_envvar_prefix": prefix, "show_default": True}
    alone = {"invoke_without_command": True} if issubclass(cls, click.Group) else {}
    own = click_options(options, prefix)
    made: JobCommand = click.command(row.name, cls=cls, context_settings=settings, params=own, **alone)(body)
    for param in made.params:
        if isinstance(param.envvar, str):  # HALFREAL_TRAIN_GAN_DEVICE before HALFREAL_DEVICE
            param.envvar = [variable(row.name, str(param.name)), param.envvar]
    return made
