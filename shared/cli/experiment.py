"""The options that say where an experiment lives, which every command has."""

import re
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from shared.cli.click_options import grouped_option
from shared.cli.common_options import check_finite
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
    """Load the recipe; a job's command takes its defaults from it. Eager, so that the other options see them."""
    recipe = load_recipe(value, getattr(context.command, "tables", None))
    context.meta["recipe"] = value
    take = getattr(context.command, "take_recipe", None)
    if take is not None:
        take(context, recipe)
    return recipe


PLACE = (
    grouped_option(
        "experiment",
        "--recipe",
        default=DEFAULT_RECIPE,
        envvar="HALFREAL_RECIPE",
        is_eager=True,
        callback=use_recipe,
        metavar="NAME|FILE.toml",
        help="The experiment's options: a name that `halfreal recipes` lists, or your own file.",
    ),
    grouped_option(
        "experiment",
        "--experiment",
        envvar="HALFREAL_EXPERIMENT",
        help="Folder of the experiment on the volume; without it the recipe's name.",
    ),
    grouped_option(
        "experiment",
        "--data-root",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("data"),
        envvar="HALFREAL_DATA_ROOT",
        help="The volume under which experiments live.",
    ),
    grouped_option("experiment", "--debug", is_flag=True, help="Show the traceback of an unexpected error."),
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
