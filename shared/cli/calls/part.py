"""Which part of its work a call does: by --parts and --index, or by its task in the array of a batch system."""

from collections.abc import Mapping

import click
from click.core import ParameterSource

from shared.cli.common_options import AUTO
from shared.errors import BadConfig
from shared.runtime.array_jobs import BATCH_SYSTEMS, array_task
from shared.store.work_shards import WHOLE, Shard


def shard_of(context: click.Context, environment: Mapping[str, str]) -> Shard:
    """Return the part of the work that the call of `context` does; BadConfig for a part that there is not.

    The work is divided only where --parts says so: an array of a batch system may be one of unrelated experiments.
    """
    parts, index = context.params["parts"], context.params["index"]
    if parts == 1:
        said = context.get_parameter_source
        if said("index") is ParameterSource.COMMANDLINE and said("parts") is ParameterSource.DEFAULT:
            raise BadConfig(f"--index {index}: say by --parts into how many parts the work is divided")
        return WHOLE
    shard = _by_array(parts, environment) if index is None else _by_index(parts, index)
    if shard.count > 1 and context.params["force"]:
        raise BadConfig("--force with --parts: would drop the other parts' work; run --force alone first")
    return shard


def _by_index(parts: int | str, index: int) -> Shard:
    if isinstance(parts, str):
        raise BadConfig(f"--index {index} with --parts {AUTO}: say both as numbers, or leave --index to the array")
    if index >= parts:
        raise BadConfig(_beyond(index, parts))
    return Shard(index, parts)


def _by_array(parts: int | str, environment: Mapping[str, str]) -> Shard:
    """Return the part that is that of the array's task; its array must have as many tasks as there are parts."""
    task = array_task(environment)
    if task is None:
        names = ", ".join(system.variable for system in BATCH_SYSTEMS.values())
        raise BadConfig(
            f"--parts {parts}: no array of a batch system told which part this is (none of {names} is set)\n"
            "say it by --index, from 0"
        )
    if isinstance(parts, str):
        if task.count is None:
            raise BadConfig(
                f"--parts {AUTO}: the array tells its task, {task.index}, and not how many there are\n"
                "say it by --parts, or by HALFREAL_PARTS: in Kubernetes as many as `completions`"
            )
        return Shard(task.index, task.count)
    if task.count not in (None, parts):
        raise BadConfig(
            f"--parts {parts}: the array has {task.count} task{'' if task.count == 1 else 's'}; want as many as parts\n"
            f"say --parts {AUTO}, or which part this is by --index"
        )
    if task.index >= parts:
        raise BadConfig(_beyond(task.index, parts))
    return Shard(task.index, parts)


def _beyond(index: int, parts: int) -> str:
    return f"--index {index}: want less than --parts {parts}; parts are counted from 0"
