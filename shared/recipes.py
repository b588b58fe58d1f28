"""Recipes: the options of every job of one experiment, as TOML.

A recipe has a line `about`, options that every job has, and one table for each job that it sets options of::

    about = "What it shows, in one line."
    seed = 0
    threads = 1

    [train_gan]
    family = "wgan_gp"

The tables are fed to click as defaults: a flag beats the environment, the environment beats the recipe, the
recipe beats the option's own default.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import BadConfig

JOBS_FOLDER = Path(__file__).resolve().parent.parent / "jobs"
RECIPES_FOLDER = JOBS_FOLDER / "recipes"
DEFAULT_RECIPE = "digits"

COMMON_KEYS = ("seed", "threads")
"""Options of every job that a recipe may set once, for all of them: whole numbers."""


@dataclass(frozen=True)
class Recipe:
    """The options of one experiment: those of every job in `common`, each job's own in `jobs` by its name."""

    name: str
    about: str
    common: dict[str, int]
    jobs: dict[str, dict[str, Any]]

    def defaults(self, job: str) -> dict[str, Any]:
        """Return the options that the recipe sets for `job`; its own beat the common ones."""
        return self.common | self.jobs.get(job, {})


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship with halfreal."""
    return sorted(path.stem for path in RECIPES_FOLDER.glob("*.toml"))


def job_names() -> list[str]:
    """Return the name of every job, as its folder is called."""
    return sorted(path.parent.name for path in JOBS_FOLDER.glob("*/__main__.py"))


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe that ships with halfreal (by name) or the user's own (a path that ends in .toml).

    Raises BadConfig for a recipe that does not exist, is not TOML or has a table that names no job.
    """
    own = name_or_path.endswith(".toml")
    path = Path(name_or_path) if own else RECIPES_FOLDER / f"{name_or_path}.toml"
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(recipe_names())
        raise BadConfig(
            f"recipe {name_or_path!r}: not found; take one of {known}, or a path to a .toml file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadConfig(f"recipe {path}: cannot be read as TOML ({error})") from error
    about = fields.pop("about", "")
    common = {key: fields.pop(key) for key in COMMON_KEYS if key in fields}
    if not isinstance(about, str) or not all(isinstance(value, int) for value in common.values()):
        raise BadConfig(f"recipe {path}: want `about` to be text, `{'`, `'.join(COMMON_KEYS)}` a whole number")
    for job, options in fields.items():
        if job not in job_names() or not isinstance(options, dict):
            raise BadConfig(f"recipe {path}: {job!r} is no table of a job; the jobs are {', '.join(job_names())}")
        for option, value in options.items():
            if not isinstance(value, str | int | float):
                raise BadConfig(f"recipe {path}: [{job}] {option} = {value!r:.60}; want text, a number, true or false")
    return Recipe(path.stem, about, common, fields)
