"""Looking at a lock without taking it: who holds it, and whether that process is still there.

Where the table of processes cannot tell, the beats of the lock do: its owner counts them in the file. What a process
has seen of a lock it remembers, so that silence is measured by its own clock; a clock of another machine is not asked.
"""

import errno
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from shared.errors import BadConfig
from shared.store.locking.owner import Owner, parsed

TIMEOUT = "HALFREAL_LOCK_TIMEOUT_S"
"""The variable with the seconds of silence after which a lock is taken over."""

TIMEOUT_S = 120.0
UNREADABLE_S = 10.0
"""The same for a lock that names nobody: its owner was killed as it made it, or an earlier version left it."""

BEATS = 24
"""How often a lock beats in the time after which its silence would end it."""

UNREADABLE = "unreadable"
"""The token of such a lock."""

LARGEST_BYTES = 4096
STALE_ATTEMPTS = 5


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, None where its file does not say. `alive` is None while nobody can tell whether it is there."""

    owner: Owner | None
    alive: bool | None

    @property
    def token(self) -> str:
        """What tells this hold of the lock from every other."""
        return self.owner.token if self.owner else UNREADABLE

    @property
    def longest_s(self) -> float:
        """The seconds of silence after which the lock is taken over."""
        return timeout_s() if self.owner else min(UNREADABLE_S, timeout_s())

    def __str__(self) -> str:
        return str(self.owner) if self.owner else "a process that its lock does not name"


@dataclass(frozen=True)
class _Seen:
    """What this process has seen of a lock: its last beat, the silence since, whether it ever beat meanwhile."""

    token: str
    beat: bytes
    looked_at: float
    quiet_s: float = 0.0
    has_beaten: bool = False


_seen: dict[Path, _Seen] = {}
_mutex = Lock()

own_tokens: set[str] = set()
"""The tokens of what this process holds."""


def _forget_all() -> None:
    """Start with nothing in a process that was forked: it holds no lock."""
    global _mutex  # a thread that is not here any more may have held it
    _mutex = Lock()
    own_tokens.clear()


os.register_at_fork(after_in_child=_forget_all)


def timeout_s() -> float:
    """Return after how many seconds of silence a lock is taken over; BadConfig where the variable is no such number."""
    said = os.environ.get(TIMEOUT)
    try:
        seconds = TIMEOUT_S if said is None else float(said)
        if not 0 < seconds < float("inf"):
            raise ValueError(said)
    except ValueError as error:
        raise BadConfig(f"{TIMEOUT}={said}: want a number of seconds above 0; without it, {TIMEOUT_S:g}") from error
    return seconds


def beat_s() -> float:
    """Return how many seconds lie between two beats."""
    return timeout_s() / BEATS


def look(path: Path) -> Holder | None:
    """Return who holds the lock `path`; None where nobody does. OSError where the file cannot be read."""
    content = read(path)
    if content is None:
        with _mutex:
            _seen.pop(path, None)
        return None
    owner, beat = content
    holder = Holder(owner, None)
    if holder.token in own_tokens:
        return replace(holder, alive=True)
    running = owner.is_running() if owner else None
    if running and owner and owner.pid == os.getpid():
        running = False  # this process has given it up, but could not remove the file
    return replace(holder, alive=_by_beats(path, holder, beat) if running is None else running)


def read(path: Path) -> tuple[Owner | None, bytes] | None:
    """Return the owner that a lock names and the bytes of its beat; None where there is no such file."""
    for attempt in range(STALE_ATTEMPTS):
        try:
            # not blocked by a pipe that somebody has put there
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                line, _, beat = os.read(descriptor, LARGEST_BYTES).partition(b"\n")
            finally:
                os.close(descriptor)
            return parsed(line), beat
        except FileNotFoundError:
            return None
        except OSError as error:
            # on a network file system the file was replaced meanwhile
            if error.errno != errno.ESTALE or attempt == STALE_ATTEMPTS - 1:
                error.filename = str(path)  # a read does not name it
                raise
    raise AssertionError("unreachable")


def _by_beats(path: Path, holder: Holder, beat: bytes) -> bool | None:
    """Whether a lock beats: None until it did or was silent long enough."""
    now = time.monotonic()
    with _mutex:
        before = _seen.get(path)
        if before is None or before.token != holder.token:
            _seen[path] = _Seen(holder.token, beat, now)
            return None
        if before.beat != beat:
            seen = replace(before, beat=beat, looked_at=now, quiet_s=0.0, has_beaten=True)
        else:
            # a machine that slept since the last look saw no more silence than between two beats
            quiet_s = before.quiet_s + min(now - before.looked_at, beat_s())
            seen = replace(before, looked_at=now, quiet_s=quiet_s)
        _seen[path] = seen
    if seen.quiet_s >= holder.longest_s:
        return False
    return True if seen.has_beaten else None
