"""Whether the processes that train together are all there: one that waits for another must not wait for a dead one.

Each says every few seconds that it is there, in the store through which they found each other. What a collective call
does when a process dies depends on its backend: gloo raises an error that names nobody, NCCL waits for many minutes.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Protocol

from shared.errors import Interrupted
from shared.runtime.observe.log import say

BEAT_S = 2.0
"""Seconds between two signs of life."""

SILENCE_VARIABLE, SILENCE_S = "HALFREAL_RANK_TIMEOUT_S", 30.0
"""Seconds without one after which a process counts as dead, and the variable that sets others."""

GRACE_S = 15.0
"""Seconds that a process has to end by itself once it is known that another one is dead."""

LOST_CONNECTION = ("gloo", "NCCL")
"""Words in every error of a call between processes."""

IN_ORDER = ("0", str(Interrupted.exit_code))
"""Exit codes of processes that the others need not wait for: done, or stopped like all of them."""


class Store(Protocol):
    """What the processes write signs of life to and read them from: RuntimeError where it is gone."""

    def set(self, key: str, value: str) -> object:
        """Write a value."""

    def get(self, key: str) -> bytes:
        """Return a value, once it is there."""


@dataclass(frozen=True)
class Sign:
    """The sign of life of a process; `code` is what it ended with, "-" while it works."""

    count: int
    pid: int
    host: str
    code: str = "-"

    @property
    def text(self) -> str:
        """The sign as the store has it."""
        return f"{self.count} {self.pid} {self.code} {self.host}"


def parse(text: str) -> Sign:
    """Undo `Sign.text`."""
    count, pid, code, host = text.split(" ", 3)
    return Sign(int(count), int(pid), host, code)


class Peers:
    """The other processes, as process `rank` of `world` hears of them; `silence_s` without a sign means death."""

    def __init__(self, store: Store, rank: int, world: int, silence_s: float) -> None:
        self._store, self._rank, self.silence_s = store, rank, silence_s
        self._others = [other for other in range(world) if other != rank]
        self._heard: dict[int, tuple[Sign, float]] = {}
        self._count, self._store_gone = 0, False
        self.left = Event()
        self._tell("-")

    def _tell(self, code: str) -> None:
        self._count += 1
        self._store.set(_key(self._rank), Sign(self._count, os.getpid(), socket.gethostname(), code).text)

    def look(self) -> None:
        """Give a sign of life and read those of the others."""
        try:
            self._tell("-")
            for rank in self._others:
                sign = parse(self._store.get(_key(rank)).decode())
                if rank not in self._heard or self._heard[rank][0] != sign:
                    self._heard[rank] = sign, time.monotonic()
        except RuntimeError:
            self._store_gone = True

    def leave(self, code: int) -> None:
        """Say that this process ends with `code`, and listen no more."""
        self.left.set()
        try:
            self._tell(str(code))
        except RuntimeError:  # the process that has the store was quicker
            return

    def dead(self, *, ended: bool = False) -> str:
        """Return, in words, which process is dead or failed; also which one `ended` in order. "" where none."""
        for rank, (sign, at) in sorted(self._heard.items()):
            who = f"process {rank} (pid {sign.pid} on {sign.host})"
            if sign.code == "-" and time.monotonic() - at > self.silence_s:
                return f"{who} died: nothing was heard of it for {self.silence_s:g} s"
            if sign.code != "-" and (ended or sign.code not in IN_ORDER):
                return f"{who} ended with exit code {sign.code}"
        host = self._heard.get(0)
        # the first process has the store, unless a launcher has it
        if self._store_gone and (ended or host is None or host[0].code not in IN_ORDER):
            return "process 0, or the launcher, died: its store does not answer"
        return ""

    def watch(self) -> None:
        """Look every few seconds; end this process where another one is dead and it does not notice by itself."""
        since: float | None = None
        while not self.left.wait(BEAT_S):
            self.look()
            dead = self.dead()
            since = (since or time.monotonic()) if dead else None
            if since is not None and time.monotonic() - since > GRACE_S:
                # it waits within a collective call, which no exception reaches; files are whole at any moment
                say("error", message(dead), level="warning", text=f"error: {message(dead)}", code=Interrupted.exit_code)
                os._exit(Interrupted.exit_code)


def _key(rank: int) -> str:
    return f"halfreal/alive/{rank}"


def message(dead: str) -> str:
    """Return what to say where another process is dead."""
    return f"{dead}\nthose that train together end with it; run the same command again to go on"


WATCHED: list[Peers] = []
"""The other processes of this one, once `join` was called."""


def join(rank: int, world: int) -> None:
    """Watch the other processes from now on; a second call changes nothing."""
    if WATCHED:
        return
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # its stubs name it, its __all__ does not

    silence_s = float(os.environ.get(SILENCE_VARIABLE) or SILENCE_S)
    # a connection of its own: that of the group is busy while a call of the main thread waits
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    peers = Peers(TCPStore(*place, is_master=False, timeout=timedelta(seconds=silence_s)), rank, world, silence_s)
    WATCHED.append(peers)
    Thread(target=peers.watch, daemon=True).start()


def leave(code: int) -> None:
    """Tell the other processes that this one ends with `code`."""
    for peers in WATCHED:
        peers.leave(code)


@contextmanager
def together(stop: Callable[[], object]) -> Iterator[None]:
    """Do what needs the other processes; Interrupted, with who it was, where it fails since one of them is dead.

    `stop()` raises where this process was asked to stop, as a launcher does when a process is dead.
    """
    try:
        yield
    except RuntimeError as error:
        for peers in WATCHED:
            # silence tells who it was, after a while; any other error is raised as it is, and at once
            wait_s = peers.silence_s + 2 * BEAT_S if any(word in str(error) for word in LOST_CONNECTION) else 0.0
            if dead := _who_is_dead(peers, wait_s, stop):
                raise Interrupted(message(dead)) from error
        raise


def _who_is_dead(peers: Peers, wait_s: float, stop: Callable[[], object]) -> str:
    """Return which other process is dead as soon as that is known; "" where all of them are there after `wait_s`."""
    deadline = time.monotonic() + wait_s
    while not (dead := peers.dead(ended=True)) and time.monotonic() < deadline:
        stop()
        time.sleep(BEAT_S / 20)
    return dead
