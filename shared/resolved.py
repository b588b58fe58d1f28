"""What the options of a job come to, without running it."""

from dataclasses import asdict
from typing import Any

import click

from shared.cli import JobCommand, leave_out, use_recipe
from shared.options import COMMON_NAMES


def resolved_options(command: JobCommand, recipe: str) -> dict[str, Any]:
    """Return the options of a job under `recipe`, flags and environment aside: what None stands for is filled in.

    A config that knows more than its fields says so in `resolved()`. Options without a value are left out.
    """
    with click.Context(command) as context:
        use_recipe(context, command.params[0], recipe)
        options = {}
        for param in command.params:
            if param.name in COMMON_NAMES:
                continue
            value = (context.default_map or {}).get(str(param.name), param.get_default(context))
            given = value if isinstance(value, str | int | float) else None  # click has an object for no default
            options[str(param.name)] = param.type_cast_value(context, given)
        return _resolved(command, options)


def asked_options(command: JobCommand, words: list[str]) -> dict[str, Any]:
    """Return the options of a job called with `words`, environment included, resolved as in `resolved_options`.

    Raises what the call would raise: BadConfig, or click's own for a value of the wrong type.
    """
    with command.make_context(command.name, list(words)) as context:
        options = dict(context.params)
        leave_out(command.job.name, options)
        return _resolved(command, {name: value for name, value in options.items() if name not in COMMON_NAMES})


def _resolved(command: JobCommand, options: dict[str, Any]) -> dict[str, Any]:
    threads = options.pop("threads")
    settled = command.config(**options)
    found = settled.resolved() if hasattr(settled, "resolved") else asdict(settled)
    found |= {"threads": threads} if command.job.gpu else {}
    return {name: value for name, value in found.items() if value is not None}
