"""A process that was not heard of loses its lock: it ends with 75, and what the next one makes is not touched."""

import errno
import fcntl
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from shared.disk import steps
from shared.disk.durable import write_whole
from shared.errors import BadInput, Busy, HalfrealError, Lost
from shared.format.manifest import MANIFEST
from shared.store.locking import looking
from shared.store.locking.looking import TIMEOUT
from shared.store.locking.owner import Owner, new_owner
from shared.store.locks import holder, locked, part_holders
from shared.store.staging import BuildKey, finished, stage
from shared.store.work_shards import Shard

KEY = BuildKey("train", "model", {"epochs": 2})


def plant(path: Path, owner: Owner) -> None:
    """Leave the lock of `owner`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(owner.to_line() + b"%010d\n" % 0)


def elsewhere() -> Owner:
    """Return an owner of which this machine knows nothing."""
    return replace(new_owner(), host="elsewhere", job="train_gan", pid=41)


def lose(final: Path) -> None:
    """Let another process take over the lock of `final`."""
    plant(final.parent / f".{final.name}.lock", elsewhere())


@pytest.mark.parametrize("resumable", [True, False])
def test_one_who_lost_the_lock_commits_nothing(resumable: bool, final: Path) -> None:
    """No manifest is written and nothing removed: the folder is the work of the one who has taken it over."""
    with pytest.raises(Lost, match="by train_gan, pid 41 on host elsewhere"):
        build(final, resumable)
    [folder] = final.parent.glob(".gan-*")
    assert not final.exists()
    assert {path.name for path in folder.iterdir()} == {"weights", *[".key.json"] * resumable}
    assert (final.parent / ".gan.lock").exists()


def build(final: Path, resumable: bool) -> None:
    """Make an artifact, and lose the lock before the commit."""
    with stage(final, KEY, resumable=resumable) as work:
        (work.folder / "weights").write_text("w")
        lose(final)
        work.commit()


def test_the_lock_is_read_again_before_the_rename(final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who loses it between manifest and rename leaves the final name alone."""

    def late(path: Path, payload: bytes) -> None:
        write_whole(path, payload)
        if path.name == MANIFEST:
            lose(final)

    monkeypatch.setattr("shared.store.staging.write_whole", late)
    with pytest.raises(Lost), stage(final, KEY, resumable=True) as work:
        work.commit()
    assert not final.exists()


def test_a_part_that_lost_its_lock_commits_nothing(final: Path) -> None:
    """Nor does one of several parts."""
    with stage(final, KEY, resumable=True, shard=Shard(0, 2)) as work:
        plant(final.parent / ".gan-part-0.lock", elsewhere())
        with pytest.raises(Lost):
            work.commit()
    assert not final.exists()


def test_after_the_loss_no_durable_step_is_made(final: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who was stopped for long looks before it writes anything at all, such as a checkpoint."""
    monkeypatch.setenv(TIMEOUT, "1000")
    with locked(final) as hold:
        write_whole(tmp_path / "before", b"")
        lose(final)
        monkeypatch.setattr(hold, "_heard_at", hold._heard_at - 501)
        with pytest.raises(Lost):
            write_whole(tmp_path / "after", b"")
    write_whole(tmp_path / "later", b"")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"before", "later"}


STOPPED = """
import sys, time
from pathlib import Path
from shared.cli.exit_codes import exit_with
from shared.disk import steps
from shared.disk.durable import write_whole
from shared.store.staging import BuildKey, stage

def work():
    with stage(Path(sys.argv[1]), BuildKey("train", "model", {"epochs": 2}), resumable=True) as work:
        number = 0
        while True:
            write_whole(work.folder / "weights", str(number).encode())
            print(number := number + 1, flush=True)
            time.sleep(0.01)

exit_with(work)
"""


@contextmanager
def begun(*words: object) -> Iterator["subprocess.Popen[str]"]:
    """Start a process, yield it once it has written a line, and kill it at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*map(str, words)], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("timeout_s", "stopped_s"), [(1.5, 0.0), pytest.param(120.0, 180.0, marks=pytest.mark.long)])
def test_a_stopped_process_is_taken_over_and_ends_with_75(
    timeout_s: float, stopped_s: float, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP; another process goes on with the work; after SIGCONT the first one writes nothing and ends with 75."""
    monkeypatch.setenv(TIMEOUT, str(timeout_s))
    with begun(sys.executable, "-c", STOPPED, final) as first:
        os.kill(first.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, first.pid, os.WSTOPPED)
        started = time.monotonic()
        with stage(final, KEY, resumable=True) as work:
            assert time.monotonic() - started >= timeout_s
            assert (work.folder / "weights").exists()
            (work.folder / "weights").write_text("mine")
            time.sleep(max(started + stopped_s - time.monotonic(), 0.0))
            os.kill(first.pid, signal.SIGCONT)
            _, said = first.communicate(timeout=60)
            assert first.returncode == 75
            assert f"taken over by {holder(final)}" in said
            assert (work.folder / "weights").read_text() == "mine"
            work.commit()
    assert [path.name for path in final.parent.iterdir()] == ["gan"]


APART = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]


def test_of_two_pid_namespaces_neither_takes_the_other_for_dead(final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two containers on one volume: a process that works is heard, one that was killed is not."""
    if subprocess.run([*APART, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no pid namespaces")
    monkeypatch.setenv(TIMEOUT, "1.5")
    with begun(*APART, sys.executable, "-c", STOPPED, final):
        for _ in range(3):
            with pytest.raises(Busy, match="another process is making it"), locked(final):
                pass
    looking._seen.clear()  # as a process that begins now
    with stage(final, KEY, resumable=True) as work:
        assert (work.folder / "weights").exists()
        work.commit()
    assert [path.name for path in final.parent.iterdir()] == ["gan"]


def test_busy_says_who_where_and_since_when(final: Path) -> None:
    """The holder can be found, and is also known without taking the lock."""
    assert holder(final) is None
    with locked(final) as hold:
        held = holder(final)
        assert held is not None
        assert (held.owner, held.alive) == (hold.owner, True)
        with pytest.raises(Busy) as raised, locked(final):
            pass
        owner = hold.owner
        assert f"{owner.job}, pid {os.getpid()} on host {owner.host}, since " in str(raised.value)
        assert len(str(raised.value).splitlines()) == 2
    with locked(final, Shard(1, 2)), locked(final, Shard(12, 20)):
        assert sorted(part_holders(final)) == [1, 12]
        assert holder(final) is None
    assert list(final.parent.iterdir()) == []


def test_one_on_another_machine_is_heard_before_it_is_busy(
    final: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody can tell whether a process runs, its next beat says so; who waits for that is told."""
    owner, beats = elsewhere(), 0
    plant(final.parent / ".gan.lock", owner)

    def beat(seconds: float) -> None:
        nonlocal beats
        beats += 1
        (final.parent / ".gan.lock").write_bytes(owner.to_line() + b"%010d\n" % (beats // 5))

    monkeypatch.setattr("shared.store.locking.taking.time.sleep", beat)
    with pytest.raises(Busy, match="pid 41 on host elsewhere"), locked(final):
        pass
    assert beats == 5
    assert "it is taken over if nothing is heard of it for 120 s" in capsys.readouterr().err


def test_of_a_lock_that_names_nobody_the_shorter_time_is_said(
    final: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is taken over after 10 s, so 10 s are what is announced."""
    lock = final.parent / ".gan.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_bytes(b"")
    monkeypatch.setattr("shared.store.locking.taking.time.sleep", lambda seconds: lock.unlink(missing_ok=True))
    with locked(final):
        said = capsys.readouterr().err
    assert "a process that its lock does not name; it is taken over if nothing is heard of it for 10 s" in said


@pytest.mark.parametrize("part", [None, Shard(0, 2)])
def test_locks_of_killed_processes_are_removed(part: Shard | None, final: Path) -> None:
    """The next process removes what they left, of the whole, of parts, and of locks that they were taking."""
    gone, living = replace(new_owner(), started=1), elsewhere()
    left = [".gan-part-3.lock", ".gan-looking.lock", ".gan-part-3.lock.a1.new", ".gan.lock.b2.over"]
    for name in left:
        plant(final.parent / name, gone)
    (final.parent / ".gan.lock.d4.new").touch()  # killed between opening and writing it
    others = [".gan-other.lock", ".gan2.lock", ".gan.lock.c3.new"]
    for name in others:
        plant(final.parent / name, living)
    with locked(final, part):
        pass
    assert sorted(path.name for path in final.parent.iterdir()) == sorted(others)
    plant(final.parent / ".gan.lock", gone)
    assert finished(final, KEY) is None
    assert sorted(path.name for path in final.parent.iterdir()) == sorted(others)


def test_a_dead_part_elsewhere_does_not_hold_up_the_whole_for_ever(
    final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a machine that is lost is given up after its silence, as any lock is."""
    monkeypatch.setenv(TIMEOUT, "0.1")
    plant(final.parent / ".gan-part-1.lock", elsewhere())
    with locked(final):
        pass
    assert list(final.parent.iterdir()) == []


@pytest.mark.parametrize("part", [None, Shard(0, 2)])
def test_no_lock_is_left_wherever_a_process_is_killed(
    part: Shard | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL before each durable step of a work, those of its locks included: the next run leaves the artifact alone.

    Nothing waits for the silence of the killed one.
    """
    killed = 0
    for number in itertools.count(1):
        final = tmp_path / str(number) / "gan"
        child = os.fork()
        if not child:
            os.environ[steps.FAIL_AT] = str(number)
            steps.watch()
            make(final, part)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if finished(final, KEY) is None:
            make(final, part)
        assert [path.name for path in final.parent.iterdir()] == ["gan"], number
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
    assert killed > 20


def make(final: Path, part: Shard | None) -> None:
    """Make an artifact, as the whole or as the last of its parts."""
    with stage(final, KEY, resumable=True, shard=part) as work:
        write_whole(work.folder / "weights", b"w")
        with locked(final, wait=True) if part else nullcontext():
            work.commit()


@pytest.mark.fault(1)
def test_a_volume_without_flock_has_locks(final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of lock of the system is refused, as on Lustre without `-o flock`: work is locked and committed."""

    def refused(*words: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    for name in ("flock", "lockf", "fcntl"):
        monkeypatch.setattr(fcntl, name, refused)
    with stage(final, KEY, resumable=False) as work:
        with pytest.raises(Busy), locked(final):
            pass
        work.commit()
    assert [path.name for path in final.parent.iterdir()] == ["gan"]


@pytest.mark.fault(1)
@pytest.mark.parametrize(("name", "code"), [("ESTALE", 1), ("EIO", 1), ("ENOLCK", 1), ("EACCES", 2), ("EROFS", 2)])
def test_what_may_pass_is_tried_again(name: str, code: int, final: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a network file system that may be gone next time ends with 1, what must be changed with 2."""
    number = getattr(errno, name)

    def refused(path: Path, payload: bytes) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("shared.store.locking.taking.write_file", refused)
    with pytest.raises(HalfrealError, match="cannot be written to") as raised, locked(final):
        pass
    assert raised.value.exit_code == code
    assert isinstance(raised.value, BadInput) == (code == 2)
