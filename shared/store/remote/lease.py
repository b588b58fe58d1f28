"""Leases: who makes an artifact of a volume in a store has an object there that is renewed while the work goes on.

A lease saves work; it is the conditional put of the manifest that decides who commits. So clocks need agree to seconds
alone, and a machine that was away for longer than its lease may go on: it finds out before it commits.
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event, Thread

from shared.errors import Busy, HalfrealError, Lost
from shared.format.files import json_bytes
from shared.objects.client import Found, Version
from shared.objects.fetching import remote_of
from shared.store.locking.owner import new_owner
from shared.store.remote.mirror import Mirror, mirror_of
from shared.store.remote.pull import MANIFEST, pull

SECONDS = 60.0
"""How long a lease holds; it is renewed three times in that time."""

POLL_S = 2.0
LEASE = "lease.json"

tokens: dict[Path, str] = {}
"""The tokens of the leases that this process holds, by the artifact: in no file, which a killed one would leave."""


@dataclass(frozen=True)
class Lease:
    """Who makes an artifact: its `token` is one of this work alone; it runs out at `until`, in Unix time.

    `mirror` is the name of the machine's mirror, `renewed` how often it was renewed.
    """

    token: str
    mirror: str
    holder: str
    until: float
    renewed: int = 0

    def to_bytes(self) -> bytes:
        """Return the object's content: no two of them are equal."""
        return json_bytes(asdict(self))


@contextmanager
def leased(final: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lease of the artifact at `final`; the caller holds its lock on this machine.

    Nothing is done where the volume is a folder. Raises Busy where another machine has the lease, or has finished the
    artifact since it was looked at; with `wait` it waits, and brings what the other one has finished.
    """
    mirror = mirror_of(final)
    if mirror is None:
        yield
        return
    place = mirror.place(final)
    lease, version = _take(mirror, place, wait)
    tokens[final.absolute()] = lease.token
    ended = Event()
    renewing = Thread(target=_renew, args=(mirror, place, lease, version, ended), daemon=True)
    renewing.start()
    try:
        _look_again(mirror, final, wait)
        yield
    finally:
        ended.set()
        renewing.join()
        del tokens[final.absolute()]


def check_held(mirror: Mirror, final: Path) -> None:
    """Raise Lost unless this machine still has the lease of `final`."""
    place = mirror.place(final)
    found = mirror.store.get(f"{place}/{LEASE}")
    now = _parsed(found)
    if now is None or now.token != tokens.get(final.absolute()):
        by = f" by {now.holder}" if now is not None else ""
        raise Lost(
            f"{mirror.address}/{place}: taken over{by}: nothing was heard of this process; run the same command again"
        )


def _take(mirror: Mirror, place: str, wait: bool) -> tuple[Lease, Version]:
    """Return the lease of `place`, taken, and the version of its object; Busy while another machine has it."""
    while True:
        found = mirror.store.get(f"{place}/{LEASE}")
        other = _parsed(found)
        # that of this machine belongs to a process that is gone: the caller holds the lock
        if other is None or other.until <= time.time() or other.mirror == mirror.name:
            lease = Lease(uuid.uuid4().hex, mirror.name, str(new_owner()), time.time() + SECONDS)
            version = mirror.store.put_if(f"{place}/{LEASE}", lease.to_bytes(), found.version if found else None)
            if version is not None:
                return lease, version
        elif not wait:
            left_s = max(other.until - time.time(), 0)
            raise Busy(
                f"{mirror.address}/{place}: another process is making it: {other.holder}\n"
                f"wait for that one, then run this again; if it was killed, its lease ends in {left_s:.0f} s"
            )
        if not wait:
            continue  # somebody else was quicker by a moment: now the lease says who
        time.sleep(POLL_S)


def _renew(mirror: Mirror, place: str, lease: Lease, version: Version, ended: Event) -> None:
    """Renew a lease until the work has `ended`, then give it back; end where another machine took it."""
    key = f"{place}/{LEASE}"
    while not ended.wait(SECONDS / 3):
        # a store that does not answer is asked again: the lease may hold
        with suppress(HalfrealError):
            lease = replace(lease, until=time.time() + SECONDS, renewed=lease.renewed + 1)
            renewed = mirror.store.put_if(key, lease.to_bytes(), version)
            if renewed is None:
                return
            version = renewed
    # by a put on condition, not by deleting it: the lease of another machine stays
    with suppress(HalfrealError):
        mirror.store.put_if(key, replace(lease, until=0.0, renewed=lease.renewed + 1).to_bytes(), version)


def _look_again(mirror: Mirror, final: Path, wait: bool) -> None:
    """Raise Busy where the artifact has changed in the store since it was pulled; with `wait` pull it."""
    place, known = mirror.place(final), remote_of(final)
    now = mirror.store.version(f"{place}/{MANIFEST}")
    if (known is None and now is None) or (known is not None and known.version.is_same(now)):
        return
    if not wait:
        raise Busy(f"{mirror.address}/{place}: another machine has finished it meanwhile; run the same command again")
    pull(final)


def _parsed(found: Found | None) -> Lease | None:
    """Return the lease in an object; None where there is none, or something else."""
    if found is None:
        return None
    try:
        lease = Lease(**json.loads(found.payload))
        return lease if lease.holder.isprintable() else None  # it is shown in terminals
    except (ValueError, TypeError, AttributeError):
        return None
