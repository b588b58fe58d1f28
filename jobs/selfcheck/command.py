"""The command `selfcheck`: whether this installation, on these machines, does what it should."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from jobs.selfcheck.failed import SelfcheckFailed
from shared.cli.click_options import LocalPath
from shared.cli.common_options import DATA_ROOT, DEBUG
from shared.cli.exit_codes import ErrorHandlingCommand, ErrorHandlingGroup
from shared.cli.options import listed, nearest
from shared.cli.recipes import DEFAULT_RECIPE
from shared.errors import BadConfig, BadInput
from shared.runtime.launch import is_main_process
from shared.store.replicates import MOST


@click.command("selfcheck", cls=ErrorHandlingGroup)
def main() -> None:
    """Check that this installation, on these machines, does what it should."""


@click.command("distributed", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.option(
    "--processes", type=click.IntRange(1), default=2, help="Processes to start, unless a launcher has started some."
)
@click.option("--device", default="auto", help="Device of torch: cpu, cuda or auto.")
def distributed(processes: int, device: str) -> None:
    """Check, for every GAN family, that several processes take the steps of one.

    Compares gradients after one critic step and one generator step with those of a single process on the whole batch,
    and the weights of all processes after 20 steps. On a cluster start it with the launcher that starts train_gan, for
    instance: torchrun --nnodes 2 --nproc-per-node 4 ... -m jobs selfcheck distributed
    """
    from shared.runtime.devices import pick_device

    # refuse an absent device here, once, and not in every process
    pick_device(device)
    if "WORLD_SIZE" not in os.environ:
        # torchrun starts this command again, once for each process
        sys.exit(_launch(processes, device))
    from jobs.selfcheck.distributed import check_families

    failed = []
    for finding in check_families(device):
        # every process checks, one reports
        if not is_main_process():
            failed += [] if finding.passed else [finding.family]
            continue
        said = [
            f"{what}: {difference or 'equal'}"
            for what, difference in (
                ("critic step", finding.critic),
                ("generator step", finding.generator),
                ("weights after 20 steps", finding.weights),
            )
        ]
        click.echo(f"{'pass' if finding.passed else 'FAIL'}  {finding.family:12} {'; '.join(said)}")
        failed += [] if finding.passed else [finding.family]
    if failed:
        raise SelfcheckFailed(f"{os.environ['WORLD_SIZE']} processes do not train as one: {', '.join(failed)}")
    if is_main_process():
        click.echo(f"{os.environ['WORLD_SIZE']} processes train as one")


def _launch(processes: int, device: str) -> int:
    """Start this check in `processes` processes on this machine; return the exit code."""
    # from a checkout or an installation alike, and from any working directory
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    check = ["-m", "jobs", "selfcheck", "distributed", "--device", device]
    return subprocess.run([*launcher, *check], env=environment, check=False).returncode


@click.command("verdict", cls=ErrorHandlingCommand, context_settings={"show_default": True})
@click.option(
    "--experiment",
    metavar="NAME",
    envvar="HALFREAL_EXPERIMENT",
    help="Experiment whose finished `real` is used [default: scikit-learn's digits].",
)
@DATA_ROOT
@click.option(
    "--recipe",
    default=DEFAULT_RECIPE,
    envvar="HALFREAL_RECIPE",
    metavar="NAME|FILE.toml",
    help="How classifiers of an experiment's images are fitted: the recipe's train_mixed.",
)
@click.option("--controls", metavar="NAME[,...]", help="Planted generators to check [default: all].")
@click.option("--replicates", type=click.IntRange(1, MOST), default=5, help="Replicates of each planted generator.")
@click.option("--steps", type=click.IntRange(1), help="Optimizer steps of each fit [default: 200, or the recipe's].")
@click.option(
    "--set", "pairs", multiple=True, metavar="train_mixed.OPTION=VALUE", help="Set an option of the fits; repeatable."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed.")
@click.option("--threads", type=click.IntRange(1), default=1, help="CPU threads of torch in each process.")
@click.option(
    "--processes",
    type=click.IntRange(0),
    default=0,
    envvar="HALFREAL_PROCESSES",
    help="Processes; 0: one for every --threads cores, one on a GPU.",
)
@click.option("--device", default="auto", envvar="HALFREAL_DEVICE", help="Device of torch: cpu, cuda, cuda:1 or auto.")
@click.option("--json", "json_file", type=LocalPath(dir_okay=False), help="File of the findings for scripts.")
@DEBUG
def verdict(recipe: str, experiment: str | None, data_root: Path, json_file: Path | None, **options: Any) -> None:
    """Check the verdict on planted generators, of which it is known what is right to say.

    Other real images, noise, wrong labels, copies of the train images in many forms, half of the classes: each takes
    the place of a GAN, and goes through the arms, fits, intervals and tests of an experiment. Without --experiment
    the real images are scikit-learn's digits; with it they are those of an experiment whose `preprocess` is finished:
    a third of its train split is trained on, the rest takes the place of a perfect generator. Ends with 1 where an
    answer is wrong. Underpowered is what too few images, replicates or steps cannot show; the same call resumes.
    """
    # read when torch loads OpenMP: between its short fits idle threads would otherwise spin on the cores
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    names = control_names(options["controls"])
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise BadInput(f"--json {json_file}: there is no folder {json_file.absolute().parent}; make it first")
    from jobs.selfcheck.request import Request, run_check

    run_check(Request(recipe, experiment or None, data_root, json_file, names, options))


def control_names(text: str | None) -> list[str]:
    """Return the controls that `text` names, in the order of the table; BadConfig for an unknown one."""
    from jobs.selfcheck.controls import CONTROLS

    if text is None:
        return list(CONTROLS)
    names = listed(text)
    unknown = [name for name in names if name not in CONTROLS]
    if unknown or not names:
        which = f"unknown: {', '.join(unknown)}{nearest(unknown[0], CONTROLS)}" if unknown else "none is named"
        raise BadConfig(f"--controls {text}: {which}\nwant some of {', '.join(CONTROLS)}, joined by commas")
    return [name for name in CONTROLS if name in names]


main.add_command(distributed)
main.add_command(verdict)
