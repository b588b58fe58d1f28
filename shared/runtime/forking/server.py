"""The process from which others are forked: it has imported what they share, so that none pays for that again.

    python -m shared.runtime.forking.server SOCKET

SOCKET is a descriptor that it inherits. It starts no thread and calls nothing of what it imports: a fork copies no lock
that somebody holds, no team of OpenMP whose threads would be missing, no state of a GPU. It ends when nobody holds the
other end of the socket, and all that was forked has ended.

A request is a byte with three descriptors: a connection, and standard output and error of the new process. Over the
connection comes a `Request`, then a function with its arguments. Back go the number of the new process, or None where
it is not forked; a tuple with what its call returned; and its exit code.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any

BOUND = ("OMP_", "OPENBLAS_")
"""How the variables begin that libraries read when they are imported, and that differ between the jobs of a run."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What asks a process to stop."""


@dataclass(frozen=True)
class Request:
    """What is to be imported before the fork, and what the new process takes over from the one that asks for it."""

    modules: Sequence[str]
    environment: Mapping[str, str]
    words: Sequence[str]
    path: Sequence[str]

    @property
    def bound(self) -> dict[str, str]:
        """The variables that libraries read when they are imported."""
        return {name: value for name, value in self.environment.items() if name.startswith(BOUND)}


@dataclass
class Server:
    """Takes requests from a socket; libraries are bound to what the first one says, and to nothing else later."""

    requests: socket.socket
    bound: dict[str, str] | None = None
    running: dict[Any, tuple[Any, Connection]] = field(default_factory=dict)

    def serve(self) -> None:
        """Answer requests until nobody is left who could ask, and nothing runs any more."""
        # sent to a whole group, those that were forked act on them; not ignored, or one that comes right after a fork
        # would be lost
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        asked = [self.requests]
        while asked or self.running:
            for ready in wait([*asked, *self.running]):
                if ready is not self.requests:
                    self._tell(ready)
                elif not self._take():
                    asked.clear()

    def _take(self) -> bool:
        """Take one request; False where nobody is left who could ask."""
        _, files, _, _ = socket.recv_fds(self.requests, 1, 3)
        if not files:
            return False
        connection = Connection(files[0])
        with suppress(OSError, EOFError):  # whoever asked may be gone
            self._fork(connection, files[1:], connection.recv())
        for file in files[1:]:
            os.close(file)
        return True

    def _fork(self, connection: Connection, files: list[int], request: Request) -> None:
        """Fork a process with these standard output and error, unless libraries are bound otherwise."""
        if self.bound is None:
            self.bound = request.bound
            os.environ |= self.bound
        if request.bound != self.bound:
            connection.send(None)
            return
        for module in request.modules:
            with suppress(Exception):  # left to the process that needs it, which says why
                import_module(module)
        process = get_context("fork").Process(target=self._child, args=(connection, files, request))
        process.start()
        self.running[process.sentinel] = process, connection
        connection.send(process.pid)

    def _child(self, connection: Connection, files: list[int], request: Request) -> None:
        """Become the process that was asked for."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # what belongs to the server and to others: whoever asked for one must see it end though this one runs
        self.requests.close()
        for _, other in self.running.values():
            other.close()
        for number, file in enumerate(files, start=1):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ |= request.environment
        sys.argv[:], sys.path[:] = request.words, request.path
        function, arguments = connection.recv()
        Thread(target=_follow, args=[connection.fileno()], daemon=True).start()
        answer = function(*arguments)
        with suppress(OSError):  # whoever asked may have been stopped meanwhile
            connection.send((answer,))

    def _tell(self, sentinel: Any) -> None:
        """Send the exit code of a process that has ended."""
        process, connection = self.running.pop(sentinel)
        process.join()
        with suppress(OSError), connection:
            connection.send(process.exitcode)


def _follow(connection: int) -> None:
    """End this process at once when the one that asked for it is gone, even by SIGKILL."""
    os.read(connection, 1)  # nobody writes: this returns when the other end is closed
    os._exit(1)  # sys.exit would end this thread alone


if __name__ == "__main__":
    Server(socket.socket(fileno=int(sys.argv[1]))).serve()
    os._exit(0)
