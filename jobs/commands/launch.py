"""The command `launch`: a job in several processes that train together, on one machine or on many."""

import os
import signal
from typing import Any

import click

from jobs.commands.run import JobFailed
from jobs.pipeline import EVALUATE, TRAIN_GAN
from shared.cli.exit_codes import ErrorHandlingCommand
from shared.errors import Interrupted

CHECKPOINT_S = "100"
"""Seconds to save a checkpoint after a signal, unless TORCH_ELASTIC_SHUTDOWN_TIMEOUT is set: torch allows 30."""

ENDED_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that say nothing against the job itself: its machine is taken away, or short of memory."""

TOGETHER = (TRAIN_GAN.name, EVALUATE.name)
"""The jobs that share their work among the processes of a launcher."""


@click.command(
    "launch", cls=ErrorHandlingCommand, context_settings={"ignore_unknown_options": True, "show_default": True}
)
@click.argument("job", type=click.Choice(TOGETHER))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(job: str, options: tuple[str, ...]) -> None:
    """Start JOB with its OPTIONS in the processes that torchrun's variables ask for; end with the job's exit code.

    PET_NNODES and PET_NPROC_PER_NODE say how many machines and processes on each, PET_NODE_RANK which machine this is,
    PET_MASTER_ADDR and PET_MASTER_PORT where the first one is. torchrun itself turns every failure into exit code 1.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", CHECKPOINT_S)
    # run in this process, so that its exceptions tell which exit code the job had
    arguments: Any = parse_args(["--module", f"jobs.{job}", *options])
    try:
        run(arguments)
    except SignalException as error:
        raise Interrupted(f"{job}: stopped by {error.sigval.name}; run the same command again to go on") from error
    except ChildFailedError as error:
        # the first one: the others fail because it is gone, and those that notice end as interrupted
        failures = error.failures.items()
        rank, failure = min(
            failures, key=lambda found: (found[1].exitcode == Interrupted.exit_code, found[1].timestamp)
        )
        if -failure.exitcode in ENDED_FROM_OUTSIDE:
            how = f"process {rank} was ended by {failure.signal_name()}, and the others with it"
            raise Interrupted(f"{job}: {how}; run the same command again to go on") from error
        # a shell's convention: 128 plus the signal that ended the process
        code = failure.exitcode if failure.exitcode > 0 else 128 - failure.exitcode
        raise JobFailed(f"{job}: process {rank} ended with exit code {code}; it says above why", code) from error
