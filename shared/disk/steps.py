"""Steps: each durable change is counted just before it is made, so that a check can end the process at any of them.

`HALFREAL_FAIL_AT=n` ends the process with SIGKILL before its step n, counted from 1; with `HALFREAL_FAIL_WITH=ENOSPC`
or `EIO` that error is raised there instead, once. `HALFREAL_STEPS=FILE` appends a line for each step to a file, and n
then counts the steps of all processes that have the file in their environment. Without them nothing is counted.
"""

import errno
import itertools
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from shared.errors import BadConfig

Kind = Literal["open", "write", "fsync", "rename", "unlink", "mkdir", "link", "lock", "put"]

FAIL_AT, FAIL_WITH, STEPS = "HALFREAL_FAIL_AT", "HALFREAL_FAIL_WITH", "HALFREAL_STEPS"

KILL = "kill"
"""What FAIL_WITH is where it is not set: no error is raised, the process is killed."""

LINE_BYTES = 240
"""The length of each line of the file of steps: where the file ends then says how many there are."""


def step(kind: Kind, path: Path) -> None:
    """Count a change of `path` that is about to be made; end the process or raise OSError where that was asked for."""
    for guard in _guards:
        guard()
    if _reached is not None:
        _reached(kind, path)


def before_each_step(guard: Callable[[], None]) -> None:
    """Call `guard` before each step from now on: it raises where this process must change nothing any more."""
    _guards.append(guard)


def watch() -> None:
    """Read the environment again: in a process that was forked after it had imported this module."""
    global _reached  # one count for the process, as the disk is one
    _reached = _from_environment()


def _from_environment() -> Callable[[Kind, Path], None] | None:
    """Return what each step is told to; None where nobody asked for steps. BadConfig at the first if asked wrongly."""
    file, number = os.environ.get(STEPS), os.environ.get(FAIL_AT, "0")
    fail_with = os.environ.get(FAIL_WITH, KILL)
    if not re.fullmatch("[0-9]{1,9}", number):
        return _refusing(f"{FAIL_AT}={number:.60}: want the number of a step, from 1; without it none fails")
    if fail_with != KILL and fail_with not in errno.errorcode.values():
        return _refusing(
            f"{FAIL_WITH}={fail_with:.60}: want an error's name, as ENOSPC or EIO; without it SIGKILL is sent"
        )
    fail_at = int(number)
    if not (file or fail_at):
        return None
    own = itertools.count(1)

    def reached(kind: Kind, path: Path) -> None:
        at = _append(Path(file), kind, path) if file else next(own)
        if at == fail_at:
            _fail(fail_with, path)

    return reached


def _refusing(message: str) -> Callable[[Kind, Path], None]:
    # not raised here, as the module is imported: the command that makes the first step says it, with its exit code
    def refuse(kind: Kind, path: Path) -> None:
        raise BadConfig(message)

    return refuse


def _append(file: Path, kind: Kind, path: Path) -> int:
    """Append a line; return its number, from 1."""
    text = f"{os.getpid():>8} {kind:6} ".encode()
    line = text + os.fsencode(path)[len(text) + 1 - LINE_BYTES :]
    # opened each time: a position that a forked process shares would move between the two calls
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line.ljust(LINE_BYTES - 1) + b"\n")
        return os.lseek(descriptor, 0, os.SEEK_CUR) // LINE_BYTES
    finally:
        os.close(descriptor)


def _fail(fail_with: str, path: Path) -> None:
    if fail_with == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    number = getattr(errno, fail_with)
    raise OSError(number, os.strerror(number), str(path))


_guards: list[Callable[[], None]] = []
_reached = _from_environment()
