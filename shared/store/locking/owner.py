"""Who holds a lock: the process, as precisely as its machine can name it, and whether it is still there."""

import json
import os
import socket
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from shared.runtime.observe.identity import current

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class Machine:
    """Where a process number means something: a host, one start of it, one of its pid namespaces.

    What the system does not tell is empty: such a machine is not known to be the same as any other.
    """

    host: str
    boot_id: str
    pid_ns: str

    def is_here(self) -> bool:
        """Whether this process is on the same machine, and sees the same process numbers."""
        return self == machine(os.getpid()) and bool(self.boot_id and self.pid_ns)


@dataclass(frozen=True)
class Owner:
    """What a lock says of the process that holds it; `token` is one of this hold alone, `since` is Unix time.

    `started` is when the process started, in the clock ticks of its machine: with it a number that another process has
    by now is told from the owner's.
    """

    token: str
    host: str
    boot_id: str
    pid_ns: str
    pid: int
    started: int
    job: str
    since: float

    @property
    def machine(self) -> Machine:
        """Where it runs."""
        return Machine(self.host, self.boot_id, self.pid_ns)

    def is_running(self) -> bool | None:
        """Whether the process is there; None where it cannot be told: on another machine, or where it is stopped."""
        if not self.machine.is_here():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # another user's
        state, started = _state_of(self.pid)
        if started == 0:  # the system hides processes of other users
            return None
        if started != self.started or state in "ZX":
            return False
        return None if state in "Tt" else True

    def to_line(self) -> bytes:
        """Return a line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    def __str__(self) -> str:
        when = time.localtime(self.since)
        day = "" if when[:3] == time.localtime()[:3] else time.strftime("%Y-%m-%d ", when)
        return f"{self.job}, pid {self.pid} on host {self.host}, since {day}{time.strftime('%H:%M', when)}"


def new_owner() -> Owner:
    """Return this process as the owner of a lock that it is about to take."""
    here, (_, started) = machine(os.getpid()), _state_of(os.getpid())
    job = current().job or Path(sys.argv[0] or sys.executable).name
    return Owner(uuid.uuid4().hex[:16], here.host, here.boot_id, here.pid_ns, os.getpid(), started, job, time.time())


def parsed(line: bytes) -> Owner | None:
    """Return the owner that a line of a lock names; None where the line is something else."""
    try:
        owner = Owner(**json.loads(line))
        texts = (owner.token, owner.host, owner.boot_id, owner.pid_ns, owner.job)
        # it is shown in terminals, and the token becomes part of a file's name
        usable = all(text.isprintable() for text in texts) and owner.token.isalnum()
        numbers = isinstance(owner.pid, int) and 0 < owner.pid < 1 << 31 and isinstance(owner.started, int)
        time.localtime(owner.since)
        return owner if usable and numbers else None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


@lru_cache(maxsize=1)
def machine(pid: int) -> Machine:
    """Return where this process, number `pid`, runs; a process that was forked may be in another namespace."""
    try:
        return Machine(socket.gethostname(), BOOT_ID.read_text("ascii").strip(), str(PID_NAMESPACE.readlink()))
    except OSError:  # no Linux
        return Machine(socket.gethostname(), "", "")


def _state_of(pid: int) -> tuple[str, int]:
    """Return the state of a process, a letter as ps(1) shows it, and when it started; ("", 0) where nothing is told."""
    try:
        # after the name of the program, which may hold spaces and parentheses
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0].decode(), int(fields[19])
    except (OSError, IndexError, ValueError):
        return "", 0
