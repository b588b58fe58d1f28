"""Environment variables that halfreal does not know: a misspelt one would change nothing, and nobody would notice."""

import os
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import click

from shared.cli.common_options import COMMON, PARTS, PLACE, REPLICATES
from shared.cli.options import nearest
from shared.cli.progress import EVERY_VARIABLE
from shared.cli.resource_options import OBSERVED
from shared.disk.steps import FAIL_AT, FAIL_WITH, STEPS
from shared.errors import BadConfig
from shared.objects.connection import TIMEOUT
from shared.runtime.launch import is_main_process
from shared.runtime.memory import SHARED_BY
from shared.runtime.observe.log import say
from shared.runtime.together.peers import SILENCE_VARIABLE

PREFIX = "HALFREAL_"

SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$")
"""What Kubernetes sets in every pod for a Service: of one called `halfreal-...` they begin as ours do."""


def option_variables(params: Iterable[click.Parameter], job: str = "") -> set[str]:
    """Return the variables that set options: those that they name, else what click makes of the job's name."""
    variables: set[str] = set()
    for param in params:
        named = [param.envvar] if isinstance(param.envvar, str) else param.envvar or []
        variables |= {name for name in named if name.startswith(PREFIX)}
        if job and not named and getattr(param, "allow_from_autoenv", True):
            variables.add(f"{PREFIX}{job}_{param.name}".upper())
    return variables


def _common() -> set[str]:
    """Return the variables that set options of every job or command."""

    # click has no public way to list a decorator's options: let them decorate a function that does nothing
    def bare() -> None: ...

    decorated: Any = bare
    for option in (*COMMON, *OBSERVED, *PARTS, *REPLICATES, *PLACE):
        decorated = option(decorated)
    return option_variables(decorated.__click_params__)


COMMON_VARIABLES = {
    *_common(),
    "HALFREAL_SEED",
    EVERY_VARIABLE,
    SHARED_BY,  # of processes next to each other
    "HALFREAL_CACHE_GB",  # the most that decoded images take of a disk
    TIMEOUT,  # of object stores
    "HALFREAL_LOCK_TIMEOUT_S",  # after which silence a lock is taken over
    SILENCE_VARIABLE,  # after which one of the processes that train together counts as dead
    *(FAIL_AT, FAIL_WITH, STEPS),  # checks: see shared.disk.steps
    "HALFREAL_DEBUG",  # as --debug
    "HALFREAL_STRICT",  # an unknown variable ends the command
    "HALFREAL_IMAGE",  # name of the container image, for Compose
    "HALFREAL_CI_VENV",
    "HALFREAL_UNPUBLISHED_WEIGHTS",  # tests: see shared.models.pretrained.weights
    *("HALFREAL_TEST_DATA", "HALFREAL_NO_SKIPS", "HALFREAL_FULL_WIDTH", "HALFREAL_STYLEGAN3"),  # tests
}
"""The variables that are no job's own."""


def check_environment(known: Callable[[str], Collection[str] | None], jobs: Collection[str]) -> None:
    """Warn on stderr of every HALFREAL_ variable that sets nothing, and drop it.

    `known(job)` has the variables of one of `jobs`, or None where they are not to be looked at. Raises BadConfig where
    HALFREAL_STRICT is set.
    """
    ours = [name for name in sorted(os.environ) if name.startswith(PREFIX) and not SERVICE_LINK.search(name)]
    candidates = {name: _candidates(name, known, jobs) for name in ours if name not in COMMON_VARIABLES}
    unknown = {name: names for name, names in candidates.items() if names is not None and name not in names}
    lines = [f"{name}: unknown{nearest(name, names | COMMON_VARIABLES, PREFIX)}" for name, names in unknown.items()]
    if lines and os.environ.get("HALFREAL_STRICT", "") not in ("", "0"):
        raise BadConfig("\n".join(lines))
    for name, line in zip(unknown, lines, strict=True):
        del os.environ[name]  # processes that this one starts need not warn again
        if is_main_process():
            say("warning", line, level="warning")


def _candidates(name: str, known: Callable[[str], Collection[str] | None], jobs: Collection[str]) -> set[str] | None:
    """Return the variables that a name may be meant for: of the job that it begins with, else of every job.

    None where that job's are not to be looked at.
    """
    named = [job for job in jobs if name.startswith(f"{PREFIX}{job}_".upper())]
    if not named:
        return {variable for job in jobs for variable in known(job) or ()}
    own = known(max(named, key=len))  # the longest, since one job's name may begin with another's
    return None if own is None else set(own)
