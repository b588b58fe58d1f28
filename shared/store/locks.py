"""Locks of artifacts, and of shards of the work on them: one process at a time. How they work: see `locking`."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from enum import Enum
from pathlib import Path

from shared.disk.durable import make_folder, unwritable
from shared.errors import Busy
from shared.runtime.observe.log import say
from shared.store.locking.hold import Hold, holds
from shared.store.locking.looking import Holder, look
from shared.store.locking.taking import holding, pauses, sweep, take, wait_for
from shared.store.remote.lease import leased
from shared.store.work_shards import FOLDER, Shard, has_begun

PART = r"-part-\d+\.lock"
"""How the name of a shard's lock goes on after that of the artifact."""


@contextmanager
def locked(
    final: Path, shard: Shard | None = None, *, wait: bool = False, entered: Callable[[], None] | None = None
) -> Iterator[Hold]:
    """Hold the lock of an artifact, or of one shard of the work on it; Busy if another process does.

    Makes the folder in which the artifact will be; BadInput where nothing can be written there. A shard is also refused
    while another process makes the whole, and the whole while another process does a shard. Where it cannot be told
    whether that process still runs, as on another machine, its lock is watched until it beats or was silent too long.
    With `wait` it waits for the lock of the artifact in any case: for the process that gathers the shards. `entered` is
    called with the lock of a shard before any other process can take or look for one.
    """
    try:
        make_folder(final.parent, parents=True)
        hold = wait_for(_whole(final)) if wait else _entered(final, shard, entered)
    except OSError as error:
        raise unwritable(final.parent, error) from error
    try:
        hold.guard()
        with suppress(OSError):  # nobody waits for what is left
            sweep_locks(final)
        # on a volume in an object store other machines are kept off too; shards are processes of one machine
        with leased(final, wait=wait) if shard is None else nullcontext():
            yield hold
    finally:
        hold.release()


def _entered(final: Path, shard: Shard | None, entered: Callable[[], None] | None) -> Hold:
    """Return the lock of an artifact or of a shard, taken; Busy where another process is at work on it."""
    mine, is_told = _whole(final) if shard is None else _part(final, shard.index), False
    for _ in pauses():
        with probing(final):
            # its own lock first: a process that looks from now on sees this one at work
            hold = take(mine)
            in_the_way = _parts(final) if shard is None else [_whole(final)]
            others = _at_work([mine] if hold is None else in_the_way)
            if hold is not None and not others:
                try:
                    if entered is not None:
                        entered()
                except BaseException:
                    hold.release()
                    raise
                return hold
            if hold is not None:
                hold.release()
        alive = [holder for holder in others if holder.alive]
        if alive:
            raise Busy(f"{final}: another process is making it: {alive[0]}\nwait for that one, then run this again")
        if others and not is_told:
            is_told = True
            say(
                "lock_watched",
                f"{final}: locked by {others[0]}; "
                f"it is taken over if nothing is heard of it for {others[0].longest_s:g} s",
            )
    raise AssertionError("unreachable")


@contextmanager
def probing(final: Path) -> Iterator[None]:
    """Serialise who takes and who looks for locks of an artifact and of its shards, so that of two one is first."""
    with holding(final.parent / f".{final.name}-looking.lock"):
        yield


def holder(final: Path) -> Holder | None:
    """Return who makes an artifact as a whole at this moment; None where nobody does. The lock is not taken."""
    return look(_whole(final))


def part_holders(final: Path) -> dict[int, Holder]:
    """Return who does which shard of the work on an artifact at this moment, by the number of the shard."""
    found = {int(path.stem.rpartition("-")[2]): look(path) for path in _parts(final)}
    return {index: held for index, held in found.items() if held is not None}


def check_held(final: Path) -> None:
    """Raise Lost where another process has taken over what this one holds of an artifact."""
    own = re.compile(rf"\.{re.escape(final.name)}({PART}|\.lock)")
    for hold in holds():
        if hold.path.parent == final.parent and own.fullmatch(hold.path.name):
            hold.check()


def sweep_locks(final: Path) -> None:
    """Remove the locks of an artifact and of its shards whose owners are known to be gone."""
    sweep(_files(final, r"(-part-\d+|-looking)?\.lock(\..+)?"))


def shard_at_work(final: Path, index: int) -> bool:
    """Whether another process does shard number `index` of the work on an artifact, as far as can be told."""
    return bool(_at_work([_part(final, index)]))


def others_at_work(final: Path, but: Shard) -> bool:
    """Whether another process does a shard of the work on an artifact at this moment, other than `but`."""
    return bool(_at_work([path for path in _parts(final) if path != _part(final, but.index)]))


def _at_work(paths: list[Path]) -> list[Holder]:
    """Return who holds some of these locks; not those that are known to be gone."""
    # every one is looked at, so that the silence of all is measured at once
    there = [look(path) for path in paths]
    return [held for held in there if held is not None and held.alive is not False]


def _whole(final: Path) -> Path:
    return final.parent / f".{final.name}.lock"


def _part(final: Path, index: int) -> Path:
    return final.parent / f".{final.name}-part-{index}.lock"


def _parts(final: Path) -> list[Path]:
    return _files(final, PART)


def _files(final: Path, rest: str) -> list[Path]:
    """Return the files next to an artifact whose names begin with its own and go on like the pattern `rest`."""
    name = re.compile(rf"\.{re.escape(final.name)}{rest}")
    try:
        return sorted(path for path in final.parent.iterdir() if name.fullmatch(path.name))
    except FileNotFoundError:
        return []


class PartState(Enum):
    """What is known of the process that does a part of the work: it may still come, is at work, or ended unfinished."""

    NOT_BEGUN = "not begun"
    AT_WORK = "at work"
    ENDED = "ended"


def part_state(staging: Path, index: int) -> PartState:
    """Return the state of another part of the work in the folder `staging`."""
    name, _, _ = staging.name.removeprefix(".").rpartition("-")
    if not has_begun(staging, index):
        return PartState.NOT_BEGUN
    return PartState.AT_WORK if shard_at_work(staging.parent / name, index) else PartState.ENDED


@contextmanager
def claimed(staging: Path, index: int) -> Iterator[bool]:
    """Hold the claim on a part of the work in the folder `staging`; yield False where another process holds it.

    The part's own process holds it while it works on its pieces, or one that takes over what an ended one left.
    """
    try:
        hold = take(staging / FOLDER / f"claim-{index:05d}.lock")
    except OSError:
        if (staging / FOLDER).is_dir():
            raise
        hold = None  # another process has committed
    try:
        yield hold is not None
    finally:
        if hold is not None:
            hold.release()
