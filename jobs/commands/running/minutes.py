"""`halfreal run --minutes`: times the machine, chooses epochs, width and replicates once, and keeps the choice."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.commands.calls import command_of
from jobs.commands.running.budget import (
    Asked,
    Costs,
    Plan,
    Times,
    Work,
    choose,
    fit_steps,
    in_words,
    least,
    minutes_for,
    said,
    usable_s,
)
from jobs.pipeline import EVALUATE, IMPORT, PREPROCESS, SYNTHESIZE, TRAIN_CLASSIFIER, TRAIN_GAN, TRAIN_MIXED, TUNE
from jobs.train_mixed.arms import chosen_arms
from shared.cli.progress import StopFlag
from shared.cli.resolve import ResolvedOptions, asked, environment
from shared.errors import BadConfig, FormatError, HalfrealError, MissingArtifact
from shared.format.files import write_json
from shared.format.outside import read_regular
from shared.limits import MANIFEST_BYTES
from shared.runtime import cache_place
from shared.runtime.job_processes import end, start, variables
from shared.runtime.observe.log import say
from shared.runtime.processes import usable_cores
from shared.store.artifacts import open_output
from shared.store.job import Job
from shared.store.records.base import Record, parse_record_json

FILE = "budget.json"
"""The file in an experiment's folder that keeps what was chosen."""

TIMING = "commands.running.timing"
"""The module of `jobs` that times the steps."""

OPTIONS = {
    "epochs": "train_gan.epochs",
    "every": "train_gan.snapshot_every_epochs",
    "width": "train_gan.width",
}
"""The options that a plan sets, by its fields; the number of replicates is no job's own."""

REPLICATES, PROCESSES = "HALFREAL_REPLICATES", "HALFREAL_PROCESSES"


class Chosen(Record):
    """What was chosen for a budget of `minutes`, and the times by which: the fields of a plan, and of `Times`."""

    minutes: float
    epochs: int
    every: int
    width: int
    replicates: int
    expected_minutes: float
    epoch_s: dict[int, float]
    annotator_step_s: float
    fit_step_s: float
    image_s: float
    start_s: float

    @property
    def plan(self) -> Plan:
        """What was chosen."""
        return Plan(self.epochs, self.every, self.width, self.replicates)

    def sets(self) -> dict[str, str]:
        """Return the environment variables by which jobs do it; options that are given win."""
        plan = variables({option: getattr(self, name) for name, option in OPTIONS.items()})
        plan[REPLICATES] = str(self.replicates)
        given = {name: os.environ[name] for name in plan if os.environ.get(name)}
        return plan | given | variables({f"{TRAIN_MIXED.name}.budget_minutes": self.minutes})


@dataclass(frozen=True)
class Minutes:
    """A budget of `minutes`, which began at `started`, by the monotonic clock."""

    minutes: float
    started: float

    @property
    def elapsed_s(self) -> float:
        """The seconds that are over."""
        return time.monotonic() - self.started

    def settle(self, folder: Path, words: list[str], prepare: Callable[[], None], stop: StopFlag) -> dict[str, str]:
        """Return the variables by which the jobs of the experiment in `folder`, called with `words`, do what is chosen.

        The first call prepares the images, times the machine and chooses. BadConfig where there is too little time.
        """
        experiment = Experiment(folder, words)
        chosen = experiment.kept
        if chosen is None:
            prepare()
            with stop.at_once():
                chosen = self._choose(experiment)
            write_json(experiment.folder / FILE, chosen.facts())
        else:
            self._say_again(chosen)
        return chosen.sets()

    def show(self, folder: Path, words: list[str]) -> dict[str, str]:
        """Return what `settle` would, and say it, with nothing written; nothing where there are no images to time."""
        experiment = Experiment(folder, words)
        chosen = experiment.kept
        if chosen is not None:
            self._say_again(chosen)
            return chosen.sets()
        try:
            open_output(PREPROCESS, experiment.folder)
        except MissingArtifact:
            say(
                "budget",
                f"--minutes {self.minutes:g}: the machine is timed on the images of {PREPROCESS.name}, not there yet",
            )
            return {}
        # decoded images are no result, but a dry run leaves nothing at all
        with tempfile.TemporaryDirectory() as scratch, environment({cache_place.VARIABLE: scratch}):
            return self._choose(experiment).sets()

    def _choose(self, experiment: "Experiment") -> Chosen:
        say("budget", f"--minutes {self.minutes:g}: timing this machine")
        wanted = experiment.asked()
        times, costs = experiment.measure(wanted)
        elapsed_s = self.elapsed_s
        plan = choose(usable_s(self.minutes, elapsed_s), costs, wanted)
        if plan is None:
            smallest = least(costs, wanted)
            raise BadConfig(
                f"--minutes {self.minutes:g}: too few for {in_words(smallest)}, the least\n"
                f"want --minutes {minutes_for(costs.of(smallest), elapsed_s)} or more on this machine; or smaller "
                "images, fewer of them, or no --minutes"
            )
        for line in said(self.minutes, plan, costs, wanted, elapsed_s):
            say("budget", line)
        expected = round((elapsed_s + costs.of(plan)) / 60, 1)
        return Chosen(minutes=self.minutes, **vars(plan), expected_minutes=expected, **vars(times))

    def _say_again(self, chosen: Chosen) -> None:
        say("budget", f"--minutes {chosen.minutes:g} was chosen for: {in_words(chosen.plan)}; --force chooses again")


@dataclass(frozen=True)
class Experiment:
    """The experiment in `folder`, whose jobs are called with `words`."""

    folder: Path
    words: list[str]

    @property
    def kept(self) -> Chosen | None:
        """What an earlier call chose; None without one, and where everything is to be built again."""
        return None if "--force" in self.words else read_choice(self.folder)

    def options(self, job: Job[Any]) -> ResolvedOptions:
        """Return the options of a job."""
        return asked(command_of(job.name), self.words)

    def asked(self) -> Asked:
        """Return the plan of the recipe, and what of it was given by flags or the environment."""
        resolved = self.options(TRAIN_GAN)
        given = {name for name, option in OPTIONS.items() if is_given(next(iter(variables({option: ""}))))}
        given |= {"replicates"} if is_given(REPLICATES) else set()
        plan = Plan(
            resolved.config.epochs,  # type: ignore[attr-defined]
            resolved.config.snapshot_every_epochs,  # type: ignore[attr-defined]
            resolved.config.width,  # type: ignore[attr-defined]
            resolved.common["replicates"],
        )
        return Asked(plan, given)

    def measure(self, wanted: Asked) -> tuple[Times, Costs]:
        """Return the times of steps with every core at work, and what work costs by them."""
        resolved = self.options(TRAIN_GAN)
        threads, processes = resolved.threads, int(resolved.common["processes"])
        abreast = max(usable_cores() // threads, 1) if threads else 1
        request = {"folder": str(self.folder), "words": self.words, "widths": wanted.widths}
        request["device"] = resolved.common["device"]
        bound = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)} if threads else {}
        # a GPU is timed by several processes too where several train on it
        measured = timed(request, min(processes or abreast, abreast), {"OMP_WAIT_POLICY": "PASSIVE"} | bound)
        times = Times.slowest([Times(**each) for each, _ in measured])
        if measured[0][1] != "cpu":
            abreast = 1
        return times, Costs.from_times(times, self.work(), abreast, processes, threads == 1)

    def work(self) -> Work:
        """Return what a replicate has to do besides its GAN."""
        annotator, scores, drawn, mixed = (
            self.options(row).config for row in (TRAIN_CLASSIFIER, EVALUATE, SYNTHESIZE, TRAIN_MIXED)
        )
        options: Any = mixed
        train = open_output(PREPROCESS, self.folder).split("train").count
        return Work(
            annotator.steps,  # type: ignore[attr-defined]
            len(chosen_arms(options.arms, conditional=True)) * options.fits,
            fit_steps(options.steps, options.most_steps, options.patience, options.measure_every),
            scores.images,  # type: ignore[attr-defined]
            round(drawn.share * train),  # type: ignore[attr-defined]
        )


def minutes_of(options: Mapping[str, Any], experiments: Collection[Sequence[Job[Any]]], started: float) -> Minutes:
    """Return the budget of `run` with these options; BadConfig where nothing can be planned for it."""
    flag = f"--minutes {options['minutes']:g}"
    if len(experiments) > 1:
        raise BadConfig(f"{flag}: is the time of one experiment, and {len(experiments)} recipes are as many; want one")
    if options["with_tuning"]:
        raise BadConfig(f"{flag}: --with-tuning has a budget of its own, {TUNE.name}.minutes; leave one of them out")
    if any(IMPORT in jobs for jobs in experiments):
        raise BadConfig(f"{flag}: synthetic images are imported, no GAN is trained: there is nothing to choose")
    parts = os.environ.get("HALFREAL_PARTS", "1")
    if parts != "1":
        raise BadConfig(f"{flag}: HALFREAL_PARTS={parts} makes each part choose for itself; run it in one process")
    return Minutes(options["minutes"], started)


def timed(request: Mapping[str, object], count: int, changes: Mapping[str, str]) -> list[tuple[dict[str, Any], str]]:
    """Return what `count` processes at once have timed, each with the kind of its device."""
    pipe = subprocess.PIPE
    with ExitStack() as ending:
        processes = [start(TIMING, [], changes, text=True, stdin=pipe, stdout=pipe) for _ in range(count)]
        for process in processes:
            ending.enter_context(process)  # closes the pipes
            ending.callback(end, process)
        for process in processes:
            assert process.stdin is not None
            json.dump(dict(request) | {"started": time.monotonic()}, process.stdin)
            process.stdin.close()
        return [_read(process) for process in processes]


def _read(process: "subprocess.Popen[str]") -> tuple[dict[str, Any], str]:
    assert process.stdout is not None
    printed = process.stdout.read()
    if process.wait():
        raise HalfrealError(f"timing this machine failed (exit code {process.returncode}); it says above why")
    fields = json.loads(printed)
    device = fields.pop("device")
    # JSON has names for keys
    return fields | {"epoch_s": {int(width): seconds for width, seconds in fields["epoch_s"].items()}}, device


def read_choice(folder: Path) -> Chosen | None:
    """Return what was chosen for the experiment in `folder`; None where nothing was. FormatError for a broken file."""
    path = folder / FILE
    try:
        payload = read_regular(path, MANIFEST_BYTES)
    except FileNotFoundError:
        return None
    try:
        return parse_record_json(Chosen, payload, str(path))
    except FormatError as error:
        raise FormatError(f"{error}\nremove it to have the machine timed and a choice made again") from error


def is_given(name: str) -> bool:
    """Whether an environment variable is set."""
    return bool(os.environ.get(name))
