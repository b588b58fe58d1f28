"""What the options of `halfreal run` ask of its jobs, as environment variables, which beat any recipe."""

from typing import Any

from jobs.commands.calls import job_options
from jobs.pipeline import JOB_NAMES, JOBS
from shared.cli.options import nearest
from shared.errors import BadConfig
from shared.runtime.job_processes import variables

FLAGS = {
    "train_mixed.until": "replicates are added by halfreal run alone, with --until POINTS",
    "train_mixed.until_ended": "replicates are added by halfreal run alone, with --until POINTS",
    "train_mixed.budget_minutes": "halfreal run alone chooses for a time budget, with --minutes M",
}
"""Options of jobs that `halfreal run` sets by a flag of its own: without its work they would say what is not so."""


def settings(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return `job.option=value` pairs as the environment variables that set the option; BadConfig for others."""
    values = {}
    for pair in pairs:
        place, equals, value = pair.partition("=")
        job, _, option = place.partition(".")
        if not equals or not option:
            raise BadConfig(f"--set {pair}: want job.option=value, for instance {_instance(place, value)}")
        if job not in JOB_NAMES:
            raise BadConfig(f"--set {pair}: no job {job}{nearest(job, JOB_NAMES)}; jobs are {', '.join(JOB_NAMES)}")
        name, known = option.replace("-", "_"), job_options(job)
        if name not in known:
            raise BadConfig(
                f"--set {pair}: {job} has no option {option!r}{nearest(name, known)}\nit has {', '.join(known)}"
            )
        if (why := FLAGS.get(f"{job}.{name}")) is not None:
            raise BadConfig(f"--set {pair}: {why}")
        if not value:
            raise BadConfig(f"--set {pair}: no value; leave it out to have the recipe's")
        values[f"{job}.{name}"] = value
    return variables(values)


def _instance(option: str, value: str) -> str:
    """Return the setting that was meant by an option without its job, or any one."""
    jobs = [job for job in JOB_NAMES if option.replace("-", "_") in job_options(job)]
    return " or ".join(f"{job}.{option}={value or 'VALUE'}" for job in jobs) or "train_gan.epochs=10"


def asked(options: dict[str, Any]) -> dict[str, str]:
    """Return what the options of `run` ask of every job, as environment variables; BadConfig for what contradicts."""
    values = settings(options["pairs"])
    if options["resplit"] is not None:
        resplit = variables({"preprocess.resplit": options["resplit"]})
        if resplit.keys() & values.keys():
            raise BadConfig("--resplit and --set preprocess.resplit are one option; want one of them")
        values |= resplit
    if options["seed"] is not None:
        # not as a flag of each job: a seed is of the experiment, which is rebuilt where it is another one
        values |= variables({f"{job.name}.seed": options["seed"] for job in JOBS})
    for option in ("replicates", "processes"):
        if options[option] is not None:
            values[f"HALFREAL_{option}".upper()] = str(options[option])
    return values
