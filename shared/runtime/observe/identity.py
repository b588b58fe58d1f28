"""Whose line or number something is: the job, its experiment, the replicate, the process among several."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Identity:
    """The process that speaks: None for what is not known, or does not apply.

    `rank` counts the processes that share one piece of work, from 0: those that a launcher started together, and the
    parts of the work.
    """

    job: str | None = None
    experiment: str | None = None
    replicate: int | None = None
    rank: int | None = None

    def facts(self) -> dict[str, str | int | None]:
        """Return the four fields in their order."""
        return asdict(self)


_current = Identity()


def current() -> Identity:
    """Return who this process is now."""
    return _current


def identify(identity: Identity) -> None:
    """Say who this process is from now on."""
    global _current
    _current = identity


@contextmanager
def identified(identity: Identity) -> Iterator[None]:
    """Say who this process is for a while; what ends by an error is told of by the same one."""
    before = current()
    identify(identity)
    yield
    identify(before)


def named(job: str | None) -> Identity:
    """Return the identity of a process that runs the command `job`, of whose work nothing is known yet."""
    return Identity(job, rank=rank_of(0, 1))


def rank_of(part: int, parts: int) -> int | None:
    """Return the number of this process among all that share its work: ranks of a launcher, `parts` parts of each.

    None where the launcher's variable is no number, which the job refuses by itself.
    """
    try:
        rank, world = (int(os.environ.get(name) or fallback) for name, fallback in (("RANK", 0), ("WORLD_SIZE", 1)))
    except ValueError:
        return None
    return rank if parts == 1 else part * max(world, 1) + rank
