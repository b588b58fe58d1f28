"""One function over many items on several processes: results in order, a bounded number of them in memory."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from shared.runtime.control_groups import container_cores
from shared.runtime.observe import log
from shared.runtime.observe.identity import Identity, current, identify

Item = TypeVar("Item")
Made = TypeVar("Made")
Spread = Callable[[Callable[[Item], Made], Iterable[Item]], Iterator[Made]]

CHUNK = 64
"""Items that go to a process at once."""

AHEAD = 3
"""Chunks for each process that are under way or waiting to be taken."""


def usable_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use: those it is bound to, at most what its container allows."""
    # os.cpu_count() counts the machine's cores, also in a container that may use two of them
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = container_cores(root)
    return bound if quota is None else max(min(bound, round(quota)), 1)


@contextmanager
def processes(count: int, preload: str = "", chunk: int = CHUNK) -> Iterator[Spread[Any, Any]]:
    """Yield `spread(function, items)`, which yields function(item) for each item, in order, by `count` processes.

    What it yields does not depend on `count`; with 1 all is done in this process. `function` is one of a module, or a
    `partial` of one; items and results are pickled on their way. Items go to a process `chunk` at a time, 1 where each
    takes long; nothing is read more than `AHEAD` chunks ahead. An error of `function` is raised here. The processes
    share the module `preload` and what it imports. They end with this one, however it ends.
    """
    if count <= 1:
        yield map
        return
    # fork would copy this process's memory and locks that its threads hold (torch has threads); a fork server is a
    # fresh process that has imported `preload` once for all children. macOS and Linux have one.
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context = get_context(method)
    if preload and method == "forkserver":
        context.set_forkserver_preload([preload])
    executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(current(),))
    try:
        yield lambda function, items: _in_order(executor, count * AHEAD, function, iter(items), chunk)
    finally:
        executor.shutdown(cancel_futures=True)


def _in_order(
    executor: ProcessPoolExecutor, ahead: int, function: Callable[[Item], Made], items: Iterator[Item], size: int
) -> Iterator[Made]:
    # not executor.map: that submits every item at once, and all of them would be in memory
    under_way: deque[Future[list[Made]]] = deque()
    while chunk := list(islice(items, size)):
        under_way.append(executor.submit(_apply, function, chunk))
        if len(under_way) >= ahead:
            yield from under_way.popleft().result()
    while under_way:
        yield from under_way.popleft().result()


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
