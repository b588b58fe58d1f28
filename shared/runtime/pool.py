"""Calls in processes of their own, a few at a time, forked from a server that has imported what they share.

Unlike `processes`, which maps a function over many small items, each call here is long: it ends with an exit code, and
is asked to stop by SIGTERM.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from typing import Any

from shared.runtime.forking.forked import Forked, fork, is_shared
from shared.runtime.memory import shared_by
from shared.runtime.observe import log

POLL_S = 0.2


class Pool:
    """Processes that share the import of the modules `preload`; their number changes no result.

    They may also share it with processes of other jobs of a run, unless `private`.
    """

    def __init__(self, preload: Sequence[str], private: bool = False) -> None:
        self.preload, self.shared = tuple(preload), not private and is_shared()

    @property
    def saves_imports(self) -> bool:
        """Whether other jobs of the run share what is imported, so that one call alone is worth a process too."""
        return self.shared and bool(self.preload)

    def ask(self, function: Callable[..., Any], *args: object) -> Any:
        """Return what a call gives, from a process of its own; None where it fails."""
        process = fork(self.preload, self.shared, os.environ, _called, function, *args)
        while process.exitcode is None:
            process.hear()
        return process.answer

    def run(
        self,
        function: Callable[..., Any],
        calls: Sequence[tuple[Any, ...]],
        count: int,
        stop: Callable[[], str],
        places: Sequence[Mapping[str, str]] = (),
    ) -> list[int | None]:
        """Call `function` with each of `calls`, `count` at a time; return the exit codes, None for calls never begun.

        `stop()` names the signal that asked this process to stop, or is empty: then no call is begun, and SIGTERM is
        passed on. Each call has one of `places`, environment variables, where there are any: the one that fewest have.
        """
        codes: list[int | None] = [None] * len(calls)
        share = shared_by(max(min(count, len(calls)), 1))
        running: dict[int, Forked] = {}
        placed: dict[int, int] = {}
        waiting = list(range(len(calls)))
        passed_on = False
        while running or (waiting and not stop()):
            while waiting and len(running) < count and not stop():
                number = waiting.pop(0)
                placed[number] = _least([placed[other] for other in running], len(places))
                own = os.environ | share | dict(places[placed[number]] if places else {})
                running[number] = fork(self.preload, self.shared, own, _called, function, *calls[number])
            ready = wait([process.connection for process in running.values()], timeout=POLL_S)
            if stop() and not passed_on:
                # once: a second signal makes a job stop without saving
                passed_on = True
                for process in running.values():
                    process.terminate()
            for number, process in list(running.items()):
                if process.connection in ready:
                    process.hear()
                if (code := process.exitcode) is not None:
                    codes[number] = code if code >= 0 else 128 - code  # a signal's number is negative
                    del running[number]
        return codes


def _least(taken: Sequence[int], places: int) -> int:
    """Return the first of the places that fewest have taken; 0 where there are none."""
    return min(range(places), key=taken.count, default=0)


def _called(function: Callable[..., Any], *args: object) -> Any:
    log.begin(())
    return function(*args)
