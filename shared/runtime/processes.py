"""One function over many items on several processes: results in order, a bounded number of them in memory."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from shared.errors import BadInput
from shared.runtime.control_groups import container_cores
from shared.runtime.observe import log
from shared.runtime.observe.identity import Identity, current, identify

Item = TypeVar("Item")
Made = TypeVar("Made")
Function = Callable[[Item], Made]
Spread = Callable[[Callable[[Item], Made], Iterable[Item]], Iterator[Made]]
Waiting = Callable[[], AbstractContextManager[object]]
"""A context in which this process waits for a result, such as one that a signal ends."""

CHUNK = 64
"""Items that go to a process at once."""

AHEAD = 3
"""Chunks for each process that are under way or waiting to be taken."""

GRACE_S = 10.0
"""Seconds that processes have to end what they are at, once its result is not wanted any more."""


def usable_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use: those it is bound to, at most what its container allows."""
    # os.cpu_count() counts the machine's cores, also in a container that may use two of them
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = container_cores(root)
    return bound if quota is None else max(min(bound, round(quota)), 1)


@contextmanager
def processes(
    count: int,
    preload: str = "",
    chunk: int = CHUNK,
    waiting: Waiting = nullcontext,
    name: Callable[[Any], str] = str,
) -> Iterator[Spread[Any, Any]]:
    """Yield `spread(function, items)`, which yields function(item) for each item, in order, by `count` processes.

    What it yields does not depend on `count`; with 1 all is done in this process. `function` is one of a module, or a
    `partial` of one; items and results are pickled on their way. Items go to a process `chunk` at a time, 1 where each
    takes long; nothing is read more than `AHEAD` chunks ahead. An error of `function` is raised here; an item of which
    a process dies twice is BadInput, by its `name`. The processes share the module `preload` and what it imports. They
    end with this one, however it ends.
    """
    if count <= 1:
        yield lambda function, items: _alone(function, items, waiting)
        return
    # fork would copy this process's memory and locks that its threads hold (torch has threads); a fork server is a
    # fresh process that has imported `preload` once for all children. macOS and Linux have one.
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context = get_context(method)
    if preload and method == "forkserver":
        context.set_forkserver_preload([preload])
    workers = _Workers(
        lambda: ProcessPoolExecutor(count, context, initializer=_begin, initargs=(current(),)), waiting, name
    )
    try:
        yield lambda function, items: workers.in_order(count * AHEAD, function, iter(items), chunk)
    except BaseException:
        workers.end_at_once()
        raise
    workers.executor.shutdown(cancel_futures=True)


def _alone(function: Callable[[Item], Made], items: Iterable[Item], waiting: Waiting) -> Iterator[Made]:
    for item in items:
        with waiting():
            made = function(item)
        yield made


class _Workers:
    """The processes of one `executor`, as `begin` makes it; another one takes its place where one of them dies."""

    def __init__(self, begin: Callable[[], ProcessPoolExecutor], waiting: Waiting, name: Callable[[Any], str]) -> None:
        self.begin, self.waiting, self.name = begin, waiting, name
        self.executor = begin()

    def in_order(self, ahead: int, function: Function[Any, Any], items: Iterator[Any], size: int) -> Iterator[Any]:
        """Yield the results of all items, in their order, `ahead` chunks of `size` under way."""
        # not executor.map: that submits every item at once, and all of them would be in memory
        under_way: deque[tuple[list[Any], Future[list[Any]]]] = deque()
        while chunk := list(islice(items, size)):
            under_way.append((chunk, self._submit(function, chunk)))
            if len(under_way) >= ahead:
                yield from self._next(function, under_way)
        while under_way:
            yield from self._next(function, under_way)

    def _submit(self, function: Function[Any, Any], chunk: list[Any]) -> Future[list[Any]]:
        try:
            return self.executor.submit(_apply, function, chunk)
        except BrokenProcessPool as error:  # seen when the result is taken
            broken: Future[list[Any]] = Future()
            broken.set_exception(error)
            return broken

    def _next(self, function: Function[Any, Any], under_way: deque[tuple[list[Any], Future[list[Any]]]]) -> list[Any]:
        """Return the results of the first chunk that is under way; where a process died, find out of which item."""
        chunk, future = under_way.popleft()
        try:
            with self.waiting():
                return future.result()
        except BrokenProcessPool:
            # all chunks that were not done are lost with it
            self._begin_again()
            made = [self._result_of(function, item) for item in chunk]
            for place, (others, lost) in enumerate(under_way):
                if lost.exception() is not None:
                    under_way[place] = (others, self._submit(function, others))
            return made

    def _result_of(self, function: Function[Any, Any], item: Any) -> Any:
        """Return the result of one item, with nothing else under way; BadInput where the process dies of it."""
        try:
            with self.waiting():
                return self._submit(function, [item]).result()[0]
        except BrokenProcessPool as error:
            raise BadInput(
                f"{self.name(item)}: the process that worked on it died twice, killed for want of memory or by a fault "
                "of what reads it\nremove or repair it; or give more memory, and fewer --threads"
            ) from error

    def _begin_again(self) -> None:
        self.executor.shutdown(cancel_futures=True)
        self.executor = self.begin()

    def end_at_once(self) -> None:
        """End the processes; one that is still at work after GRACE_S, or waits for a disk or a pipe, is killed."""
        processes = [*(self.executor._processes or {}).values()]  # there is no other way to reach them
        self.executor.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + GRACE_S
        alive: dict[Any, Any] = {process.sentinel: process for process in processes}
        while alive and (left := deadline - time.monotonic()) > 0:
            for sentinel in wait([*alive], left):
                del alive[sentinel]
        for process in alive.values():
            process.kill()


def _apply(function: Callable[[Item], Made], chunk: list[Item]) -> list[Made]:
    return [function(item) for item in chunk]


def _begin(identity: Identity) -> None:
    """Leave Ctrl-C to the process that waits for this one, speak as it does, and end when that one is gone."""
    log.begin(())
    identify(identity)
    # a terminal sends SIGINT to the whole process group: children that ended first would break the parent's pool
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None  # only children run this

    def follow() -> None:
        wait([parent.sentinel])  # ready when the parent has ended, even by SIGKILL
        os._exit(1)  # sys.exit would end this thread alone

    Thread(target=follow, daemon=True).start()
