"""What every job's command line shares: common options, recipes, errors to exit codes, resume and commit.

A job is one function under `@job`::

    @job(JOBS["train_gan"], GanConfig, resumes=True)
    @click.option("--epochs", type=int, default=40)
    def main(run: Run, config: GanConfig) -> Result:
        '''Train a GAN.'''

The decorator checks the options by making the config (a frozen dataclass that cannot exist in a wrong state),
opens the inputs, answers "already complete" where that is so, and otherwise calls the function with a draft
folder to write into and commits what it returns. Only then is torch imported, by the function itself.
"""

import os
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from shared.errors import BadConfig
from shared.job import Job, Part, Result, Run, leads, open_inputs, write_diary
from shared.options import COMMON, COMMON_NAMES, PARTS, check_finite
from shared.polite import Polite
from shared.progress import Talk
from shared.recipes import DEFAULT_RECIPE, Recipe, load_recipe
from shared.resolved import settle


@dataclass(frozen=True)
class _Common:
    """The values of the common options."""

    recipe: Recipe
    experiment: str | None
    data_root: Path
    device: str
    force: bool
    dry_run: bool
    debug: bool
    index: int | None = None
    parts: int = 1
    threads: int = 0
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        name = experiment_name(self.experiment, self.recipe)
        object.__setattr__(self, "folder", self.data_root / name)
        said = click.get_current_context().get_parameter_source
        if said("index") is ParameterSource.COMMANDLINE and said("parts") is ParameterSource.DEFAULT:
            raise BadConfig(f"--index {self.index}: say by --parts into how many parts the work is cut")
        if self.index is None or self.parts == 1:
            object.__setattr__(self, "index", None)
        elif self.index >= self.parts:
            raise BadConfig(f"--index {self.index}: want less than --parts {self.parts}; parts are counted from 0")
        elif self.force:
            raise BadConfig("--force with --index: would drop the other parts' work; run --force alone first")

    @property
    def part(self) -> Part:
        """Which part of the work is to be done; all of it unless an index says otherwise."""
        return Part(0, 1) if self.index is None else Part(self.index, self.parts)


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
    if not isinstance(context.command, JobCommand):
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


Before = Callable[[Run, Any], None]
Check = Callable[[Any, Part, dict[str, Any]], None]


def _all_right(config: Any, part: Part, inputs: dict[str, Any]) -> None:
    """Find nothing wrong: a job whose config is checked by itself."""


class JobCommand(Polite):
    """A job's command; `job` is its row in the table, `config` makes its checked options, the rest is as in `job`."""

    job: Job
    config: Callable[..., Any]
    before: Before | None
    check: Check


class JobGroup(JobCommand, click.Group):
    """A job's command that has commands of its own beside it."""


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


def job(
    row: Job,
    config: Callable[..., Any],
    *,
    resumes: bool = False,
    before: Before | None = None,
    check: Check = _all_right,
    cls: type[JobCommand] = JobCommand,
) -> Callable[[Callable[..., Result | None]], JobCommand]:
    """Turn `main(run, config) -> Result` into the command of the job in `row`; see the module's docstring.

    `config` takes the job's options and the seed as keywords. With `resumes` an interrupted run's draft is kept
    for the next run of the same request. A job with parts returns None while parts of other processes are missing.
    `before(run, config)`, where `run.folder` is the experiment's, does work that any number of processes share;
    whoever is done with it first makes the artifact. `check(config, part, inputs)` raises BadInput for options that do
    not go with the part of the work or with the inputs, in a dry run too, where it gets none as long as one is missing:
    it then goes by what the recipe says of them. It must not import torch.
    """

    def decorate(body: Callable[..., Result | None]) -> JobCommand:
        def command(**options: Any) -> None:
            if click.get_current_context().invoked_subcommand is not None:
                return
            settled = settle(row.name, config, options)
            common = _Common(threads=settled.threads, **settled.common)
            # what the result depends on; jobs without torch do not depend on its threads
            recorded = asdict(settled.config) | ({"threads": settled.threads} if row.gpu else {})
            if common.dry_run:
                from shared.rehearsal import rehearse

                rehearse(row, recorded, common.folder, common.force, partial(check, settled.config, common.part))
            else:
                _perform(made, settled.config, recorded, common, body, resumes)

        decorated: Any = update_wrapper(command, body)
        for option in (*COMMON, *PLACE, *(PARTS if row.parts else ())):
            decorated = option(decorated)
        settings = {
            "auto_envvar_prefix": f"HALFREAL_{row.name.upper()}",
            "show_default": True,
            "max_content_width": 100,
        }
        alone = {"invoke_without_command": True} if issubclass(cls, click.Group) else {}
        made: JobCommand = click.command(row.name, cls=cls, context_settings=settings, **alone)(decorated)
        made.params.sort(key=lambda param: param.name in COMMON_NAMES | {"seed", "threads"})
        for param in made.params:
            if isinstance(param.envvar, str):  # HALFREAL_TRAIN_GAN_SEED before HALFREAL_SEED
                param.envvar = [f"{settings['auto_envvar_prefix']}_{str(param.name).upper()}", param.envvar]
        made.job, made.config, made.before, made.check = row, config, before, check
        return made

    return decorate


def _perform(
    command: JobCommand,
    config: Any,
    options: dict[str, Any],
    common: _Common,
    body: Callable[..., Result | None],
    resumes: bool,
) -> None:
    row, before = command.job, command.before
    talk = Talk(row.name)
    final = common.folder / row.writes
    # Before numpy and torch are imported, whose libraries look once. Waiting threads must sleep: spinning gains 1.2x on
    # idle cores, loses 20x on shared ones.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if options.get("threads"):
        os.environ |= {"OMP_NUM_THREADS": str(options["threads"]), "OPENBLAS_NUM_THREADS": str(options["threads"])}
    from shared.drafts import Request, draft, locked
    from shared.processes import usable_cores

    request = Request(row.name, row.kind, options, open_inputs(row, common.folder))
    if not common.force and _already(final, request, talk):
        return
    command.check(config, common.part, request.inputs)
    lead = leads()
    talk.stop.listen()
    started = time.monotonic()
    part = None if common.index is None else common.part
    threads, sources = common.threads or usable_cores(), common.data_root / "sources"
    place = Run(request.inputs, common.folder, sources, common.device, talk, common.part, threads=threads)
    if before is not None:
        before(place, config)
    with ExitStack() as held:
        work = held.enter_context(
            draft(final, request, keep=resumes, fresh=common.force, lead=lead, part=part, wait=before is not None)
        )
        if before is not None and not common.force and _already(final, request, talk):
            return
        place = replace(place, folder=work.folder)
        if part and lead:
            place = replace(place, alone=lambda: held.enter_context(locked(final, wait=True)))
        result = body(place, config)
        if not lead:
            return
        if result is None:
            if not _already(final, request, talk):
                talk.say(f"part {common.index} of {common.parts} is done; others are not yet: {final}")
            return
        write_diary(work.folder / "run.json", started)
        work.commit(facts=result.facts, dataset=result.dataset)
    talk.say(f"complete in {time.monotonic() - started:.1f} s: {final}" + (result.summary and f"\n{result.summary}"))


def _already(final: Path, request: Any, talk: Talk) -> bool:
    """Whether the artifact that stands at `final` answers the request; if not, say why it is made anew."""
    from shared.drafts import finished

    found = finished(final, request)
    reasons = request.differences(found.manifest) if found else []
    if found and not reasons:
        talk.say(f"already complete: {final}")
        for name in found.facts.get("left_out", ()):
            talk.say(f"it leaves out {name}; once what that lacked is there, --force makes it anew")
    elif found:
        talk.say(f"making it anew because {'; '.join(reasons)}")
    return found is not None and not reasons
