"""The options that every job has, and those of jobs whose work can be done in parts."""

import math
import re
from typing import Any

import click

from shared.errors import BadConfig


def _known_device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"auto|cpu|(cuda|xpu)(:\d+)?|mps", value):
        raise BadConfig(f"--device {value}: take cpu or auto, or cuda, cuda:1, xpu, mps")
    return value


def listed(text: str) -> tuple[str, ...]:
    """Return the names in an option that takes several, joined by commas; those left empty do not count."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check_finite(options: dict[str, Any]) -> None:
    """Raise BadConfig for an option, by its argument's name, that is NaN or infinite: click's ranges let NaN pass."""
    for name, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise BadConfig(f"--{name.replace('_', '-')} {value}: want a finite number")


COMMON = (
    click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, envvar="HALFREAL_SEED", help="Of all chance."),
    click.option(
        "--threads",
        type=click.IntRange(0),
        default=0,
        envvar="HALFREAL_THREADS",
        help="CPU threads of torch (the last digits depend on them), processes of preprocess; 0: every core.",
    ),
    click.option(
        "--device", default="auto", envvar="HALFREAL_DEVICE", callback=_known_device, help="cpu, cuda, cuda:1 or auto."
    ),
    click.option("--force", is_flag=True, help="Make it anew: drop what is complete and what is unfinished."),
    click.option("--dry-run", is_flag=True, help="Check the options, say what would be done, do nothing."),
)
"""The options that every job has besides."""


HOST = click.option(
    "--host", default="127.0.0.1", help="Who can reach the page: this machine alone; 0.0.0.0 lets everybody in."
)
"""The option of commands that serve a page."""


PARTS = (
    click.option(
        "--parts", type=click.IntRange(1), default=1, envvar="HALFREAL_PARTS", help="Processes that share it."
    ),
    click.option(
        "--index",
        type=click.IntRange(0),
        envvar=["HALFREAL_INDEX", "JOB_COMPLETION_INDEX"],
        help="Which part this process does, from 0; Kubernetes sets it in an Indexed Job.",
    ),
)
"""The options of jobs whose work can be done in parts."""


COMMON_NAMES = {"recipe", "experiment", "data_root", "device", "force", "dry_run", "debug", "index", "parts"}
"""What these options are called; the rest of a job's options are what its result depends on."""
