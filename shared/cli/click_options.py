"""The options of a job's dataclass as click's, under headings, with the defaults that will be used."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from shared.cli.options import JobOptions, Spec, defaults, specs, value_types
from shared.cli.terminal.completion import several_of
from shared.errors import BadConfig
from shared.objects.address import is_address

SHOWN = "halfreal.defaults"
"""The key of click's context under which the defaults that `--help` shows are, by option."""

FIRST_GROUP, LAST_GROUPS = "options", ("run", "experiment")
"""The heading of options without one; those of the options that many commands have, which come last in `--help`."""

OF_CLICK = {"--help", "--version"}
"""Options that are click's own."""


class GroupedOption(click.Option):
    """An option of click's with the heading under which `--help` lists it."""

    def __init__(self, *args: Any, group: str = "", **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.group = group

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return what follows the help text, with the default that will be used."""
        extra = super().get_help_extra(ctx)
        shown = ctx.meta.get(SHOWN, {}).get(self.name)
        if shown is not None:
            extra["default"] = shown
        return extra


class LocalPath(click.Path):
    """A file or folder of this machine; BadConfig for an address, of which a path would lose a slash."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(path_type=Path, **settings)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if isinstance(value, str) and is_address(value):
            named = "" if param is None else f"{param.human_readable_name} "
            if isinstance(param, click.Option):
                named = f"{param.opts[0]} "
            raise BadConfig(f"{named}{value}: want a place on this machine; --data-root names a volume in a store")
        return super().convert(value, param, ctx)


def grouped_option(group: str, *names: str, **settings: Any) -> Callable[[Any], Any]:
    """Return the decorator that gives a command's function an option under the heading `group`."""
    return click.option(*names, cls=GroupedOption, group=group, **settings)


def click_options(options: type[JobOptions], prefix: str) -> list[click.Parameter]:
    """Return click's option for each of a job's options; `prefix` begins the names of its environment variables."""
    types, own = value_types(options), defaults(options)
    return [_click_option(name, spec, types[name], own[name], prefix) for name, spec in specs(options).items()]


def _click_option(name: str, spec: Spec, kind: type, default: Any, prefix: str) -> GroupedOption:
    flag = name.replace("_", "-")
    declared = f"--{flag}/--{spec.negative or f'no-{flag}'}" if kind is bool else f"--{flag}"
    variables = [f"{prefix}_{name.upper()}", *([spec.variable] if spec.variable else [])]
    settings: dict[str, Any] = {} if kind is bool else {"type": _click_type(spec, kind), "metavar": spec.metavar}
    settings |= {"is_flag": False, "flag_value": spec.alone} if spec.alone else {}
    settings |= {"shell_complete": several_of(lambda: spec.several)} if spec.several else {}
    return GroupedOption(
        [declared, name], default=default, help=spec.help, group=spec.group, envvar=variables, **settings
    )


def _click_type(spec: Spec, kind: type) -> click.ParamType[Any]:
    if spec.choices:
        return click.Choice(spec.choices)
    if spec.within is None:
        simple: dict[type, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT, str: click.STRING}
        return simple[kind]
    bounds = spec.within
    ranges: dict[type, Any] = {int: click.IntRange, float: click.FloatRange}
    made: click.ParamType[Any] = ranges[kind](bounds.low, bounds.high, min_open=bounds.above, max_open=bounds.below)
    return made


def write_grouped(params: Iterable[click.Parameter], context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options under their headings, in the order in which these first occur; common ones come last."""
    params = list(params)
    named = {getattr(param, "group", "") for param in params}
    last = [group for group in LAST_GROUPS if group in named]
    groups: dict[str, list[tuple[str, str]]] = {}
    for param in params:
        record = param.get_help_record(context)
        if record is not None:
            without = last[-1] if last and OF_CLICK & {*param.opts} else FIRST_GROUP
            groups.setdefault(getattr(param, "group", "") or without, []).append(record)
    for group in (*(group for group in groups if group not in last), *last):
        with formatter.section(f"{group[:1].upper()}{group[1:]}"):
            formatter.write_dl(groups[group])


def plain(value: Any) -> str:
    """Return a value as a user would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
