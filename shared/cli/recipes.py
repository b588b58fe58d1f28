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

`[tune.space]` holds what `tune` may vary: options of jobs, each with a list of values or a range::

    [tune.space]
    train_gan.batch_images = [32, 64]
    train_gan.learning_rate = {low = 1e-4, high = 1e-2, log = true}

It reaches the job as JSON text in its option `space`.
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import BadConfig

JOBS_FOLDER = Path(__file__).resolve().parents[2] / "jobs"
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
    ),
    "preprocess": ("source", ("label", "split")),
}
"""By job: an option, and those that a recipe sets for its value of that option alone: another value leaves them out."""

WORDS = ("about", "follows", "departs", "needs")
"""What a recipe says of itself, in words."""


@dataclass(frozen=True)
class Recipe:
    """The options of one experiment: those of every job in `common`, each job's own in `jobs` by its name.

    `words` holds what it says of itself, by the names in WORDS; `files` are its own and those that it extends.
    """

    name: str
    words: dict[str, str]
    common: dict[str, int]
    jobs: dict[str, dict[str, Any]]
    files: tuple[Path, ...] = field(default=(), compare=False)

    def defaults(self, job: str) -> dict[str, Any]:
        """Return the options that the recipe sets for `job`; its own beat the common ones."""
        return self.common | self.jobs.get(job, {})

    def place(self, *keys: str) -> str:
        """Return "recipe FILE, line N" of the value that stands under `keys`; without the line if none holds it."""
        for path in self.files:
            lines = path.read_text(encoding="utf-8").splitlines()
            for number in range(1, len(lines) + 1):
                if _holds("\n".join(lines[:number]), keys):
                    return f"recipe {path}, line {number}"
        return f"recipe {self.files[0] if self.files else self.name}"


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
    if isinstance(fields.get("tune"), dict) and isinstance(fields["tune"].get("space"), dict):
        fields["tune"]["space"] = json.dumps(fields["tune"]["space"], default=str)
    _check_tables(path, fields)
    if below is None:
        return Recipe(path.stem, words, common, fields, (path,))
    if path in above:
        raise BadConfig(f"recipe {path}: extends itself, by way of {', '.join(each.stem for each in above)}")
    try:
        base = _load(str(path.parent / below) if below.endswith(".toml") else below, (*above, path))
    except BadConfig as error:
        raise BadConfig(f"recipe {path}: extends {below!r}\n{error}") from error
    jobs = {job: _inherited(base, job, fields.get(job, {})) | fields.get(job, {}) for job in base.jobs | fields}
    if "space" in jobs.get("tune", {}) and "space" not in fields.get("tune", {}):
        for job in DEPENDENT:
            if _another(base, job, fields.get(job, {})):
                jobs["tune"] = without_dependent(jobs["tune"], job)
    return Recipe(path.stem, base.words | words, base.common | common, jobs, (path, *base.files))


def _holds(text: str, keys: tuple[str, ...]) -> bool:
    """Whether `text`, the beginning of a TOML file, is TOML and has a value under `keys`."""
    try:
        found: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return True


def _another(base: Recipe, job: str, own: dict[str, Any]) -> bool:
    """Whether a table says another value than the recipe below of the option that others depend on."""
    key, _ = DEPENDENT.get(job, ("", ()))
    return key in own and own[key] != base.jobs.get(job, {}).get(key)


def _inherited(base: Recipe, job: str, own: dict[str, Any]) -> dict[str, Any]:
    """Return what a table takes over from the recipe below."""
    below = base.jobs.get(job, {})
    if not _another(base, job, own):
        return below
    return {name: value for name, value in below.items() if name not in DEPENDENT[job][1]}


def without_dependent(tune: dict[str, Any], job: str) -> dict[str, Any]:
    """Return the options of tune without those in `space` that a recipe sets for one value of another option of `job`.

    Where the space then is empty there is none.
    """
    try:
        space = json.loads(tune["space"])
        space[job] = {name: domain for name, domain in space[job].items() if name not in DEPENDENT[job][1]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return tune  # nothing of that job, or no space at all, which tune says itself
    left = {"space": json.dumps(space)} if any(space.values()) else {}
    return {name: value for name, value in tune.items() if name != "space"} | left


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


def written(words: dict[str, str], tables: dict[str, dict[str, Any]]) -> str:
    """Return a recipe as TOML: what it says of itself, then a table for each job; a search space as one too."""
    lines = [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in words.items()]
    for job, options in tables.items():
        space = options.get("space") if job == "tune" else None
        lines += ["", f"[{job}]"]
        lines += [f"{name} = {_toml(value)}" for name, value in options.items() if space is None or name != "space"]
        if space is not None:
            lines += ["", f"[{job}.space]"]
            found = json.loads(space)
            lines += [
                f"{of}.{name} = {_toml(domain)}" for of, domains in found.items() for name, domain in domains.items()
            ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Return a value as TOML has it; of JSON's only tables are written in another way."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(held)}" for key, held in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
