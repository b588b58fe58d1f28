"""How the options of a job resolve: the one way from flags, environment and recipe to checked options."""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import click
from click.core import ParameterSource

from shared.cli.click_options import plain
from shared.cli.common_options import COMMON_NAMES, PART_NAMES, check_finite
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.cli.options import JobOptions, Replaced, Spec, check_recipe, defaults, merge, one_each, recorded, specs
from shared.cli.recipes import COMMON_KEYS, Recipe
from shared.cli.run import Run, Step
from shared.data.specs import Declare, Specs, Validate
from shared.errors import BadConfig, HalfrealError
from shared.runtime.job_processes import variables
from shared.store.job import Job
from shared.store.work_shards import WHOLE

LAYERS = "halfreal.layers"
"""The key of click's context under which the layers of the recipe are, each with the name of its source."""

GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
"""Sources that a value comes from because somebody asked for it in this call."""

Layers = list[tuple[str, dict[str, object]]]

Before = Callable[[Run, Any], bool]
"""`before(run, config)`, where `run.folder` is the experiment's, does work that any number of processes share.

It returns whether all of it is done: the first of them to see that makes the artifact. A part may end before.
"""


class CommandWithOptions(ErrorHandlingCommand):
    """A command whose options are the fields of the dataclass `options`; `job` is its row in the table.

    `tables` are the jobs that a recipe may have tables of; None where nobody said. It takes its `steps` in order. The
    rest is as in `shared.cli.job`.
    """

    job: Job[Any]
    options: type[JobOptions]
    tables: Collection[str] | None
    validate: Validate
    declare: Declare | None
    before: Before | None = None
    steps: tuple[Step, ...]

    def row(self, config: JobOptions) -> Job[Any]:
        """Return the job's row in the table, or the other one that these options want."""
        return config.other_row or self.job

    def config(self, options: Any) -> Any:
        """Return what the body gets: the options, unless a job completes them by those of others."""
        return options

    def notes(self, config: Any) -> Iterable[str]:
        """Return lines about `config` that are said at the start, in a dry run too."""
        return ()

    def recorded(self, config: Any) -> dict[str, object]:
        """Return what the manifest records of `config`."""
        return recorded(config)


@dataclass(frozen=True)
class ResolvedOptions:
    """The checked options of a call: the job's own, as it completes them, torch's threads, the common ones by name.

    `replaced` says what of the recipe does not hold, because it was meant for another value of an owner; `typed` are
    the job's own options that were given as flags.
    """

    config: JobOptions
    threads: int
    common: dict[str, Any]
    replaced: list[Replaced]
    typed: frozenset[str] = frozenset()


def take_recipe(context: click.Context, command: CommandWithOptions, recipe: Recipe) -> None:
    """Feed a recipe to click as the defaults of a job's command; BadConfig for what the job does not have."""
    source = f"recipe {recipe.name}"
    common, *tables = recipe.tables(command.job.name)
    layers = [(source, table) for table in (common, *tables)]
    # what holds for every job may be of no use to this one; a table of its own may not
    also = {param.name for param in command.params} & set(COMMON_KEYS)
    for table in tables:
        check_recipe(command.options, f"{source}: [{command.job.name}]", table, also)
    context.meta[LAYERS] = layers
    values, _ = merge(command.options, layers)
    # As text, as on a command line: of values click would take 1.5 or true for a whole number.
    context.default_map = {
        name: value if isinstance(value, str) else str(value) if isinstance(value, int | float) else json.dumps(value)
        for name, value in values.items()
    }


def resolve_options(command: CommandWithOptions, context: click.Context) -> ResolvedOptions:
    """Return the options of the call of `context`; BadConfig for options that contradict each other."""
    params = dict(context.params)
    check_finite(params)
    own = defaults(command.options)
    given = {name: params[name] for name in own if context.get_parameter_source(name) in GIVEN}
    merged, replaced = merge(command.options, [*context.meta.get(LAYERS, []), ("", given)])
    values: dict[str, Any] = {name: params[name] if name in merged else own[name] for name in own}
    options = command.options(**values)
    return ResolvedOptions(
        command.config(options),
        params["threads"],
        {name: params[name] for name in COMMON_NAMES & params.keys() - {*PART_NAMES}},
        [change if change.source else replace(change, source=_said(command, context, change)) for change in replaced],
        frozenset(name for name in own if context.get_parameter_source(name) is ParameterSource.COMMANDLINE),
    )


def _said(command: CommandWithOptions, context: click.Context, replaced: Replaced) -> str:
    """Return how an owner's value was given: as a flag or as a variable."""
    if context.get_parameter_source(replaced.owner) is ParameterSource.COMMANDLINE:
        return f"--{replaced.owner.replace('_', '-')} {replaced.after}"
    return f"{variable(command.job.name, replaced.owner)}={replaced.after}"


def variable(job: str, name: str) -> str:
    """Return the environment variable that sets an option of a job."""
    return f"HALFREAL_{job}_{name}".upper()


def explain(job: str, resolved: ResolvedOptions) -> Iterator[str]:
    """Yield a line for each owner for whose sake values of the recipe were replaced by others: by which, and why."""
    now = resolved.config.resolved()  # in the order of the fields
    for change in resolved.replaced:
        old = change.values
        changed = {name: old[name] for name in now if name in old and old[name] != now[name]}
        if changed:
            taken = _listed({name: now[name] for name in changed if now[name] is not None})
            yield (
                f"{job}: {change.source}: "
                + (f"{taken} are the {change.owner}'s own; " if taken else "")
                + f"the recipe's for {change.before} are left out: {_listed(changed)}"
            )


def _listed(values: dict[str, object]) -> str:
    return ", ".join(f"{name} {plain(value)}" for name, value in values.items())


def asked(command: CommandWithOptions, words: list[str]) -> ResolvedOptions:
    """Return the checked options of a job called with `words`, environment included.

    Raises what the call would raise before it opens any data: BadConfig, or click's own for a value of the wrong type.
    """
    with command.make_context(command.name, list(words)) as context:
        resolved = resolve_options(command, context)
    command.validate(resolved.config, WHOLE, Specs())
    return resolved


def config_of(command: CommandWithOptions, words: list[str]) -> Any:
    """Return the checked config of a job called with `words`, environment included; BadConfig where it refuses them."""
    try:
        with command.make_context(command.name, list(words)) as context:
            return resolve_options(command, context).config
    except click.ClickException as error:
        raise BadConfig(error.format_message()) from error


def asked_options(command: CommandWithOptions, words: list[str]) -> dict[str, object]:
    """Return the options of a job called with `words`, as `asked`, None replaced by what it means.

    Options without a value, and those that no manifest records, are left out.
    """
    resolved = asked(command, words)
    known = specs(command.options)
    options = {
        name: _as_toml(known[name], value) for name, value in resolved.config.resolved().items() if known[name].recorded
    }
    options |= {"threads": resolved.threads} if command.job.gpu else {}
    return {name: value for name, value in options.items() if value is not None}


def _as_toml(spec: Spec, value: object) -> object:
    """Return an option's value as a recipe has it: JSON text as the table or the list that it is."""
    if isinstance(value, str) and spec.each:
        values = one_each(value)
        return values if len(values) > 1 else values[0]
    return json.loads(value) if spec.table and isinstance(value, str) else value


def options_with(command: CommandWithOptions, words: list[str], changes: Mapping[str, object]) -> dict[str, object]:
    """Return the options of a job called with `words`, as `asked_options`; `changes` beat recipe and environment.

    Raises BadConfig for a value that the job refuses.
    """
    # by variables, because these beat a recipe in the same way as a user's, and types are checked on the way
    with environment(variables({f"{command.job.name}.{name}": value for name, value in changes.items()})):
        try:
            return asked_options(command, words)
        except click.ClickException as error:
            raise BadConfig(error.format_message()) from error


def resolved_options(command: CommandWithOptions, recipe: str) -> dict[str, object]:
    """Return the options of a job under `recipe`, as `asked_options`, with no regard to the environment."""
    with _quiet_environment():
        return asked_options(command, ["--recipe", recipe])


@contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
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


@contextmanager
def _quiet_environment() -> Iterator[None]:
    """Take the variables that set options away for a while."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("HALFREAL_")}
    try:
        yield
    finally:
        os.environ.update(taken)


def shown_defaults(command: CommandWithOptions, context: click.Context, words: list[str]) -> dict[str, str]:
    """Return, for `--help`, what each option will be unless it is given, and where that comes from.

    `words` are those of the call: another recipe or owner among them changes what is shown.
    """
    params = {str(param.name): param for param in command.params}
    try:
        typed, _, _ = command.make_parser(context).parse_args(list(words))
        recipe = params["recipe"].process_value(context, params["recipe"].consume_value(context, typed)[0])
    except (click.UsageError, HalfrealError):
        typed, recipe = {}, None
    own, layers = defaults(command.options), context.meta.get(LAYERS, [])
    given = _given(context, {name: params[name] for name in own}, typed)
    merged, _ = merge(command.options, [*layers, ("", {name: value for name, (value, _) in given.items()})])
    values: dict[str, Any] = {name: merged.get(name, value) for name, value in own.items()}
    with suppress(HalfrealError):
        values = command.options(**values).resolved()
    owners = {
        name: f"the {spec.owner} {values[spec.owner]}" for name, spec in specs(command.options).items() if spec.owner
    }
    typed_values = {name for name, (_, source) in given.items() if source is ParameterSource.COMMANDLINE}
    values |= {name: value for name, value in (own | merge(command.options, layers)[0]).items() if name in typed_values}
    # a typed value is not shown: the reader sees what would hold without it
    origins = {name: f", from the recipe {recipe.name}" if recipe else "" for name in merged if name not in given}
    for name in given.keys() - typed_values:
        names = (variable(command.job.name, name), specs(command.options)[name].variable)
        origins[name] = f", from {next((each for each in names if each in os.environ), names[0])}"
    owned = {name: f", from {owner}" for name, owner in owners.items()}
    unused = {name: f"unused by {owner}" for name, owner in owners.items()}
    shown = {name: _flag_or_value(params[name], value) for name, value in values.items() if value is not None}
    return unused | {name: text + (owned | origins).get(name, "") for name, text in shown.items()}


def _given(
    context: click.Context, params: dict[str, click.Parameter], typed: Mapping[str, object]
) -> dict[str, tuple[Any, ParameterSource]]:
    """Return the values that flags, as they were typed, and the environment give, each with its source."""
    values = {name: param.consume_value(context, typed) for name, param in params.items()}
    given = {}
    for name, (value, source) in values.items():
        if source in GIVEN:
            with suppress(click.UsageError):  # --help must work on a call with mistakes in it
                given[name] = params[name].type_cast_value(context, value), source
    return given


def _flag_or_value(param: click.Parameter, value: Any) -> str:
    if isinstance(value, bool):
        return (param.opts if value else param.secondary_opts)[0].lstrip("-")
    return plain(value)
