"""Taking a lock: its file is made whole in one step, or takes the place of that of a process that is gone.

A lock is the name of a file, which only one process can make: a second name, by link(2), of a draft that was written
before, so that nobody sees half of one; where a file system has no links, the file is made by O_EXCL and then written.

A lock whose owner is gone is replaced by rename(2). Two processes may find that at once, and the slower one must not
replace the lock of the quicker: so who wants to replace the lock of token T first makes the file `<lock>.T.over`, which
is a lock too, and looks again. That file is the one that is renamed. If it was left by a process that was killed, it is
taken over in the same way.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.disk.durable import link, remove_file, rename, write_file
from shared.disk.steps import step
from shared.store.locking.hold import Hold, begin_beating
from shared.store.locking.looking import UNREADABLE, beat_s, look, own_tokens, read

DRAFT = ".new"

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.5


def take(path: Path) -> Hold | None:
    """Return the lock `path`, taken; None where another process, or a thread of this one, has it or may have it.

    OSError where no file can be made there.
    """
    hold = Hold(path)
    own_tokens.add(hold.owner.token)  # before the file is there, which other threads would see as nobody's
    try:
        taken = _is_taken(hold)
    except BaseException:
        own_tokens.discard(hold.owner.token)
        raise
    if not taken:
        own_tokens.discard(hold.owner.token)
        return None
    begin_beating(hold)
    return hold


def wait_for(path: Path) -> Hold:
    """Return the lock `path`, taken as soon as no other process has it; OSError where no file can be made there."""
    for _ in pauses():
        hold = take(path)
        if hold is not None:
            return hold
    raise AssertionError("unreachable")


@contextmanager
def holding(path: Path) -> Iterator[Hold]:
    """Wait for the lock `path` and hold it; OSError where no file can be made there."""
    hold = wait_for(path)
    try:
        yield hold
    finally:
        hold.release()


def pauses() -> Iterator[None]:
    """Yield at once, then after pauses that grow: for one who waits for a lock."""
    pause_s = SHORTEST_PAUSE_S
    while True:
        yield
        # never so long that a beat is missed
        time.sleep(min(pause_s, beat_s()))
        pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)


def sweep(paths: Iterable[Path]) -> None:
    """Remove those of some locks and drafts of locks that processes left which are known to be gone."""
    for path in paths:
        held = look(path)
        if held is None:
            continue
        if path.suffix == DRAFT:
            # one that is not whole is nobody's loss: a process that is writing it makes its lock without it
            if held.owner is None or held.alive is False:
                remove_file(path)
        elif held.alive is False and (hold := take(path)) is not None:
            hold.release()


def listen(paths: Iterable[Path]) -> None:
    """Wait until it is known of each of some locks whether somebody holds it: by its beats, or by silence."""
    there = list(paths)
    for _ in pauses():
        # every one is looked at, so that the silence of all is measured at once
        if not [None for held in map(look, there) if held is not None and held.alive is None]:
            return


def _is_taken(hold: Hold) -> bool:
    step("lock", hold.path)
    while True:
        there = look(hold.path)
        if there is None:
            if _is_made(hold.path, hold):
                return True
        elif there.alive is False:
            return _replaced(hold.path, there.token, hold)
        else:
            return False


def _is_made(path: Path, hold: Hold) -> bool:
    """Make the lock file `path` as that of `hold`; False where another process was quicker."""
    draft = path.with_name(f"{path.name}.{hold.owner.token}{DRAFT}")
    try:
        write_file(draft, hold.payload)
        try:
            link(draft, path)
        except FileExistsError:
            # the answer to a link that was made may be lost, and the question repeated
            return _token(path) == hold.owner.token
        except OSError:
            # a file system without links, a draft that was swept, or something is broken: this says which
            return _is_made_alone(path, hold)
    finally:
        remove_file(draft)
    return True


def _is_made_alone(path: Path, hold: Hold) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, hold.payload)
    except BaseException:
        remove_file(path)
        raise
    finally:
        os.close(descriptor)
    return True


def _replaced(path: Path, token: str, hold: Hold) -> bool:
    """Make `hold` the owner of the lock `path` in the place of the one with `token`, which is gone.

    False where another process does that, or has done it.
    """
    over = path.with_name(f"{path.name}.{token}.over")
    if not _is_made(over, hold):
        there = look(over)
        if there is None or there.alive is not False or not _replaced(over, there.token, hold):
            return False
    if _token(path) != token:
        remove_file(over)
        return False
    rename(over, path)
    return True


def _token(path: Path) -> str | None:
    found = read(path)
    if found is None:
        return None
    return found[0].token if found[0] else UNREADABLE
