"""Two processes that each read their part of an epoch, with the variables of a launcher, kept between rounds."""

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from shared.runtime.sockets import listen

RANKS = 2

Read = Callable[[Path, int], int]
"""Reads this process's part of an epoch of the set in a folder; returns how many images that were."""


def _serve(pipe: Connection, environment: dict[str, str], read: Read, folder: Path) -> None:
    os.environ |= environment
    while (epoch := pipe.recv()) is not None:
        pipe.send(read(folder, epoch))


class Ranks:
    """The processes of one side; `epoch()` reads the next epoch by all of them and returns the images of each."""

    def __init__(self, read: Read, folder: Path) -> None:
        with listen("127.0.0.1", 0) as free:
            port = str(free.getsockname()[1])
        context = get_context("spawn")
        self._epochs = 0
        self._pipes = []
        for rank in range(RANKS):
            ours, theirs = context.Pipe()
            names = {"RANK": rank, "GLOBAL_RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": 0, "NNODES": 1}
            sizes = {"WORLD_SIZE": RANKS, "LOCAL_WORLD_SIZE": RANKS}
            environment = {name: str(value) for name, value in (names | sizes).items()}
            environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            context.Process(target=_serve, args=(theirs, environment, read, folder), daemon=True).start()
            self._pipes.append(ours)

    def epoch(self) -> list[int]:
        """Read the next epoch; return how many images each process read."""
        for pipe in self._pipes:
            pipe.send(self._epochs)
        self._epochs += 1
        return [pipe.recv() for pipe in self._pipes]

    def __del__(self) -> None:
        for pipe in self._pipes:
            pipe.send(None)
