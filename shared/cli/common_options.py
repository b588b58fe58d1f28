"""The options that commands share: where an experiment is, what every job has, parts of the work, pages."""

import math
import re
import shlex
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from shared.cli.calls.volume import Volume, bring
from shared.cli.click_options import grouped_option
from shared.cli.recipes import DEFAULT_RECIPE, Recipe, load_recipe
from shared.cli.resource_options import RESOURCES
from shared.cli.terminal.completion import experiments, recipes
from shared.cli.terminal.experiments import RESERVED, named_where_absent
from shared.errors import BadConfig
from shared.store.lineage import POINT_NAME, STUDY_FOLDER
from shared.store.replicates import MOST


def _known_device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    # by its form alone, since torch, which knows better, takes long to import; `pick_device` tries the device
    if not re.fullmatch(r"auto|cpu|(cuda|xpu)(:\d+)?|mps", value):
        raise BadConfig(f"--device {value}: take cpu or auto, or cuda, cuda:1, xpu, mps")
    return value


def check_finite(options: dict[str, object]) -> None:
    """Raise BadConfig for an option, by its argument's name, that is NaN or infinite."""
    # click's ranges let NaN pass: no comparison with it is true
    for name, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise BadConfig(f"--{name.replace('_', '-')} {value}: want a finite number")


POINT_PATTERN = rf"{STUDY_FOLDER}/{POINT_NAME}"
"""Where the experiment of a point of a study is, below that which the study is of."""


def experiment_name(experiment: str | None, recipe: Recipe) -> str:
    """Return the experiment's name, by default the recipe's; BadConfig for a reserved one or no plain folder name."""
    name = experiment or recipe.name
    check_name(name, "--experiment" if experiment else "the recipe's name", "; name it with --experiment")
    return name


def check_name(name: str, where: str, remedy: str = "") -> None:
    """Raise BadConfig for a name that no experiment can have; it was given as `where`.

    The experiments of a study are in folders below the one that it is of: `digits/study/images-5`.
    """
    own, _, below = name.partition("/")
    if own in RESERVED:
        raise BadConfig(f"{where} {name!r}: the volume has other things in that folder; take another name")
    if not re.fullmatch(r"\w[\w.-]*", own):
        raise BadConfig(
            f"{where} {name!r}: want letters, digits, '_', '-' and '.', with none of the last two in front{remedy}"
        )
    if below and not re.fullmatch(POINT_PATTERN, below):
        raise BadConfig(f"{where} {name!r}: want no '/', but for a point of a study, such as {own}/study/images-5")


DEFAULT_DATA_ROOT = Path("data")


def place_flags(data_root: Path) -> str:
    """Return the flag that names a volume in a command that is printed; nothing for the default one."""
    if data_root == DEFAULT_DATA_ROOT:
        return ""
    from shared.store.remote.mirror import mirror_of

    mirror = mirror_of(data_root)
    return f" --data-root {shlex.quote(str(mirror.address if mirror else data_root))}"


def use_recipe(context: click.Context, parameter: click.Parameter, value: str) -> Recipe:
    """Load the recipe; a job's command takes its defaults from it. Eager, so that the other options see them."""
    recipe = load_recipe(value, getattr(context.command, "tables", None))
    context.meta["recipe"] = value
    # other commands, such as `halfreal recipes show`, have no options for a recipe to set
    take = getattr(context.command, "take_recipe", None)
    if take is not None:
        take(context, recipe)
    return recipe


def use_recipes(context: click.Context, parameter: click.Parameter, value: str) -> dict[str, Recipe]:
    """Load the recipes in `value`, joined by commas: each by the words that named it."""
    named = [name.strip() for name in value.split(",") if name.strip()]
    if len(set(named)) < max(len(named), 1):
        raise BadConfig(f"--recipe {value}: want one recipe, or several joined by commas, each once")
    return {name: load_recipe(name) for name in named}


def _recipe_option(callback: Any, metavar: str, text: str) -> Any:
    return grouped_option(
        "experiment",
        "--recipe",
        default=DEFAULT_RECIPE,
        envvar="HALFREAL_RECIPE",
        is_eager=True,
        callback=callback,
        shell_complete=recipes,
        metavar=metavar,
        help=text,
    )


RECIPE = _recipe_option(
    use_recipe,
    "NAME|FILE.toml",
    "The experiment's options: a name that `halfreal recipes` lists, or your own file.",
)

RECIPES = _recipe_option(
    use_recipes,
    "NAME|FILE.toml[,...]",
    "The experiment's options: a name that `halfreal recipes` lists, or your own file. "
    "Several, joined by commas: an experiment of each, one after the other, then their comparison.",
)

EXPERIMENT = grouped_option(
    "experiment",
    "--experiment",
    envvar="HALFREAL_EXPERIMENT",
    shell_complete=experiments,
    help="Folder of the experiment on the volume; without it the recipe's name.",
)

DATA_ROOT = grouped_option(
    "experiment",
    "--data-root",
    type=Volume(),
    metavar="DIRECTORY|s3://BUCKET/PREFIX",
    default=DEFAULT_DATA_ROOT,
    envvar="HALFREAL_DATA_ROOT",
    help="The volume under which experiments live: a folder, or a place in an object store.",
)

DEBUG = grouped_option("experiment", "--debug", is_flag=True, help="Show the traceback of an unexpected error.")

PLACE = (RECIPE, EXPERIMENT, DATA_ROOT, DEBUG)
"""The options that say where an experiment lives, which every command about one has."""


def place(function: Any) -> Any:
    """Give a command's function the options of PLACE: arguments `recipe`, `experiment`, `data_root`, `debug`.

    Called with an option that is NaN or infinite the command raises BadConfig.
    """

    def command(*args: Any, **given: Any) -> Any:
        with named_where_absent(given["data_root"] / experiment_name(given["experiment"], given["recipe"])):
            return function(*args, **given)

    return _with_options(update_wrapper(command, function), PLACE)


def places(function: Any) -> Any:
    """Give a command's function the same options, but with several recipes: argument `recipe` has them by name."""
    return _with_options(function, (RECIPES, *PLACE[1:]))


def _with_options(function: Any, options: tuple[Any, ...]) -> Any:
    def command(*args: Any, **given: Any) -> Any:
        check_finite(given)
        recipes = given["recipe"] if isinstance(given["recipe"], dict) else {"": given["recipe"]}
        for recipe in recipes.values():
            bring(given["data_root"] / experiment_name(given["experiment"], recipe))
        return function(*args, **given)

    decorated: Any = update_wrapper(command, function)
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


COMMON = (
    grouped_option(
        "run",
        "--threads",
        type=click.IntRange(0),
        default=0,
        envvar="HALFREAL_THREADS",
        help="CPU threads of torch (the last digits depend on them), processes of preprocess; 0: every core.",
    ),
    grouped_option(
        "run",
        "--device",
        default="auto",
        envvar="HALFREAL_DEVICE",
        callback=_known_device,
        help="Device of torch: cpu, cuda, cuda:1 or auto.",
    ),
    *RESOURCES,
    grouped_option(
        "run", "--force", is_flag=True, help="Rebuild: drop what is complete and what is unfinished, and begin again."
    ),
    grouped_option(
        "run", "--dry-run", is_flag=True, help="Check the options, print what would be done, and change nothing."
    ),
)
"""The options that every job has besides its own, the seed among them."""


HOST = click.option(
    "--host", default="127.0.0.1", help="Address to listen on: that of this machine alone; 0.0.0.0 lets everybody in."
)
"""The option of commands that serve a page."""


ALLOWED_HOSTS = click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Name of this machine by which browsers may ask for the page, besides localhost and addresses; repeatable.",
)
"""The option of those commands that says whose requests are answered; see `shared.runtime.sockets.refusal`."""


REPLICATE = click.option(
    "--replicate",
    type=click.IntRange(0, MOST - 1),
    help="Which replicate's generator, from 0 [default: the best on val].",
)
"""The option of commands that are about one generator."""


AUTO = "auto"
"""The number of parts where the array that this process is a task of tells it."""


class PartsType(click.ParamType[int | str]):
    """A number of parts from 1, or `auto`."""

    name = "integer|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Return the number, or `auto`."""
        return AUTO if value == AUTO else click.IntRange(1).convert(value, param, ctx)


PARTS = (
    grouped_option(
        "run",
        "--parts",
        type=PartsType(),
        default=1,
        envvar="HALFREAL_PARTS",
        help="Number of processes that share the work; auto: as many as the array of Slurm, AWS Batch or Google Batch "
        "has tasks. Nothing else divides it.",
    ),
    grouped_option(
        "run",
        "--index",
        type=click.IntRange(0),
        envvar="HALFREAL_INDEX",
        help="Part of the work that this process does, from 0; without it that of its task in an array, or in an "
        "Indexed Job of Kubernetes.",
    ),
)
"""The options of jobs whose work can be done in parts."""


REPLICATES = (
    grouped_option(
        "run",
        "--replicates",
        type=click.IntRange(1, MOST),
        default=5,
        envvar="HALFREAL_REPLICATES",
        help="How often the whole procedure is done, each time from another seed; those that exist are kept.",
    ),
    grouped_option(
        "run",
        "--processes",
        type=click.IntRange(0),
        default=0,
        envvar="HALFREAL_PROCESSES",
        help="Replicates that run at once, which changes no result; 0: one for every --threads cores, one on a GPU.",
    ),
)
"""The options of jobs that have replicates."""


PART_NAMES = ("parts", "index")
"""The names of the options that say which part of the work a process does."""


COMMON_NAMES = {
    *("recipe", "experiment", "data_root", "debug", "device", "memory", "cache_dir", "force", "dry_run"),
    *("options_json", "replicates", "processes", "log_format", "metrics_dir", "track", *PART_NAMES),
}
"""The names of these options; the rest of a job's options are what its result depends on."""
