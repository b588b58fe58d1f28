"""Which of several processes this is, by a launcher's environment variables: without torch, for command lines."""

import os

from shared.errors import BadConfig


def is_main_process() -> bool:
    """Whether this is the first, or only, of the processes that a launcher started together."""
    world, rank = _world_and_rank()
    return world <= 1 or rank == 0


def is_one_of_several() -> bool:
    """Whether a launcher started this process together with others."""
    return _world_and_rank()[0] > 1


def process_count() -> int:
    """Return how many processes a launcher started together; 1 without one."""
    return max(_world_and_rank()[0], 1)


def _world_and_rank() -> tuple[int, int]:
    try:
        world, rank = (int(os.environ.get(name, fallback)) for name, fallback in (("WORLD_SIZE", "1"), ("RANK", "0")))
    except ValueError as error:
        raise BadConfig(f"RANK and WORLD_SIZE of the environment: {error}; unset them or use a launcher") from error
    return world, rank


RENDEZVOUS = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""The variables by which processes that train together find each other."""


def check_launch() -> None:
    """Raise BadConfig where the environment is that of one of several processes, but says too little to find them."""
    missing = [name for name in RENDEZVOUS if not os.environ.get(name)]
    together = not is_main_process() or os.environ.get("WORLD_SIZE", "1") != "1" or "LOCAL_RANK" in os.environ
    if together and missing:
        present = [name for name in ("LOCAL_RANK", *RENDEZVOUS) if os.environ.get(name)]
        raise BadConfig(
            f"the environment has {', '.join(present)}, as of a process among several, but not {', '.join(missing)}\n"
            f"start it by halfreal launch or torchrun, or alone: env -u {' -u '.join(present)} halfreal ..."
        )
