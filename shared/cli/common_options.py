"""The options that every job has, and those of jobs whose work can be done in parts."""

import math
import re
from typing import Any

import click

from shared.cli.click_options import grouped_option
from shared.errors import BadConfig


def _known_device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"auto|cpu|(cuda|xpu)(:\d+)?|mps", value):
        raise BadConfig(f"--device {value}: take cpu or auto, or cuda, cuda:1, xpu, mps")
    return value


def check_finite(options: dict[str, Any]) -> None:
    """Raise BadConfig for an option, by its argument's name, that is NaN or infinite: click's ranges let NaN pass."""
    for name, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise BadConfig(f"--{name.replace('_', '-')} {value}: want a finite number")


COMMON = (
    grouped_option(
        "run",
        "--threads",
        type=click.IntRange(0),
        default=0,
        envvar="HALFREAL_THREADS",
        help="CPU threads of torch (the last digits depend on them), processes of preprocess; 0: every core.",
    ),
    grouped_option(
        "run",
        "--device",
        default="auto",
        envvar="HALFREAL_DEVICE",
        callback=_known_device,
        help="Device of torch: cpu, cuda, cuda:1 or auto.",
    ),
    grouped_option(
        "run", "--force", is_flag=True, help="Rebuild: drop what is complete and what is unfinished, and begin again."
    ),
    grouped_option(
        "run", "--dry-run", is_flag=True, help="Check the options, print what would be done, and change nothing."
    ),
)
"""The options that every job has besides its own, the seed among them."""


HOST = click.option(
    "--host", default="127.0.0.1", help="Address to listen on: that of this machine alone; 0.0.0.0 lets everybody in."
)
"""The option of commands that serve a page."""


PARTS = (
    grouped_option(
        "run",
        "--parts",
        type=click.IntRange(1),
        default=1,
        envvar="HALFREAL_PARTS",
        help="Number of processes that share the work.",
    ),
    grouped_option(
        "run",
        "--index",
        type=click.IntRange(0),
        envvar=["HALFREAL_INDEX", "JOB_COMPLETION_INDEX"],
        help="Part of the work that this process does, from 0; Kubernetes sets it in an Indexed Job.",
    ),
)
"""The options of jobs whose work can be done in parts."""


COMMON_NAMES = {"recipe", "experiment", "data_root", "device", "force", "dry_run", "debug", "index", "parts"}
"""The names of these options; the rest of a job's options are what its result depends on."""
