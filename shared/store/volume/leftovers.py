"""What is on a volume and in no use any more: unfinished work, drafts, locks, folders that were replaced.

Nothing of it is a finished artifact. What is held by a job that is at work is marked so, and is never removed.
"""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from shared.disk.durable import remove_file, remove_tree
from shared.errors import Busy
from shared.format.manifest import MANIFEST
from shared.store.locking.looking import Holder, look
from shared.store.locking.taking import listen, sweep
from shared.store.locks import holder, locked, part_holders
from shared.store.unfinished import final_of
from shared.store.volume.room import Taken, taken_by

UNFINISHED, REPLACED, DRAFT, LOCK = "unfinished work", "replaced", "draft", "lock"

FOREIGN = ("sources", "weights")
"""Folders of a volume with what halfreal has not made."""

_REPLACED = re.compile(r"\.(?P<final>.+)[-.]replaced")
_DRAFT = re.compile(r"\.(?P<final>.+)(\.part|-pulled|-removed)")

_LOCK = re.compile(r"\.(?P<final>.+?)(-part-[0-9]+|-looking)?\.lock(\..+)?")

YOUNGEST_S = 3600.0
"""The least age of a draft that is removed, and of a lock that names nobody: who makes one holds no lock of it."""


@dataclass(frozen=True)
class Leftover:
    """Something to clean: what it is, of which artifact or file, what it takes, and whether a job is at work on it."""

    kind: str
    path: Path
    final: Path
    taken: Taken
    held: bool = False

    @property
    def unused_s(self) -> float:
        """How many seconds ago something in it was written."""
        return max(time.time() - self.taken.written, 0.0)


def leftovers(root: Path) -> Iterator[Leftover]:
    """Yield what is left over at and below the folder `root`, in the order of its names.

    Finished artifacts are not looked into, and links are not followed.
    """
    for folder, hidden, files in _folders(root):
        for each in hidden:
            if (found := _of_folder(folder / each)) is not None:
                yield found
        for each in files:
            if named := _LOCK.fullmatch(each):
                lock = _of_lock(folder / each, folder / named["final"])
                if not lock.held:  # what it is the lock of is listed as in use
                    yield lock
            elif named := _DRAFT.fullmatch(each):
                yield _of_file(folder / each, folder / named["final"])


def doubtful_locks(root: Path) -> list[Path]:
    """Return the locks at and below `root` that were not written for an hour, of processes on other machines.

    It takes some time to hear whether these are still there: see `listen`.
    """
    names = [(folder / each, folder) for folder, _, files in _folders(root) for each in files if _LOCK.fullmatch(each)]
    old = [path for path, folder in names if not _of_file(path, folder).held]
    return [path for path in old if (found := look(path)) and found.owner is not None and found.alive is None]


def _folders(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield each folder of a volume in which something may be left over, with its hidden folders and its files."""
    for name, below, files in os.walk(root):
        folder = Path(name)
        hidden = sorted(each for each in below if each.startswith("."))
        foreign = FOREIGN if folder == root else ()
        below[:] = sorted(each for each in below if each not in foreign and not each.startswith("."))
        if MANIFEST in files:
            below.clear()
        else:
            yield folder, hidden, sorted(files)


def _of_folder(folder: Path) -> Leftover | None:
    """Return what a hidden folder is; None where it is nothing that may go."""
    kind, final = UNFINISHED, final_of(folder)
    if named := _REPLACED.fullmatch(folder.name):
        kind, final = REPLACED, folder.parent / named["final"]
        if not final.exists():  # a job that was killed between two renames: this may be all that there is
            return None
    elif named := _DRAFT.fullmatch(folder.name):
        kind, final = DRAFT, folder.parent / named["final"]
    return None if final is None else Leftover(kind, folder, final, taken_by(folder), is_held(final))


def _of_file(path: Path, final: Path, kind: str = DRAFT) -> Leftover:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:  # it has its own name by now, or was given up
        return Leftover(kind, path, final, Taken(0, time.time()), held=True)
    return Leftover(kind, path, final, Taken(found.st_size, found.st_mtime), time.time() - found.st_mtime < YOUNGEST_S)


def _of_lock(path: Path, final: Path) -> Leftover:
    """Return what a lock is: in use unless its owner is known to be gone, or it has named nobody for an hour."""
    try:
        held = look(path)
    except OSError:
        held = Holder(None, None)
    lock = _of_file(path, final, LOCK)
    return lock if held is None or held.owner is None else replace(lock, held=held.alive is not False)


def is_held(final: Path) -> bool:
    """Whether a job is, or may be, at work on the artifact `final` or a part of it; `remove` asks again."""
    holders = [holder(final), *part_holders(final).values()]
    return any(each is not None and each.owner is not None and each.alive is not False for each in holders)


def remove(leftover: Leftover) -> bool:
    """Remove what is left over; return False where a job has begun to work with it meanwhile."""
    try:
        if leftover.kind == LOCK:
            listen([leftover.path])
            sweep([leftover.path])
            return look(leftover.path) is None
        if leftover.path.is_dir():
            with locked(leftover.final):
                remove_tree(leftover.path, strict=True)
        else:
            remove_file(leftover.path)
    except Busy:
        return False
    return True
