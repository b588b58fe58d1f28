"""Holds: the locks that this process has. One thread counts the beats of all of them while there are any."""

import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from shared.disk.durable import remove_file
from shared.disk.steps import before_each_step
from shared.errors import Lost
from shared.store.locking.looking import LARGEST_BYTES, beat_s, own_tokens, read, timeout_s
from shared.store.locking.owner import new_owner, parsed

# one that counts the sleep of the machine too, during which others may have taken a lock over
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_LOST = float("-inf")


class Hold:
    """A lock that this process has, until `release`; `path` is its file and `payload` what is in that at first."""

    def __init__(self, path: Path) -> None:
        self.path, self.owner = path, new_owner()
        self.payload = self.owner.to_line() + _written(0)
        self._beats = 0
        self._heard_at = time.clock_gettime(_CLOCK)

    def check(self) -> None:
        """Raise Lost where another process has taken the lock over: this one was stopped, or cut off from the volume.

        OSError where the lock cannot be read.
        """
        found = read(self.path)
        if found is None or found[0] is None or found[0].token != self.owner.token:
            self._heard_at = _LOST  # from now on the guard knows, too
            by = f" by {found[0]}" if found else ""
            raise Lost(f"{self.path}: taken over{by}: nothing was heard of this process; run the same command again")

    def guard(self) -> None:
        """From now on let no durable step of this process be made once the lock is lost."""
        _guarding.add(self)

    def check_if_late(self) -> None:
        """Check the lock where so long has passed since its last beat that it may be lost."""
        if time.clock_gettime(_CLOCK) - self._heard_at > timeout_s() / 2:
            self.check()

    def beat(self) -> None:
        """Count one more beat, if the lock is still this process's."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        except FileNotFoundError:
            self._heard_at = _LOST
            return
        try:
            line, _, _ = os.read(descriptor, LARGEST_BYTES).partition(b"\n")
            owner = parsed(line)
            if owner is None or owner.token != self.owner.token:
                self._heard_at = _LOST
                return
            self._beats += 1
            os.pwrite(descriptor, _written(self._beats), len(line) + 1)
        finally:
            os.close(descriptor)
        self._heard_at = time.clock_gettime(_CLOCK)

    def release(self) -> None:
        """Give the lock up. Nothing is done where that was done, where it was lost, or in a forked process."""
        if self.owner.token not in own_tokens:
            return
        _guarding.discard(self)
        _stop_beating(self)
        try:
            self.check()
            remove_file(self.path)
        except (Lost, OSError):
            pass  # whoever comes next sees that this process has it no more
        finally:
            own_tokens.discard(self.owner.token)


def _written(beat: int) -> bytes:
    # all of one length, since each is written over the last one
    return b"%010d\n" % beat


_beating: set[Hold] = set()
_guarding: set[Hold] = set()
_mutex = Lock()
_ended = Event()


def begin_beating(hold: Hold) -> None:
    """Let a lock that was just taken beat until its release."""
    global _ended  # of the one thread of this process
    with _mutex:
        _beating.add(hold)
        if len(_beating) == 1:
            _ended = Event()
            Thread(target=_beat, args=(_ended,), name="locks", daemon=True).start()


def _stop_beating(hold: Hold) -> None:
    with _mutex:
        _beating.discard(hold)
        if not _beating:
            _ended.set()


def _beat(ended: Event) -> None:
    while not ended.wait(beat_s()):
        for hold in list(_beating):
            with suppress(OSError):  # it is tried again: no other process takes a lock over for a beat or two
                hold.beat()


def _guard() -> None:
    for hold in list(_guarding):
        hold.check_if_late()


before_each_step(_guard)


def holds() -> list[Hold]:
    """Return what this process holds."""
    with _mutex:
        return list(_beating)


def _forget_all() -> None:
    """Start with nothing in a process that was forked: it holds no lock, and no thread beats there."""
    global _mutex  # a thread that is not here any more may have held it
    _mutex = Lock()
    _beating.clear()
    _guarding.clear()


os.register_at_fork(after_in_child=_forget_all)
