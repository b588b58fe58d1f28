"""A lock has one holder, also where processes die as they take it, on file systems without flock and without links."""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from shared.store.locking import looking, taking
from shared.store.locking.hold import Hold
from shared.store.locking.looking import TIMEOUT, look
from shared.store.locking.owner import Owner, new_owner
from shared.store.locking.taking import holding, pauses, sweep, take

Python = Callable[..., subprocess.CompletedProcess[str]]

DYING = """
import os, signal, sys
from pathlib import Path
from shared.store.locking.taking import take
assert take(Path(sys.argv[1])) is not None
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the lock is."""
    return tmp_path / ".x.lock"


def gone() -> Owner:
    """Return an owner that is known to be gone: another process has its number."""
    return replace(new_owner(), started=1)


def elsewhere() -> Owner:
    """Return an owner of which this machine knows nothing."""
    return replace(new_owner(), host="elsewhere")


def plant(path: Path, owner: Owner, beat: int = 0) -> None:
    """Leave the lock of `owner`."""
    path.write_bytes(owner.to_line() + b"%010d\n" % beat)


def taken(path: Path) -> Hold:
    """Return the lock, which must be free."""
    hold = take(path)
    assert hold is not None
    return hold


def soon(path: Path) -> Hold:
    """Return the lock, which must become free before long."""
    until = time.monotonic() + 30
    for _ in pauses():
        hold = take(path)
        if hold is not None:
            return hold
        assert time.monotonic() < until
    raise AssertionError("unreachable")


def test_one_holds_it_and_nothing_is_left(path: Path) -> None:
    """It is taken once, says by whom, is free after its release, and then no file is there."""
    hold = taken(path)
    assert take(path) is None
    held = look(path)
    assert held is not None
    assert (held.owner, held.alive) == (hold.owner, True)
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    hold.release()
    assert look(path) is None
    assert list(path.parent.iterdir()) == []
    taken(path).release()


def test_the_lock_of_a_killed_process_is_taken_over_at_once(path: Path, python: Python) -> None:
    """Nobody waits for the silence of a process that this machine knows to be gone."""
    assert python(DYING, path).returncode == -signal.SIGKILL
    left = look(path)
    assert left is not None
    assert left.alive is False
    taken(path).release()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("left", ["lock", "draft", "over", "over of over"])
def test_of_many_who_find_a_dead_lock_one_takes_it(left: str, path: Path) -> None:
    """One of eight holds it at a time, each in its turn, also where one was killed as it took the lock over."""
    together, inside, seen = Barrier(8), [], []

    def contend() -> None:
        together.wait()
        hold = soon(path)
        inside.append(1)
        seen.append(len(inside))
        inside.pop()
        hold.release()

    for _ in range(5):
        dead, killed, other = gone(), gone(), gone()
        plant(path, dead)
        over, draft = (path.with_name(f"{path.name}.{dead.token}.{kind}") for kind in ("over", "new"))
        if left == "draft":
            plant(draft, dead)
        if left.startswith("over"):
            plant(over, killed)
        if left == "over of over":
            plant(over.with_name(f"{over.name}.{killed.token}.over"), other)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: contend(), range(8)))
        draft.unlink(missing_ok=True)
        assert list(path.parent.iterdir()) == []
    assert seen == [1] * 40


def test_one_who_is_late_does_not_replace_a_living_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two find a dead lock; the slower one gets the right to replace it after the quicker has, and must see that."""
    dead = gone()
    plant(path, dead)
    quick: list[Hold] = []
    real = look

    def slow(found: Path) -> "looking.Holder | None":
        answer = real(found)
        if found == path and not quick:
            monkeypatch.setattr("shared.store.locking.taking.look", real)
            quick.append(taken(path))
        return answer

    monkeypatch.setattr("shared.store.locking.taking.look", slow)
    assert take(path) is None
    quick[0].check()
    quick[0].release()
    assert list(path.parent.iterdir()) == []


def test_silence_ends_a_lock_that_nobody_can_vouch_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of another machine is taken over after the time without a beat, not before; beats keep it."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    owner = elsewhere()
    plant(path, owner)
    for beat in range(3):
        plant(path, owner, beat)
        for _ in range(23):  # of 24 beats
            assert take(path) is None
            now[0] += 5.0
    assert (held := look(path)) is not None
    assert held.alive is True
    now[0] += 5.0
    assert (held := look(path)) is not None
    assert held.alive is False
    taken(path).release()


def test_sleep_of_the_observer_is_no_silence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slept for an hour between two looks has heard nothing for one beat, as had every other on it."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    plant(path, elsewhere())
    for _ in range(20):
        assert take(path) is None
        now[0] += 3600.0


def test_the_clock_of_another_machine_is_not_asked(path: Path) -> None:
    """A lock whose owner's clock is years behind, and whose file is as old, is not gone for that."""
    plant(path, replace(elsewhere(), since=0.0))
    os.utime(path, (0, 0))
    assert take(path) is None
    assert take(path) is None


def test_a_lock_that_names_nobody_goes_sooner(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file of an earlier version, or of one killed between making and writing it, holds nobody up for long."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    path.touch()
    for _ in range(2):
        assert take(path) is None
        now[0] += 5.0
    taken(path).release()
    assert list(path.parent.iterdir()) == []


def test_a_lock_beats_while_it_is_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file changes and keeps its length; another process that cannot see this one learns that it lives."""
    monkeypatch.setenv(TIMEOUT, "0.5")
    with holding(path) as hold:
        monkeypatch.setattr("shared.store.locking.owner.Machine.is_here", lambda machine: False)
        looking.own_tokens.discard(hold.owner.token)
        size = path.stat().st_size
        for _ in pauses():
            held = look(path)
            assert held is not None
            assert held.alive is not False
            if held.alive:
                break
        assert path.stat().st_size == size
        looking.own_tokens.add(hold.owner.token)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EIO])
def test_without_links_it_is_a_lock_all_the_same(number: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT, some FUSE and SMB volumes have no hard links: there too one process holds it, and dead ones are replaced."""

    def refused(*words: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.link", refused)
    hold = taken(path)
    assert take(path) is None
    # one that looked before the file was there
    looks = iter([None])
    monkeypatch.setattr(taking, "look", lambda path: next(looks, look(path)))
    assert take(path) is None
    hold.check()
    hold.release()
    plant(path, gone())
    taken(path).release()
    assert list(path.parent.iterdir()) == []


def test_a_draft_that_was_swept_is_done_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that sweeps takes a draft that is just being written for one that was left."""
    real = taking.write_file

    def swept(draft: Path, payload: bytes) -> None:
        draft.touch()
        sweep([draft])
        assert not draft.exists()

    monkeypatch.setattr(taking, "write_file", swept)
    hold = taken(path)
    monkeypatch.setattr(taking, "write_file", real)
    hold.check()
    assert take(path) is None
    hold.release()
    assert list(path.parent.iterdir()) == []


def test_a_link_whose_answer_was_lost_was_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS repeats a question whose answer does not come: the second answer is that the name is there."""
    real = os.link

    def twice(*words: Path) -> None:
        real(*words)
        real(*words)

    monkeypatch.setattr("os.link", twice)
    taken(path).release()
    assert list(path.parent.iterdir()) == []


def test_a_forked_process_holds_nothing(path: Path) -> None:
    """It neither gives up its parent's lock nor takes it for its own."""
    hold = taken(path)
    child = os.fork()
    if not child:
        refused = take(path) is None
        hold.release()
        os._exit(not refused)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    hold.check()
    hold.release()


def test_what_cannot_be_removed_is_free_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that fails leaves a file, which holds up neither this process nor another."""
    hold = taken(path)
    with monkeypatch.context() as patch:
        patch.setattr("shared.store.locking.hold.remove_file", lambda path: (_ for _ in ()).throw(OSError(errno.EIO)))
        hold.release()
    assert path.exists()
    taken(path).release()


def test_one_who_waits_gets_it_when_it_is_free(path: Path) -> None:
    """Waiting ends soon after the release."""
    hold, got = taken(path), Event()

    def wait() -> None:
        with holding(path):
            got.set()

    waiting = Thread(target=wait)
    waiting.start()
    assert not got.wait(0.05)
    hold.release()
    assert got.wait(5)
    waiting.join()


@pytest.mark.parametrize("said", ["", "0", "-1", "soon", "nan", "inf"])
def test_a_time_that_is_none_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout of 0 would take every lock over."""
    monkeypatch.setenv(TIMEOUT, said)
    with pytest.raises(Exception, match="want a number of seconds above 0") as raised:
        looking.timeout_s()
    assert raised.value.exit_code == 2  # type: ignore[attr-defined]
