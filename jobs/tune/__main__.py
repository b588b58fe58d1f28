"""The command `tune`."""

import click
from click.core import ParameterSource

from jobs.pipeline import JOB_NAMES, PIPELINE, TUNE
from jobs.tune.options import TuneConfig, TuneOptions, complete
from jobs.tune.space import TUNABLE
from shared.cli.job import JobCommand, job
from shared.cli.options import recorded
from shared.cli.recipes import Recipe, load_recipe
from shared.cli.run import Result, Run
from shared.runtime.job_processes import Answer, ask


def words_for_trials() -> list[str]:
    """Return the arguments of every job of a trial: this call's recipe, and --threads and --device where given."""
    context = click.get_current_context()
    words = ["--recipe", context.meta["recipe"]]
    for name in ("threads", "device"):
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            words += [f"--{name}", str(context.params[name])]
    return words


def owners(recipe: Recipe, answer: Answer) -> dict[str, object]:
    """Return the options of train_gan that own others, with their values in the recipe that wrote the search space."""
    # a recipe that extends another may set another family: the inherited space was written for the family before it
    last = max(
        (place for place, layer in enumerate(recipe.layers) if "space" in layer.tables.get("tune", {})), default=-1
    )
    tables = [layer.tables.get(TUNABLE, {}) for layer in recipe.layers[: last + 1]]
    names = sorted(set(answer.owners.values())) if tables else []
    return {name: [answer.defaults[name], *(table[name] for table in tables if name in table)][-1] for name in names}


def work(run: Run, config: TuneConfig) -> bool:
    """Take part in the trials, then in the runs of the baseline and the tuned options; return whether all are done."""
    from jobs.tune.worker import Worker

    params = click.get_current_context().params
    helpers = {"tune.workers": 1, "tune.seed": config.seed, "tune.threads": params["threads"], "device": run.device}
    helpers |= {f"tune.{name}": value for name, value in recorded(config).items() if value is not None}
    helpers |= {"tune.storage": params["storage"]} if params["storage"] else {}
    worker = Worker(run, config, words_for_trials(), params["storage"])
    if params["force"]:
        # before other workers start: they would take trials of the study that is deleted
        worker.forget()
    helpers |= {"tune.parts": run.shard.count, "tune.index": run.shard.index}
    return worker.work((params["workers"] or by_cores(params["threads"], run.device)) - 1, helpers)


def by_cores(threads: int, device: str) -> int:
    """Return how many workers of `threads` threads this machine has cores for; 1 on a GPU or where torch takes all."""
    from shared.runtime.devices import pick_device
    from shared.runtime.processes import usable_cores

    if not threads or pick_device(device).type != "cpu":
        return 1
    return max(usable_cores() // threads, 1)


class TuneCommand(JobCommand):
    """The command: what it records includes the options of the jobs that trials run; workers share the trials."""

    before = staticmethod(work)

    def config(self, options: TuneOptions) -> TuneConfig:
        """Return the checked config, with the options of the other jobs; workers and storage change no result."""
        # jobs do not import each other, so the others answer for their options in processes of their own
        context = click.get_current_context()
        recipe, words = load_recipe(context.meta["recipe"]), words_for_trials()
        fixed = {} if options.epochs is None else {"epochs": options.epochs}
        answers = ask({job.name: [{}] for job in PIPELINE} | {TUNABLE: [{}, fixed]}, words)
        if context.get_parameter_source("space") in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
            return complete(lambda *keys: "--space", words, options, answers, inherited=False)
        now = answers[TUNABLE].options()
        inherited = any(now[owner] != value for owner, value in owners(recipe, answers[TUNABLE]).items())
        return complete(lambda *keys: recipe.place("tune", "space", *keys), words, options, answers, inherited)

    def notes(self, config: TuneConfig) -> list[str]:
        """Return a warning for each of the recipe's own values that the search leaves out."""
        so = "no trial is the recipe itself, so that the best on val may be worse than it; widen [tune.space]"
        return [f"warning: {line}: {so}" for line in config.outside]

    def recorded(self, config: TuneConfig) -> dict[str, object]:
        """Return what the manifest records."""
        return config.recorded()


@job(TUNE, TuneOptions, jobs=JOB_NAMES, cls=TuneCommand)
def main(run: Run, config: TuneConfig) -> Result:
    """Search for better options of train_gan, then compare them with the baseline.

    A trial is train_gan and evaluate in a folder of its own, with options drawn from the recipe's [tune.space] and
    scored on the val split alone; weak ones are stopped early. Start the same command on any number of machines that
    share the volume: each takes trials, also those of a worker that was lost. When all are done, the recipe's own
    options and the best are trained from several seeds and scored on test, and the tuned recipe is written. With
    --parts each part is a worker that ends where nothing is left to begin; the last one writes the result.
    """
    from jobs.tune.outcome import finish

    context = click.get_current_context()
    return finish(run, config, context.meta["recipe"], words_for_trials(), context.params["storage"])


if __name__ == "__main__":
    main()
