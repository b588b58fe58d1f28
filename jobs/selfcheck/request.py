"""From the options of `selfcheck verdict` to its work: real images, options of the fits, where pieces are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from jobs.commands.calls import command_of
from jobs.commands.running.settings import settings
from jobs.pipeline import TRAIN_MIXED
from jobs.selfcheck.failed import SelfcheckFailed
from jobs.selfcheck.findings import FAIL
from jobs.selfcheck.pieces import Plan
from jobs.selfcheck.printed import as_json, lines, summary
from jobs.selfcheck.sets import RealSets, Source, source_of
from jobs.selfcheck.unfinished import begin, end
from jobs.selfcheck.verdict import check_verdict, plan_key
from jobs.train_mixed.options import MixedOptions
from shared.cli.calls.volume import bring
from shared.cli.common_options import check_name
from shared.cli.progress import Reporter
from shared.cli.resolve import asked, environment
from shared.errors import BadConfig
from shared.format.files import write_json
from shared.models.zoo.checks import check_classifier
from shared.runtime.devices import pick_device
from shared.runtime.job_processes import variables
from shared.runtime.processes import usable_cores
from shared.store.locks import locked

FOLDER = "selfcheck"
"""Folder of the volume in which the pieces of a check are, until it has passed."""

STEPS, BATCH_IMAGES, MEASUREMENTS = 200, 32, 8
"""How classifiers of the digits are fitted: optimizer steps, images in each; measurements on val within --steps."""


WITHOUT_EFFECT = {
    "arms": "each control has the arms of its own questions (--controls chooses among them)",
    "min_confidence": "planted images have labels and no confidence",
}
"""Options of `train_mixed` that change nothing in a check, and why."""


@dataclass(frozen=True)
class Request:
    """A call: the recipe, the experiment if any, the volume, the file of the findings, the controls, other options."""

    recipe: str
    experiment: str | None
    data_root: Path
    json_file: Path | None
    names: list[str]
    options: dict[str, Any]


def run_check(request: Request) -> None:
    """Check the verdict and print what was found; raises SelfcheckFailed where something is wrong."""
    reporter = Reporter("selfcheck")
    if request.experiment is not None:
        check_name(request.experiment, "--experiment")
        bring(request.data_root / request.experiment)
    source = Source() if request.experiment is None else source_of(request.data_root / request.experiment)
    config, options = fit_options(request), request.options
    device, key = options["device"], plan_key(source, config, options["seed"], options["device"])
    plan = Plan(source, config, options["seed"], device, options["threads"], request.data_root / FOLDER / key)
    sets = source.load(plan.seed)
    check_fits(sets, plan, reporter)
    print(sets.describe(), flush=True)
    findings = []
    with locked(plan.folder):
        reporter.stop.listen()
        begin(plan, request.names, options["replicates"])
        for found in check_verdict(plan, request.names, options["replicates"], process_count(options), reporter):
            findings.append(found)
            for line in lines(found):
                print(line, flush=True)
        if request.json_file is not None:
            write_json(request.json_file, as_json(plan, sets, findings, options["replicates"]))
        failed = [found.name for found in findings if found.status == FAIL]
        if not failed:  # else the same call must not repeat the work, and somebody may want to look
            end(plan, request.names, options["replicates"])
    print(summary(findings), flush=True)
    if failed:
        raise SelfcheckFailed(f"the verdict is wrong on {', '.join(failed)}")


def fit_options(request: Request) -> MixedOptions:
    """Return how classifiers are fitted: as the recipe says, or for the digits as is fast; --steps and --set change it.

    Raises BadConfig for options that `train_mixed` refuses.
    """
    strange = [pair for pair in request.options["pairs"] if not pair.startswith(f"{TRAIN_MIXED.name}.")]
    if strange:
        raise BadConfig(f"--set {strange[0]}: no such job runs here; want {TRAIN_MIXED.name}.OPTION=VALUE")
    for pair in request.options["pairs"]:
        name = pair.partition("=")[0].partition(".")[2].replace("-", "_")
        if name in WITHOUT_EFFECT:
            raise BadConfig(f"--set {pair}: {WITHOUT_EFFECT[name]}; leave it out")
    steps, given, recipe = request.options["steps"], {}, request.recipe
    if request.experiment is None:
        steps, given, recipe = steps or STEPS, {"batch_images": BATCH_IMAGES}, "digits"
    if steps is not None:
        given |= {"steps": steps, "measure_every": max(steps // MEASUREMENTS, 1)}
    named = variables({f"{TRAIN_MIXED.name}.{name}": value for name, value in given.items()})
    with environment(named | settings(request.options["pairs"])):
        config = asked(command_of(TRAIN_MIXED.name), ["--recipe", recipe]).config
    assert isinstance(config, MixedOptions)  # the job's own
    return config


def check_fits(sets: RealSets, plan: Plan, reporter: Reporter) -> None:
    """Raise BadInput for images that the classifier is not built for, and for one that this machine cannot take."""
    _, channels, size_px, _ = sets.train.pixels.shape
    plan.config.check_size(size_px)
    for line in check_classifier(plan.config, size_px, channels, len(sets.classes), pick_device(plan.device)):
        reporter.info(line)


def process_count(options: dict[str, Any]) -> int:
    """Return how many processes do the work."""
    if options["processes"]:
        return int(options["processes"])
    if pick_device(options["device"]) != torch.device("cpu"):
        return 1
    return max(usable_cores() // int(options["threads"]), 1)
