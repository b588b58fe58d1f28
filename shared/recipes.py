"""Recipes: the options of every job of one experiment, as TOML.

A recipe has a line `about`, options that every job has, and one table for each job that it sets options of::

    about = "What it shows, in one line."
    seed = 0
    threads = 1

    [train_gan]
    family = "wgan_gp"

`extends` names another recipe of which only what differs is said; what
belongs to another family there is left out. `follows`, `departs` and `needs` say in words which
source a recipe follows, where it does not and why, and what it needs. The tables are fed to click as defaults: a flag
beats the environment, the environment beats the recipe, the recipe beats the option's own default.
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

DEPENDENT: dict[str, tuple[str, tuple[str, ...]]] = {
    "train_gan": (
        "family",
        (
            *(
                "networks",
                "loss",
                "conditional",
                "penalty_weight",
                "clip",
                "beta1",
                "beta2",
                "real_target",
                "fake_target",
            ),
            *("auxiliary_weight", "generator_norm", "discriminator_norm", "init"),
        ),
    )
}
"""By job: an option, and those that a recipe sets for its value of that option alone: another value leaves them out."""

WORDS = ("about", "follows", "departs", "needs")
"""What a recipe says of itself, in words."""


@dataclass(frozen=True)
class Recipe:
    """The options of one experiment: those of every job in `common`, each job's own in `jobs` by its name.

    `words` holds what it says of itself, by the names in WORDS.
    """

    name: str
    words: dict[str, str]
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

    Raises BadConfig for a recipe that does not exist, is not TOML, has a table that names no job or extends itself.
    """
    return _load(name_or_path, ())


def _load(name_or_path: str, above: tuple[Path, ...]) -> Recipe:
    own = name_or_path.endswith(".toml")
    path = Path(name_or_path) if own else RECIPES_FOLDER / f"{name_or_path}.toml"
    fields = _read(path, name_or_path)
    below = fields.pop("extends", None)
    words = {key: fields.pop(key) for key in WORDS if key in fields}
    common = {key: fields.pop(key) for key in COMMON_KEYS if key in fields}
    texts = [*words.values(), *([below] if below is not None else [])]
    if not all(isinstance(value, str) for value in texts) or not all(isinstance(n, int) for n in common.values()):
        raise BadConfig(
            f"recipe {path}: want `{'`, `'.join((*WORDS, 'extends'))}` to be text, "
            f"`{'`, `'.join(COMMON_KEYS)}` a whole number"
        )
    _check_tables(path, fields)
    if below is None:
        return Recipe(path.stem, words, common, fields)
    if path in above:
        raise BadConfig(f"recipe {path}: extends itself, by way of {', '.join(each.stem for each in above)}")
    try:
        base = _load(str(path.parent / below) if below.endswith(".toml") else below, (*above, path))
    except BadConfig as error:
        raise BadConfig(f"recipe {path}: extends {below!r}\n{error}") from error
    jobs = {job: _inherited(base, job, fields.get(job, {})) | fields.get(job, {}) for job in base.jobs | fields}
    return Recipe(path.stem, base.words | words, base.common | common, jobs)


def _inherited(base: Recipe, job: str, own: dict[str, Any]) -> dict[str, Any]:
    """Return what a table takes over from the recipe below."""
    below = base.jobs.get(job, {})
    key, names = DEPENDENT.get(job, ("", ()))
    if key not in own or own[key] == below.get(key):
        return below
    return {name: value for name, value in below.items() if name not in names}


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(recipe_names())
        raise BadConfig(f"recipe {name!r}: not found; take one of {known}, or a path to a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadConfig(f"recipe {path}: cannot be read as TOML ({error})") from error


def _check_tables(path: Path, tables: dict[str, Any]) -> None:
    for job, options in tables.items():
        if job not in job_names() or not isinstance(options, dict):
            raise BadConfig(f"recipe {path}: {job!r} is no table of a job; the jobs are {', '.join(job_names())}")
        for option, value in options.items():
            if not isinstance(value, str | int | float):
                raise BadConfig(f"recipe {path}: [{job}] {option} = {value!r:.60}; want text, a number, true or false")
