"""Calls in processes of their own, a few at a time, forked from one server that has imported what they share.

Unlike `processes`, which maps a function over many small items, each call here is long: it ends with an exit code, and
is asked to stop by SIGTERM.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from shared.runtime.memory import shared_by
from shared.runtime.observe import log

POLL_S = 0.2


class Pool:
    """Processes that share the import of the modules `preload`; their number changes no result."""

    def __init__(self, preload: Sequence[str]) -> None:
        # not fork: it would copy locks that threads of this process hold
        method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
        self.context: Any = get_context(method)
        if method == "forkserver":
            self.context.set_forkserver_preload(list(preload))

    def ask(self, function: Callable[..., Any], *args: object) -> Any:
        """Return what a call gives, from a process of its own; None where it fails."""
        receive, send = self.context.Pipe(duplex=False)
        process = self.context.Process(target=_answer, args=(send, function, *args))
        process.start()
        send.close()  # so that a process that dies without an answer ends the wait
        try:
            return receive.recv()
        except EOFError:
            return None
        finally:
            process.join()

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
        running: dict[int, Any] = {}
        placed: dict[int, int] = {}
        waiting = list(range(len(calls)))
        passed_on = False
        while running or (waiting and not stop()):
            while waiting and len(running) < count and not stop():
                number = waiting.pop(0)
                placed[number] = _least([placed[other] for other in running], len(places))
                own = share | dict(places[placed[number]] if places else {})
                running[number] = self.context.Process(target=_follow_parent, args=(own, function, *calls[number]))
                running[number].start()
            wait([process.sentinel for process in running.values()], timeout=POLL_S)
            if stop() and not passed_on:
                # once: a second signal makes a job stop without saving
                passed_on = True
                for process in running.values():
                    process.terminate()
            for number, process in list(running.items()):
                if process.exitcode is not None:
                    process.join()
                    code = process.exitcode
                    codes[number] = code if code >= 0 else 128 - code  # a signal's number is negative
                    del running[number]
        return codes


def _least(taken: Sequence[int], places: int) -> int:
    """Return the first of the places that fewest have taken; 0 where there are none."""
    return min(range(places), key=taken.count, default=0)


def _answer(send: Any, function: Callable[..., Any], *args: object) -> None:
    log.begin(())
    # whoever asked may have been stopped meanwhile
    with suppress(BrokenPipeError):
        send.send(function(*args))


def _follow_parent(share: dict[str, str], function: Callable[..., Any], *args: object) -> None:
    """Call the function; end at once when the process that waits for it is gone, even by SIGKILL.

    `share` is added to the environment, which is otherwise that of the server that this process was forked from.
    """
    os.environ |= share
    parent = parent_process()
    assert parent is not None  # only children run this

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)  # sys.exit would end this thread alone

    Thread(target=follow, daemon=True).start()
    log.begin(())
    function(*args)
