"""Recipes: the options of every job of one experiment, as TOML.

A recipe has a line `about`, options that every job has, and one table for each job that it sets options of::

    about = "What it shows, in one line."
    seed = 0
    threads = 1
    replicates = 5

    [train_gan]
    family = "wgan_gp"

`extends` names another recipe, and only the differences follow: a recipe is a stack of layers, a file each. Which
values of lower layers hold depends on the job, whose options may belong together (`shared.cli.options.merge`).
`follows`, `departs` and `needs` say in words which source a recipe follows, where it does not and why, and what it
needs; a table `published` has the numbers that the source prints. A flag beats the environment, the environment beats
the recipe, the recipe beats the option's own default.
"""

import codecs
import json
import re
import sys
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.cli.options import nearest
from shared.errors import BadConfig
from shared.format.outside import read_regular
from shared.limits import RECIPE_BYTES, RECIPE_DOTS

RECIPES_FOLDER = Path(__file__).resolve().parents[2] / "jobs" / "recipes"
DEFAULT_RECIPE = "digits"

COMMON_KEYS = ("seed", "threads", "replicates")
"""Options of every job that a recipe may set once, for all of them: whole numbers."""

WORDS = ("about", "follows", "departs", "needs")
"""What a recipe says of itself, in words."""

PUBLISHED = "published"
"""The table of what the source of a recipe prints."""

PUBLISHED_VALUES = (
    *("fid_lowest", "fid_mean", "fid_highest", "inception_score"),
    *("accuracy_real", "accuracy_with_synthetic"),
)
"""What such a table may hold: FID over epochs, the Inception Score, accuracies as shares of 1."""

QUOTES = "TOML reads \\ as an escape between \"\"; write a path with / or between ''"
"""What to do about a path from Windows."""


@dataclass(frozen=True)
class Published:
    """The numbers that the source of a `recipe` prints, by the names in PUBLISHED_VALUES; none if it prints none."""

    recipe: str
    values: dict[str, float]


@dataclass(frozen=True)
class Layer:
    """One file of a recipe: what it says of itself, options of every job, and a table of options for each job.

    `published` are the numbers that its source prints; None where the file has no such table.
    """

    path: Path
    words: dict[str, str]
    common: dict[str, int]
    tables: dict[str, dict[str, object]]
    published: dict[str, float] | None = None


@dataclass(frozen=True)
class Recipe:
    """The options of one experiment: the layers of `name`, its own last, those that it extends before it."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def words(self) -> dict[str, str]:
        """What it says of itself, by the names in WORDS."""
        return {name: text for layer in self.layers for name, text in layer.words.items()}

    @property
    def common(self) -> dict[str, int]:
        """The options of every job."""
        return {name: value for layer in self.layers for name, value in layer.common.items()}

    @property
    def published(self) -> Published | None:
        """The numbers that its source prints, or that of the recipe that it extends; None where no layer has any."""
        # the whole table of one layer: a recipe for another model must not keep single numbers of the one below
        named = (
            Published(layer.path.stem, layer.published)
            for layer in reversed(self.layers)
            if layer.published is not None
        )
        return next(named, None)

    @property
    def jobs(self) -> list[str]:
        """The jobs that some layer has a table of."""
        return list(dict.fromkeys(job for layer in self.layers for job in layer.tables))

    def tables(self, job: str) -> list[dict[str, object]]:
        """Return what each layer sets for `job`, lowest first; before them what is common to all jobs."""
        return [{**self.common}, *(layer.tables[job] for layer in self.layers if job in layer.tables)]

    def place(self, *keys: str) -> str:
        """Return "recipe FILE, line N" of the value that is under `keys`; without the line if none holds it."""
        places = (_place(layer.path, keys) for layer in reversed(self.layers))
        return next((place for place in places if place), f"recipe {self.layers[-1].path}")


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship with halfreal."""
    return sorted(path.stem for path in RECIPES_FOLDER.glob("*.toml"))


def load_recipe(name_or_path: str, jobs: Collection[str] | None = None) -> Recipe:
    """Read a recipe that ships with halfreal (by name) or the user's own (a path that ends in .toml).

    Raises BadConfig for a recipe that does not exist, is not TOML, extends itself, or has a table of none of `jobs`.
    """
    layers: list[Layer] = []
    below: str | None = name_or_path
    while below is not None:
        try:
            path = _path(below, layers[-1].path.parent if layers else None)
            if path in [layer.path for layer in layers]:
                raise BadConfig(f"recipe {path}: extends itself, by way of {', '.join(_stems(layers))}")
            layer, below = _read_layer(path, below, jobs)
        except BadConfig as error:
            if not layers:
                raise
            raise BadConfig(f"recipe {layers[-1].path}: extends {below!r}\n{error}") from error
        layers.append(layer)
    return Recipe(layers[0].path.stem, tuple(reversed(layers)))


def _path(name_or_path: str, folder: Path | None) -> Path:
    """Return the file of a recipe; a path in `extends` is relative to the `folder` of the file that it is in."""
    if not name_or_path.endswith(".toml"):
        return RECIPES_FOLDER / f"{name_or_path}.toml"
    return Path(name_or_path) if folder is None else folder / name_or_path


def _stems(layers: list[Layer]) -> list[str]:
    return [layer.path.stem for layer in layers]


def _read_layer(path: Path, name: str, jobs: Collection[str] | None) -> tuple[Layer, str | None]:
    """Return what a file says, and which recipe it extends."""
    tables = _read(path, name)
    below = tables.pop("extends", None)
    published = _published(path, tables.pop(PUBLISHED)) if PUBLISHED in tables else None
    words = {key: tables.pop(key) for key in WORDS if key in tables}
    common = {key: tables.pop(key) for key in COMMON_KEYS if key in tables}
    texts = [*words.values(), *([below] if below is not None else [])]
    if not all(isinstance(value, str) for value in texts) or not all(isinstance(n, int) for n in common.values()):
        raise BadConfig(
            f"recipe {path}: want `{'`, `'.join((*WORDS, 'extends'))}` to be text, "
            f"`{'`, `'.join(COMMON_KEYS)}` a whole number"
        )
    _check_tables(path, tables, jobs)
    return Layer(path, words, common, tables, published), below


def _published(path: Path, values: object) -> dict[str, float]:
    """Return what a source prints; BadConfig for a name or a value that no comparison could show."""
    if not isinstance(values, dict):
        raise BadConfig(f"recipe {path}: {PUBLISHED} = {values!r:.60}; want a table of numbers: [{PUBLISHED}]")
    for name, value in values.items():
        if name not in PUBLISHED_VALUES:
            said = f"has {name!r}{nearest(name, list(PUBLISHED_VALUES))}\nit may have {', '.join(PUBLISHED_VALUES)}"
            raise BadConfig(f"recipe {path}: [{PUBLISHED}] {said}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise BadConfig(f"recipe {path}: [{PUBLISHED}] {name} = {value!r:.60}; want a number")
    return {name: float(value) for name, value in values.items()}


def _check_tables(path: Path, tables: dict[str, Any], jobs: Collection[str] | None) -> None:
    """Raise BadConfig for what is no table, or no table of one of `jobs`."""
    known = sorted(tables if jobs is None else jobs)
    keys = [*WORDS, *COMMON_KEYS, "extends"]
    for job, options in tables.items():
        if job in known and not isinstance(options, dict):
            came = f"{job} = {options!r:.60}{'' if jobs else nearest(job, keys)}"
            want = f"want a table of options: [{job}]\nother keys are {', '.join(keys)}"
            raise BadConfig(f"recipe {path}: {came}; {want}")
        if job not in known:
            hint = nearest(job, [*known, *keys, PUBLISHED])
            there = "" if jobs is None else f"\nthe jobs are {', '.join(known)}"
            raise BadConfig(f"recipe {path}: {job!r} is no table of a job{hint}{there}")
        if isinstance(options, dict):
            _check_texts(path, job, options)


def _place(path: Path, keys: tuple[str, ...]) -> str:
    """Return "recipe FILE, line N" of the value that is under `keys` in a file; nothing if it holds none."""
    # tomllib tells no lines: the value's line is the last one of the shortest beginning that has the value
    lines = _text(path).splitlines()
    for number in range(1, len(lines) + 1):
        if _holds("\n".join(lines[:number]), keys):
            return f"recipe {path}, line {number}"
    return ""


def _holds(text: str, keys: tuple[str, ...]) -> bool:
    """Whether `text`, the beginning of a TOML file, is TOML and has a value under `keys`."""
    try:
        value: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _text(path: Path) -> str:
    """Return what is in a file of a recipe, without the byte order mark that Windows' editors put first."""
    payload = read_regular(path, RECIPE_BYTES)
    if payload.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in payload[:2]:
        raise BadConfig(f"recipe {path}: is UTF-16; save it as UTF-8 (in Notepad: Save as, Encoding UTF-8)")
    text = payload.decode("utf-8-sig")
    for number, line in enumerate(text.split("\n"), 1):
        if (dots := line.count(".")) > RECIPE_DOTS:
            raise BadConfig(
                f"recipe {path}, line {number}: {dots:,} dots; want at most {RECIPE_DOTS}: use several lines"
            )
    return text


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        text = _text(path)
        return tomllib.loads(text)
    except FileNotFoundError as error:
        hint = nearest(name, known := recipe_names())
        there = "halfreal recipes lists them" if hint else f"take one of {', '.join(known)}"
        raise BadConfig(f"recipe {name!r}: not found{hint}\n{there}, or name a .toml file of your own") from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"recipe {path}: cannot be read as TOML ({error}){_escaped(text, str(error))}") from error
    except RecursionError as error:
        raise BadConfig(f"recipe {path}: cannot be read as TOML (nested too deep)") from error
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        if type(error) is ValueError:  # Python's words are for programmers
            reason = f"a number of more than {sys.get_int_max_str_digits():,} digits"
        raise BadConfig(f"recipe {path}: cannot be read as TOML ({reason})") from error


def _escaped(text: str, error: str) -> str:
    """Return what to do where the line that an error names has a backslash between double quotes, else nothing."""
    found = re.search(r"at line (\d+)", error)
    number = int(found[1]) if found else 0
    line = text.splitlines()[number - 1] if 0 < number <= len(text.splitlines()) else ""
    return f"\nline {number}: {QUOTES}" if re.search(r'"[^"]*\\', line) else ""


def _check_texts(path: Path, job: str, options: dict[str, object]) -> None:
    r"""Raise BadConfig for a text that TOML made another of: C:\temp between double quotes has a tab in it."""
    for name, value in options.items():
        texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        for text in texts:
            if re.search(r"[\x00-\x1f\x7f]", text):
                where = _place(path, (job, name)) or f"recipe {path}"
                raise BadConfig(f"{where}: {name} = {text!r:.60} has control characters\n{QUOTES}")


def to_toml(words: dict[str, str], tables: dict[str, dict[str, object]]) -> str:
    """Return a recipe as TOML: what it says of itself, then a table for each job; tables within them as their own."""
    # by hand, as tomllib only reads: JSON's strings, numbers and lists are TOML too
    lines = [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in words.items()]
    for job, options in tables.items():
        nested = {name: value for name, value in options.items() if isinstance(value, dict)}
        lines += ["", f"[{job}]"]
        lines += [f"{name} = {_toml(value)}" for name, value in options.items() if name not in nested]
        for name, table in nested.items():
            lines += ["", f"[{job}.{name}]"]
            for key, value in table.items():
                held = {key: value} if not isinstance(value, dict) else {f"{key}.{n}": v for n, v in value.items()}
                lines += [f"{place} = {_toml(inner)}" for place, inner in held.items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Return a value as TOML has it; only tables differ from JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(held)}" for key, held in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
