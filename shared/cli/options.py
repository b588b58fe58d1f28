"""The options of a job: the fields of one frozen dataclass, each written once.

    @dataclass(frozen=True, kw_only=True)
    class ToyOptions(JobOptions):
        family: str = option("plain", "Variant.", "model", choices=("plain", "deep"))
        width: int = option(16, "Channels of the first layer.", "model", within=Within(1, 4096))
        learning_rate: float | None = option(None, "Step of the optimizer.", "optimizer", owner="family")

Command line, recipe keys, environment variables, dry runs and the types of a search space are derived from the fields
(`shared.cli.click_options`). Neither torch nor click in here: processes of preprocess import their options.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack, get_args, get_type_hints

from shared.errors import BadConfig

if TYPE_CHECKING:
    from shared.store.job import Job


LONG_DASHES = "\u2013\u2014"
"""What text programs make of two dashes."""


@dataclass(frozen=True)
class Within:
    """The range of a number, both ends included unless `above` (not `low` itself) or `below` (not `high` itself)."""

    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False


class More(TypedDict, total=False):
    """What few options have: see Spec."""

    metavar: str
    negative: str
    table: bool
    variable: str
    recorded: bool
    each: bool
    alone: str
    gathers: bool
    several: tuple[str, ...]


@dataclass(frozen=True)
class Spec:
    """What an option is besides its name, type and default.

    `help` is a sentence that is complete without the option's name; `group` is its heading in `--help`. `owner` names
    the option that the value belongs to: None then means what the owner's value brings along. `negative` is the
    flag for False where it is not `--no-...`; a `table` is a table in a recipe, JSON text elsewhere; `variable` is a
    second environment variable, which every job shares. What is not `recorded` changes no result. With `each` it is
    one value, or a list (JSON text outside of a recipe) with one for each replicate. `alone` is the value of a flag
    that is given without one; a text holds some of `several` names, joined by commas. What `gathers` is about the
    artifact that is made of all replicates, and changes those of single ones in nothing.
    """

    help: str
    group: str
    within: Within | None = None
    choices: tuple[Any, ...] = ()
    owner: str = ""
    metavar: str | None = None
    negative: str = ""
    table: bool = False
    variable: str = ""
    recorded: bool = True
    each: bool = False
    alone: str = ""
    gathers: bool = False
    several: tuple[str, ...] = ()


def option(
    default: Any,
    help: str,
    group: str,
    *,
    within: Within | None = None,
    choices: Iterable[Any] = (),
    owner: str = "",
    **more: Unpack[More],
) -> Any:
    """Return a field of a dataclass that is an option; see Spec. `choices` may be a table: its keys are taken."""
    spec = Spec(help, group, within, tuple(choices), owner, **more)
    return field(default=default, metadata={"option": spec})


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The options of a job, checked; every job has a seed. Raises BadConfig for options that contradict each other."""

    former: ClassVar[Mapping[str, str]] = {}
    """Options that are no more, and what to set in their place: recipes of earlier versions have them."""

    seed: int = option(0, "Random seed.", "run", within=Within(0, 2**31 - 1), variable="HALFREAL_SEED")

    @property
    def other_row(self) -> "Job | None":
        """The row of the job that holds in place of the table's where these options want other inputs."""
        return None

    def resolved(self) -> dict[str, object]:
        """Return every option, None replaced by what it means; still None where the option does not apply."""
        return {name: getattr(self, name) for name in specs(type(self))}

    def file_hashes(self) -> dict[str, str]:
        """Return what a manifest records of files that options name: their content decides, not where they are.

        An entry takes the place of the option of its name, or is one more.
        """
        return {}


def specs(options: type[JobOptions]) -> dict[str, Spec]:
    """Return what each option is, by name: the job's own first, those that every job has last."""
    # fields of a base class come first in a dataclass, the common ones last in --help
    own = {entry.name: entry.metadata["option"] for entry in fields(options) if "option" in entry.metadata}
    common = [entry.name for entry in fields(JobOptions)]
    return {name: own[name] for name in (*(name for name in own if name not in common), *common)}


def value_types(options: type[JobOptions]) -> dict[str, type]:
    """Return the type of each option's value, by name, without the None that some fields allow."""
    hints = get_type_hints(options)
    return {name: next(iter(get_args(hints[name])), hints[name]) for name in specs(options)}


def defaults(options: type[JobOptions]) -> dict[str, object]:
    """Return the default of each option, by name."""
    return {entry.name: entry.default for entry in fields(options) if "option" in entry.metadata}


def recorded(options: JobOptions) -> dict[str, object]:
    """Return what a manifest records of the options: all that the result depends on, as given, and of their files."""
    given = {name: getattr(options, name) for name, spec in specs(type(options)).items() if spec.recorded}
    return given | options.file_hashes()


@dataclass(frozen=True)
class Replaced:
    """Values that were dropped as their owner got another value: they belonged to `before`, `source` says `after`.

    What a layer above set again is not among them.
    """

    owner: str
    before: Any
    after: Any
    source: str
    values: dict[str, object]


def merge(
    options: type[JobOptions], layers: Iterable[tuple[str, Mapping[str, object]]]
) -> tuple[dict[str, object], list[Replaced]]:
    """Return what `layers` set, lowest first, each with the name of its source, and the values that were dropped.

    Where a layer gives an owner another value than it had so far, the values of its options in layers below are
    dropped: they were meant for the other value.
    """
    own, known = defaults(options), specs(options)
    values: dict[str, object] = {}
    replaced = []
    for source, layer in layers:
        for owner in sorted({spec.owner for spec in known.values()} & layer.keys()):
            before = values.get(owner, own[owner])
            if layer[owner] == before:
                continue
            dropped = {name: value for name, value in values.items() if name in known and known[name].owner == owner}
            values = _without(values, dropped)
            replaced.append(Replaced(owner, before, layer[owner], source, dropped))
        values |= layer
    set_again = values.keys()
    return values, [replace(change, values=_without(change.values, set_again)) for change in replaced]


def _without(values: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in names}


def check_recipe(options: type[JobOptions], source: str, table: Mapping[str, object], others: Iterable[str]) -> None:
    """Raise BadConfig, which names `source`, for a table with an unknown option or with what is no value of one.

    `others` are keys that are no fields of `options`.
    """
    known = specs(options)
    for name, value in table.items():
        if name not in known and name not in others:
            names = sorted({*known, *others})
            if name in options.former:
                raise BadConfig(f"{source} has no option {name!r} any more; set {options.former[name]}")
            raise BadConfig(f"{source} has no option {name!r}{nearest(name, names)}\nit has {', '.join(names)}")
        if not isinstance(value, str | int | float) and not (name in known and _takes(known[name], value)):
            raise BadConfig(f"{source} {name} = {value!r:.60}; want text, a number, true or false")


def _takes(spec: Spec, value: object) -> bool:
    """Whether an option takes what is neither text nor number: a table, or a list of texts."""
    if spec.each and isinstance(value, list):
        return bool(value) and all(isinstance(each, str) for each in value)
    return spec.table


def one_each(text: str) -> list[str]:
    """Return the values of an option with one for each replicate: those of a JSON list of texts, or `text` alone."""
    try:
        values = json.loads(text) if text.startswith("[") else None
    except ValueError:
        values = None
    # a path may begin with a bracket
    return values if isinstance(values, list) and values and all(isinstance(each, str) for each in values) else [text]


def closest(name: str, names: Iterable[str], prefix: str = "") -> list[str]:
    """Return the one of `names` that is most like `name`, else three at most that begin with it, else none.

    Neither case counts nor which dashes are used, nor `prefix`, which all of them have.
    """
    from difflib import get_close_matches  # only an error needs it

    known = {_folded(each.removeprefix(prefix)): each for each in sorted(names)}
    wanted = _folded(name.removeprefix(prefix))
    # two letters that changed places are a third of a word of three
    close = get_close_matches(wanted, known, n=1, cutoff=0.75 if len(wanted) > 4 else 0.6)
    beginning = [each for each in known if wanted and each.startswith(wanted)]
    return [known[each] for each in close or beginning[:3]]


def nearest(name: str, names: Iterable[str], prefix: str = "") -> str:
    """Return "; did you mean NAME?" for what of `names` is like `name` (see `closest`), or nothing."""
    close = closest(name, names, prefix)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _folded(name: str) -> str:
    return name.casefold().strip(f"-{LONG_DASHES}").replace("_", "-")


def listed(text: str) -> tuple[str, ...]:
    """Return the names in an option that takes several, joined by commas; those left empty do not count."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
