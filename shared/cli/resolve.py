"""What the options of a job come to: the one way from what was said to its checked config."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from shared.cli.common_options import COMMON_NAMES, check_finite
from shared.cli.recipes import DEPENDENT

if TYPE_CHECKING:
    from shared.cli.job import JobCommand


@dataclass(frozen=True)
class ResolvedOptions:
    """The checked options of a call: the job's config, torch's threads, and the common options by name."""

    config: Any
    threads: int
    common: dict[str, Any]


def resolve_options(job: str, config: Callable[..., Any], params: Mapping[str, Any]) -> ResolvedOptions:
    """Return the options of the call that click is at, given its parameters; BadConfig for what contradicts itself."""
    options = dict(params)
    check_finite(options)
    leave_out(job, options)
    threads = options.pop("threads")
    common = {name: options.pop(name) for name in COMMON_NAMES & options.keys()}
    return ResolvedOptions(config(**options), threads, common)


def leave_out(job: str, options: dict[str, Any]) -> None:
    """Give their own default to options that the recipe sets for another value of the one that they depend on."""
    key, names = DEPENDENT.get(job, ("", ()))
    context = click.get_current_context()
    if not key or (context.default_map or {}).get(key) in (None, options[key]):
        return
    for param in context.command.params:
        if (name := str(param.name)) in names and (
            context.get_parameter_source(name) == click.core.ParameterSource.DEFAULT_MAP
        ):
            # click has an object for no default
            options[name] = param.default if isinstance(param.default, str | int | float) else None


def asked(command: "JobCommand", words: list[str]) -> ResolvedOptions:
    """Return the checked options of a job called with `words`, environment included.

    Raises what the call would raise: BadConfig, or click's own for a value of the wrong type.
    """
    with command.make_context(command.name, list(words)) as context:
        return resolve_options(command.job.name, command.config, context.params)


def asked_options(command: "JobCommand", words: list[str]) -> dict[str, Any]:
    """Return the options of a job called with `words`, as `asked`: what None stands for is filled in.

    A config that knows more than its fields says so in `resolved()`. Options without a value are left out.
    """
    settled = asked(command, words)
    known = settled.config
    found = known.resolved() if hasattr(known, "resolved") else asdict(known)
    found |= {"threads": settled.threads} if command.job.gpu else {}
    return {name: value for name, value in found.items() if value is not None}


def resolved_options(command: "JobCommand", recipe: str) -> dict[str, Any]:
    """Return the options of a job under `recipe`, as `asked_options`, whatever the environment says."""
    with _quiet_environment():
        return asked_options(command, ["--recipe", recipe])


@contextmanager
def _quiet_environment() -> Iterator[None]:
    """Take the variables that set options away for a while."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("HALFREAL_")}
    try:
        yield
    finally:
        os.environ.update(taken)
