"""Locks of artifacts, and of shards of the work on them: one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from shared.errors import Busy
from shared.format.files import unwritable
from shared.store.work_shards import Shard


@contextmanager
def locked(final: Path, part: Shard | None = None, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of an artifact, or of one part of the work on it; Busy if another process does.

    Makes the folder in which the artifact will lie; BadInput where nothing can be written there.
    A part is also refused while another process makes the whole, and the whole while another process does a part. With
    `wait` it waits for the lock of the artifact in place of all that: for a part that puts the parts together.
    """
    whole = FileLock(final.parent / f".{final.name}.lock")
    lock = whole if part is None else _part_lock(final, part.index)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if wait:
            lock.acquire()
        else:
            with probing(final):
                lock.acquire(timeout=0)
                if _held(whole) if part is not None else others_at_work(final):
                    raise Timeout(whole.lock_file)
    except OSError as error:
        lock.release()
        # filelock's Timeout is an OSError too, and comes also where the system refuses a new file as not found
        if not isinstance(error, Timeout) or not Path(error.lock_file).exists():
            raise unwritable(final.parent, error) from error
        raise Busy(f"{final}: another process is making it; wait for that one, then run this again") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def probing(final: Path) -> Iterator[None]:
    """Be the only one that looks at the locks: who tries one must not be taken for a process that works."""
    path = final.parent / f".{final.name}-looking.lock"
    path.touch()  # OSError where no file can be made, which FileLock would wait for
    with FileLock(path):
        yield


def _held(lock: FileLock) -> bool:
    """Whether another process holds a lock at this moment."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _part_lock(final: Path, index: int) -> FileLock:
    return FileLock(final.parent / f".{final.name}-part-{index}.lock")


def others_at_work(final: Path, but: Shard | None = None) -> bool:
    """Whether another process does a part of the work on an artifact at this moment."""
    mine = Path(_part_lock(final, but.index).lock_file) if but else None
    others = (path for path in final.parent.glob(f".{final.name}-part-*.lock") if path != mine)
    return any(_held(FileLock(path)) for path in others)
