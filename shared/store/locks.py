"""Locks of artifacts, and of shards of the work on them: one process at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import Enum
from pathlib import Path

from filelock import FileLock, Timeout

from shared.disk.durable import make_folder, unwritable
from shared.errors import BadInput, Busy
from shared.store.remote.lease import leased
from shared.store.work_shards import FOLDER, Shard, has_begun


@contextmanager
def locked(
    final: Path, shard: Shard | None = None, *, wait: bool = False, entered: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the lock of an artifact, or of one shard of the work on it; Busy if another process does.

    Makes the folder in which the artifact will be; BadInput where nothing can be written there. A shard is also refused
    while another process makes the whole, and the whole while another process does a shard. With `wait` it waits for
    the lock of the artifact instead: for the process that gathers the shards. `entered` is called with the lock of a
    shard before any other process can take or probe one.
    """
    whole = FileLock(final.parent / f".{final.name}.lock")
    lock = whole if shard is None else _shard_lock(final, shard.index)
    try:
        make_folder(final.parent, parents=True)
        if wait:
            lock.acquire()
        else:
            with probing(final):
                # its own lock first: a process that probes from now on sees this one at work
                lock.acquire(timeout=0)
                if _held(whole) if shard is not None else others_at_work(final):
                    raise Timeout(whole.lock_file)
                if entered is not None:
                    entered()
    except BadInput:
        lock.release()
        raise
    except OSError as error:
        lock.release()
        # filelock's Timeout is an OSError too, and is also raised where the system refuses a new file as not found
        if not isinstance(error, Timeout) or not Path(error.lock_file).exists():
            raise unwritable(final.parent, error) from error
        raise Busy(f"{final}: another process is making it; wait for that one, then run this again") from error
    try:
        # on a volume in an object store other machines are kept off too; shards are processes of one machine
        with leased(final, wait=wait) if shard is None else nullcontext():
            yield
    finally:
        lock.release()


@contextmanager
def probing(final: Path) -> Iterator[None]:
    """Serialise lock probing, so that a probe is not mistaken for a worker."""
    path = final.parent / f".{final.name}-looking.lock"
    path.touch()  # OSError where no file can be made, which FileLock would wait for
    with FileLock(path):
        yield


def _held(lock: FileLock) -> bool:
    """Whether another process holds a lock at this moment."""
    # flock(2) cannot be queried: the only way to know is to take the lock, which `probing` keeps others from noticing
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _shard_lock(final: Path, index: int) -> FileLock:
    return FileLock(final.parent / f".{final.name}-part-{index}.lock")


def shard_at_work(final: Path, index: int) -> bool:
    """Whether another process does shard number `index` of the work on an artifact; the caller holds `probing`."""
    return _held(_shard_lock(final, index))


def others_at_work(final: Path, but: Shard | None = None) -> bool:
    """Whether another process does a shard of the work on an artifact at this moment."""
    mine = Path(_shard_lock(final, but.index).lock_file) if but else None
    others = (path for path in final.parent.glob(f".{final.name}-part-*.lock") if path != mine)
    return any(_held(FileLock(path)) for path in others)


class PartState(Enum):
    """What is known of the process that does a part of the work: it may still come, is at work, or ended unfinished."""

    NOT_BEGUN = "not begun"
    AT_WORK = "at work"
    ENDED = "ended"


def part_state(staging: Path, index: int) -> PartState:
    """Return the state of another part of the work in the folder `staging`."""
    name, _, _ = staging.name.removeprefix(".").rpartition("-")
    final = staging.parent / name
    if not has_begun(staging, index):
        return PartState.NOT_BEGUN
    with probing(final):
        return PartState.AT_WORK if shard_at_work(final, index) else PartState.ENDED


@contextmanager
def claimed(staging: Path, index: int) -> Iterator[bool]:
    """Hold the claim on a part of the work in the folder `staging`; yield False where another process holds it.

    The part's own process holds it while it works on its pieces, or one that takes over what an ended one left.
    """
    lock = FileLock(staging / FOLDER / f"claim-{index:05d}.lock")
    try:
        lock.acquire(timeout=0)
    except OSError:  # Timeout is one; others where the folder is gone, because another process has committed
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
