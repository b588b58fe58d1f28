"""The options of what a job takes of its machine, and of who watches it: none of them changes a result."""

import os
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from shared.cli.click_options import LocalPath, grouped_option
from shared.errors import BadConfig
from shared.runtime import cache_place, memory
from shared.runtime.observe import log, trackers, watching


def _size(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value:
        memory.size_bytes(value, "--memory")
    return value or None


def _folder(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    # a part of it that is a file, too
    taken = [path for path in (value, *value.parents) if path.is_file()] if value else []
    if taken:
        raise BadConfig(f"--cache-dir {value}: {taken[0]} is a file; want a folder, which may be new")
    # jobs in processes of their own may work elsewhere
    return value.absolute() if value else None


MEMORY = grouped_option(
    "run",
    "--memory",
    metavar="SIZE",
    envvar=memory.VARIABLE,
    callback=_size,
    help="Memory that the job's processes on this machine may use together, such as 8GB or 500MB; never more than the "
    "machine or its container has, which is the default.",
)

CACHE_DIR = grouped_option(
    "run",
    "--cache-dir",
    type=LocalPath(file_okay=False),
    envvar=cache_place.VARIABLE,
    callback=_folder,
    is_eager=True,  # the mirror of a volume in an object store is in it
    help="Folder for decoded images, on a disk; they are made again where they are missing. [default: .cache on the "
    "volume]",
)

RESOURCES = (MEMORY, CACHE_DIR)
"""These options: arguments `memory` and `cache_dir`."""


def bind_resources(options: dict[str, Any]) -> None:
    """Make this process, and those that it starts, use no more memory than `memory`, and the folder `cache_dir`."""
    os.environ |= resource_variables(options)


def resource_variables(options: dict[str, Any]) -> dict[str, str]:
    """Return the variables by which processes are told the values of these options that are not None."""
    chosen = {memory.VARIABLE: options["memory"], cache_place.VARIABLE: options["cache_dir"]}
    return {name: str(value) for name, value in chosen.items() if value is not None}


def _use_format(context: click.Context, parameter: click.Parameter, value: str) -> None:
    """Write standard error in this format, also in the processes that this one starts."""
    if context.resilient_parsing or context.get_parameter_source("log_format") is ParameterSource.DEFAULT:
        return
    os.environ[log.VARIABLE] = value
    log.use(value)


def _use_folder(context: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    """Write metrics into this folder, also in the processes that this one starts."""
    if value is not None and not context.resilient_parsing:
        # absolute, since a process that this one starts may have another working directory
        os.environ[watching.VARIABLE] = str(value.absolute())


def _use_trackers(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Log to these trackers, also in the processes that this one starts."""
    if value is not None and not context.resilient_parsing:
        os.environ[trackers.VARIABLE] = trackers.checked(value)


OBSERVED = (
    grouped_option(
        "run",
        log.FLAG,
        type=click.Choice(log.FORMATS),
        default=log.TEXT,
        envvar=log.VARIABLE,
        is_eager=True,
        expose_value=False,
        callback=_use_format,
        help="Standard error as text for people, or as JSON: one object a line, for collectors of logs.",
    ),
    grouped_option(
        "run",
        "--metrics-dir",
        type=LocalPath(file_okay=False),
        envvar=watching.VARIABLE,
        expose_value=False,
        callback=_use_folder,
        help="Folder for a Prometheus text file of each process, which node_exporter reads; without it there is none.",
    ),
    grouped_option(
        "run",
        "--track",
        metavar="NAME[,...]",
        envvar=trackers.VARIABLE,
        expose_value=False,
        callback=_use_trackers,
        help="Trackers that get losses, scores and the experiment's answers: mlflow, wandb. TensorBoard's files are "
        "written in any case.",
    ),
)
"""The options of every job that say how it is watched; processes that it starts inherit them by the environment."""


def observed(function: Any) -> Any:
    """Give a command's function these options; they take effect by themselves and are no arguments."""
    for option in reversed(OBSERVED):
        function = option(function)
    return function
