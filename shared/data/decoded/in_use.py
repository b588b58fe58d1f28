"""Folders of decoded pixels for whoever uses or cleans them: their files, and the locks of their use. No torch.

Any number of processes use a folder at once, each with a lock of its own in it. Who cleans makes its lock first and
looks for those of users then; a user makes its own first and looks for one who cleans then: one of both sees the other.
"""

import errno
import time
import uuid
from contextlib import suppress
from pathlib import Path

from shared.disk.durable import make_folder, remove_file, remove_if_empty, write_file
from shared.store.locking.hold import Hold
from shared.store.locking.looking import look
from shared.store.locking.taking import pauses, sweep, take

PIXELS, LABELS, MARKS, WHOLE, USED = "pixels", "labels", "marks", "whole.json", "used"

CLEANING = "cleaning.lock"

UNHEARD_S = 3600.0
"""How old the last beat of a user may be of which nobody can tell whether it is still there."""


def use(folder: Path, *, make: bool) -> Hold | None:
    """Return the lock of one more use of `folder`, or None on a volume that is read only; OSError without a folder."""
    for _ in pauses():
        if make:
            make_folder(folder, parents=True)
        try:
            hold = take(folder / f"use-{uuid.uuid4().hex[:16]}.lock")
        except OSError as error:
            if make and isinstance(error, FileNotFoundError):
                continue  # cleaned away just now
            if not make and error.errno in (errno.EROFS, errno.EACCES):
                return None
            raise
        assert hold is not None  # no other process knows its name
        if not _is_held(folder / CLEANING):
            with suppress(OSError):
                sweep(_locks(folder))
                write_file(folder / USED, b"\n")  # its time is that of the last use
            return hold
        hold.release()
    raise AssertionError("unreachable")


def remove(folder: Path, mine: Hold | None = None) -> bool:
    """Delete a folder unless another process uses it, which `mine` is not; return whether it did."""
    try:
        cleaning = take(folder / CLEANING)
    except OSError:
        return False
    if cleaning is None:
        return False
    try:
        others = [path for path in _locks(folder) if path not in (cleaning.path, mine and mine.path)]
        if any(_is_held(path) for path in others):
            return False
        # by name, never a tree: nothing else is ours. The mark of a whole first, so that no half of one is left
        for path in (*(folder / name for name in (WHOLE, PIXELS, LABELS, MARKS, USED)), *others):
            with suppress(OSError):
                remove_file(path)
    finally:
        cleaning.release()
    if mine is not None:
        mine.release()
    remove_if_empty(folder)
    return True


def is_used(folder: Path) -> bool:
    """Whether a process has the pixels in `folder` open, as far as can be told."""
    return any(_is_held(path) for path in _locks(folder))


def _is_held(path: Path) -> bool:
    """Whether a process has a lock, as far as can be told; one that was not heard of for long has none."""
    try:
        held = look(path)
        if held is None or held.alive is not None:
            return held is not None and bool(held.alive)
        return time.time() - path.stat().st_mtime < UNHEARD_S
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _locks(folder: Path) -> list[Path]:
    """Return the locks in a folder, and drafts of them."""
    return sorted(folder.glob("*.lock*"))
