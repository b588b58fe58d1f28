"""The command `tune`."""

from typing import Any

import click
from click.core import ParameterSource

from jobs.commands.calls import options_of
from jobs.pipeline import TUNE
from jobs.tune.options import OBJECTIVES, TuneConfig, make_config
from jobs.tune.space import TUNABLE
from shared.cli.job import job
from shared.cli.recipes import load_recipe, without_dependent
from shared.cli.run import Result, Run

DEFAULT_SPACE = (
    '{"train_gan": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}, '
    '"batch_images": [32, 64, 128], "latent": [32, 64, 128]}}'
)
"""What is searched where the recipe has no table [tune.space]."""


def words_for_trials() -> list[str]:
    """Return the words that every job of a trial is called with: this call's recipe, and what was said by flag."""
    context = click.get_current_context()
    words = ["--recipe", context.meta["recipe"]]
    for name in ("threads", "device"):
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            words += [f"--{name}", str(context.params[name])]
    return words


def resolve_config(workers: int, storage: str | None, **options: Any) -> TuneConfig:
    """Return the checked config; how many work on it and where they meet changes no result."""
    context = click.get_current_context()
    said = context.get_parameter_source("space") in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    recipe, words = load_recipe(context.meta["recipe"]), words_for_trials()
    family = recipe.jobs.get(TUNABLE, {}).get("family")
    if not said and family not in (None, options_of(TUNABLE, words, {})["family"]):  # the space is of another one
        options = {"space": DEFAULT_SPACE} | without_dependent(options, TUNABLE)
    return make_config(lambda *keys: "--space" if said else recipe.place("tune", "space", *keys), words, **options)


def work(run: Run, config: TuneConfig) -> None:
    """Take part in the trials, then in the runs before and after, until all are done."""
    from jobs.tune.worker import Worker

    params = click.get_current_context().params
    helpers = {"tune.workers": 1, "tune.seed": config.seed, "tune.threads": params["threads"], "device": run.device}
    helpers |= {f"tune.{name}": value for name, value in config.resolved().items() if value is not None}
    helpers |= {"tune.storage": params["storage"]} if params["storage"] else {}
    worker = Worker(run, config, words_for_trials(), params["storage"])
    if params["force"]:
        worker.forget()
    worker.work((params["workers"] or by_cores(params["threads"], run.device)) - 1, helpers)


def by_cores(threads: int, device: str) -> int:
    """Return how many workers of so many threads this machine has cores for; 1 on a GPU, or if torch takes them all."""
    from shared.runtime.devices import pick_device
    from shared.runtime.processes import usable_cores

    if not threads or pick_device(device).type != "cpu":
        return 1
    return max(usable_cores() // threads, 1)


@job(TUNE, resolve_config, before=work)
@click.option("--trials", type=click.IntRange(1), default=20, help="At most so many, over all workers.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="None is begun so long after the first.")
@click.option("--objective", type=click.Choice(OBJECTIVES), default="frechet", help="What to lower on val.")
@click.option("--space", default=DEFAULT_SPACE, metavar="JSON", help="What may vary: the recipe's [tune.space].")
@click.option("--reduction", type=click.IntRange(1), default=2, help="One trial in so many passes a rung; 1: all do.")
@click.option("--epochs", type=click.IntRange(1), help="Length of a trial [default: the recipe's].")
@click.option("--seeds", type=click.IntRange(1), default=3, help="Runs before and runs after, compared on test.")
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=1,
    help="Processes that this call starts, 0: as many as the cores have threads for; start it again for more.",
)
@click.option("--storage", metavar="URL", help="Database of the trials [default: a journal file on the volume].")
def main(run: Run, config: TuneConfig) -> Result:
    """Search for better options of train_gan, then compare before and after.

    A trial is train_gan and evaluate in a folder of its own, with options drawn from the recipe's [tune.space] and
    scored on the val split alone; weak ones are stopped early. Start the same command on as many machines as share
    the volume: each takes trials, also those of a worker that was lost. When all are done, the recipe's own options
    and the best are trained from several seeds and scored on test, and the tuned recipe is written.
    """
    from jobs.tune.outcome import finish

    context = click.get_current_context()
    return finish(run, config, context.meta["recipe"], words_for_trials(), context.params["storage"])


if __name__ == "__main__":
    main()
