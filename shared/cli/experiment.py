"""The options that say where an experiment lives, which every command has."""

import re
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from shared.cli.common_options import COMMON_NAMES, check_finite
from shared.cli.recipes import DEFAULT_RECIPE, Recipe, load_recipe
from shared.errors import BadConfig


def experiment_name(experiment: str | None, recipe: Recipe) -> str:
    """Return the experiment's name, by default the recipe's; BadConfig for one that is no plain folder name."""
    name = experiment or recipe.name
    if not re.fullmatch(r"\w[\w.-]*", name):
        where = "--experiment" if experiment else "the recipe's name"
        raise BadConfig(
            f"{where} {name!r}: want letters, digits, '_', '-' and '.', with none of the last two in front; "
            "name it with --experiment"
        )
    return name


def use_recipe(context: click.Context, parameter: click.Parameter, value: str) -> Recipe:
    """Feed the recipe to click as this command's defaults; eager, so that the other options see them."""
    recipe = load_recipe(value)
    defaults = recipe.defaults(context.command.name or "")
    known = {str(param.name) for param in context.command.params} - COMMON_NAMES
    unknown = sorted(defaults.keys() - known)
    context.meta["recipe"] = value
    if not getattr(context.command, "takes_recipe", False):
        return recipe
    if unknown:
        raise BadConfig(
            f"recipe {value}: [{context.command.name}] has no option {unknown[0]!r}\nit has {', '.join(sorted(known))}"
        )
    # As text, as on a command line: of values click would take 1.5 or true for a whole number.
    context.default_map = {
        name: str(value) if isinstance(value, int | float) else value for name, value in defaults.items()
    }
    return recipe


PLACE = (
    click.option(
        "--recipe",
        default=DEFAULT_RECIPE,
        envvar="HALFREAL_RECIPE",
        is_eager=True,
        callback=use_recipe,
        metavar="NAME|FILE.toml",
        help="The experiment's options: a name that `halfreal recipes` lists, or your own file.",
    ),
    click.option("--experiment", envvar="HALFREAL_EXPERIMENT", help="Its folder [default: the recipe's name]."),
    click.option(
        "--data-root",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("data"),
        envvar="HALFREAL_DATA_ROOT",
        help="The volume under which experiments live.",
    ),
    click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error."),
)
"""The options that say where an experiment lives, which every command has."""


def place(function: Any) -> Any:
    """Give a command's function the options of PLACE: arguments `recipe`, `experiment`, `data_root`, `debug`.

    Called with an option that is NaN or infinite the command raises BadConfig.
    """

    def command(*args: Any, **options: Any) -> Any:
        check_finite(options)
        return function(*args, **options)

    decorated: Any = update_wrapper(command, function)
    for option in reversed(PLACE):
        decorated = option(decorated)
    return decorated
