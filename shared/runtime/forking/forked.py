"""Ask a server for processes: that of this process, or one that whoever started it shares with it.

`halfreal run` shares one with all of its jobs, so that a whole run pays for slow imports once.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from shared.runtime.forking.server import Request
from shared.runtime.interrupts import interrupts_wait

ROOT = Path(__file__).resolve().parents[3]

VARIABLE = "HALFREAL_FORK_SERVER"
"""The variable that tells a process the descriptor of the socket of a server that is shared with it."""

_shared: list[socket.socket] = []
"""The sockets of servers that are shared with this process, or by it; the last one holds."""

_own: list[tuple[socket.socket, "subprocess.Popen[bytes]"]] = []
"""The servers that this process began for itself."""


class Forked:
    """A process that was forked for this one. `connection` is ready when there is something to hear of it.

    `exitcode` is None until it is heard that the process has ended, `answer` what its call returned.
    """

    def __init__(self, pid: int, connection: Connection) -> None:
        self.pid, self.connection = pid, connection
        self.exitcode: int | None = None
        self.answer: Any = None
        self._ended_well = False

    def hear(self) -> None:
        """Take in the next message; wait for it if there is none."""
        try:
            said = self.connection.recv()
        except (EOFError, ConnectionError):
            # the server was killed, and then the process ended: nobody was told its code
            said = 0 if self._ended_well else -signal.SIGKILL
        if isinstance(said, tuple):
            (self.answer,), self._ended_well = said, True
        else:
            self.exitcode = said
            self.connection.close()

    def terminate(self) -> None:
        """Send SIGTERM, unless it is known that the process has ended."""
        if self.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)


def fork(
    modules: Sequence[str], shared: bool, environment: Mapping[str, str], function: Callable[..., Any], *args: Any
) -> Forked:
    """Start a process that has imported `modules` and calls `function(*args)` in this environment.

    It has this process's standard output and error, and ends at once when this process is gone, even by SIGKILL. The
    server is one of this process's own unless it may be a `shared` one.
    """
    request = Request(modules, dict(environment), sys.argv, sys.path)
    for requests in [*(_shared[-1:] if shared else ()), *(requests for requests, _ in _own)]:
        with suppress(OSError, EOFError):  # a server may have been killed for want of memory
            if (forked := _asked(requests, request, (function, args))) is not None:
                return forked
    # there is none, or it is gone, or its libraries are bound to other threads
    _own.append(_begin())
    forked = _asked(_own[-1][0], request, (function, args))
    assert forked is not None  # a new server is bound by its first request
    return forked


def _asked(requests: socket.socket, request: Request, call: tuple[Callable[..., Any], Any]) -> Forked | None:
    """Return the process that a server forks; None where it is bound otherwise. OSError or EOFError if it is gone."""
    ours, theirs = Pipe()
    with theirs:
        socket.send_fds(requests, [b"!"], [theirs.fileno(), 1, 2])
    ours.send(request)
    pid: int | None = ours.recv()
    if pid is None:
        return None
    ours.send(call)
    return Forked(pid, ours)


def _begin() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    """Start a server; return the socket that takes requests, and its process."""
    ours, theirs = socket.socketpair()
    with theirs:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        # -P: a folder called shared in the user's working directory must not be imported in place of this one
        command = [sys.executable, "-P", "-m", "shared.runtime.forking.server", str(theirs.fileno())]
        environment = os.environ | {"PYTHONPATH": path}
        with interrupts_wait():
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    return ours, process


@contextmanager
def sharing() -> Iterator[None]:
    """Share one server with all processes that this one starts meanwhile; see `passed_on`."""
    if sys.platform != "linux":  # libraries of macOS start threads by themselves: the less is forked there the better
        yield
        return
    requests, process = _begin()
    _shared.append(requests)
    try:
        yield
    finally:
        _shared.remove(requests)
        requests.close()
        process.kill()  # nothing that it forked needs it any more
        process.wait()


def passed_on() -> dict[str, int]:
    """Return the variable that shares a server with a process, and the descriptor which that has to inherit."""
    return {VARIABLE: _shared[-1].fileno()} if _shared else {}


def take_over() -> None:
    """Use the server that whoever started this process shares with it, if any."""
    if told := os.environ.pop(VARIABLE, None):
        _shared.append(socket.socket(fileno=int(told)))


def is_shared() -> bool:
    """Whether a server is shared with this process, or by it."""
    return bool(_shared)
