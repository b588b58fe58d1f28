"""Ctrl-C while a process starts: it goes to all of a terminal, also to what is only importing yet."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Start processes that get no Ctrl-C before they take it: Python would show where in its imports it was."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_interrupts() -> None:
    """Take what came meanwhile, and from here on: KeyboardInterrupt is raised here if there was one."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
