"""The command `selfcheck`: whether this installation, on these machines, does what it should."""

import os
import subprocess
import sys
from pathlib import Path

import click

from shared.cli.exit_codes import ErrorHandlingCommand
from shared.errors import HalfrealError
from shared.runtime.launch import is_main_process


class SelfcheckFailed(HalfrealError):
    """A check found something wrong."""

    exit_code = 1


class Checks(ErrorHandlingCommand, click.Group):
    """The group of checks."""


@click.command("selfcheck", cls=Checks)
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
@click.option("--seeds", type=click.IntRange(2), default=3, help="Fits of each training set.")
@click.option("--steps", type=click.IntRange(6), default=300, help="Optimizer steps of each fit.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed.")
def verdict(seeds: int, steps: int, seed: int) -> None:
    """Check the verdict on positive and negative controls, whose data equivalent is known.

    Other real images must help, by about their own number; noise and copies of the training images must not help;
    shuffled labels must hurt.
    """
    # read when torch loads OpenMP: between its short fits idle threads would otherwise spin on the cores
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from jobs.selfcheck.controls import ADDED, REAL, check_verdict

    click.echo(f"{REAL} real images, and with {ADDED} others added:")
    failed = []
    for finding in check_verdict(seeds, steps, seed):
        beyond = {None: "", "more": "more than ", "fewer": "fewer than "}[finding.effective["beyond"]]
        points = f"{100 * finding.difference:+.1f} points ({100 * finding.low:+.1f} to {100 * finding.high:+.1f})"
        equivalent = f"as good as {beyond}{finding.effective['images']} real images"
        click.echo(
            f"{'pass' if finding.passed else 'FAIL'}  {finding.about:28} {finding.outcome}: {points}, {equivalent}"
        )
        failed += [] if finding.passed else [finding.name]
    if failed:
        raise SelfcheckFailed(f"the verdict is wrong on {', '.join(failed)}")


main.add_command(distributed)
main.add_command(verdict)
