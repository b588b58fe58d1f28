"""Whether the owner of a lock is still there: by the table of processes, where that is its own machine's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from shared.store.locking.owner import Owner, machine, new_owner, parsed


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def owner_of(process: "subprocess.Popen[bytes]") -> Owner:
    """Return a process as an owner."""
    with open(f"/proc/{process.pid}/stat", "rb") as stat:  # noqa: PTH123
        started = int(stat.read().rpartition(b")")[2].split()[19])
    return replace(new_owner(), pid=process.pid, started=started)


def test_a_process_is_known_by_its_number_and_its_start(child: "subprocess.Popen[bytes]") -> None:
    """It runs; another process that has got its number by now is not it; a dead one is gone before anybody waits."""
    owner = owner_of(child)
    assert owner.is_running() is True
    assert replace(owner, started=owner.started - 1).is_running() is False
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays in the table, as a zombie
    assert owner.is_running() is False
    child.wait()
    assert owner.is_running() is False


def test_a_stopped_process_may_run_again(child: "subprocess.Popen[bytes]") -> None:
    """Its silence must tell, since it may never be continued."""
    owner = owner_of(child)
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    assert owner.is_running() is None
    os.kill(child.pid, signal.SIGCONT)
    os.waitid(os.P_PID, child.pid, os.WCONTINUED)
    assert owner.is_running() is True


@pytest.mark.parametrize("field", ["host", "boot_id", "pid_ns"])
def test_another_machine_is_not_asked_by_number(field: str) -> None:
    """A number says nothing where host, start of the machine or pid namespace differ, be it in use here or not."""
    for pid in (os.getpid(), 2**22 + 1):
        assert replace(new_owner(), pid=pid, **{field: "other"}).is_running() is None


def test_a_machine_that_tells_nothing_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where boot id and namespace cannot be read, two machines are not taken for one because both lack them."""
    nowhere = replace(machine(os.getpid()), boot_id="", pid_ns="")
    monkeypatch.setattr("shared.store.locking.owner.machine", lambda pid: nowhere)
    assert new_owner().boot_id == ""
    assert new_owner().is_running() is None


def test_an_owner_is_read_as_it_was_written() -> None:
    """Every field comes back."""
    owner = new_owner()
    assert parsed(owner.to_line()) == owner


HOSTILE = {
    "no JSON": b"\0" * 100,
    "another kind": b"[1, 2]",
    "deep": b"[" * 4000,
    "a field is missing": json.dumps({"token": "a"}).encode(),
    "escapes of a terminal": json.dumps(asdict(new_owner()) | {"job": "\x1b]0;owned\x07"}).encode(),
    "a path": json.dumps(asdict(new_owner()) | {"token": "../../x"}).encode(),
    "no number": json.dumps(asdict(new_owner()) | {"pid": "1"}).encode(),
    "every process": json.dumps(asdict(new_owner()) | {"pid": -1}).encode(),
    "no process": json.dumps(asdict(new_owner()) | {"pid": 2**40}).encode(),
    "no time": json.dumps(asdict(new_owner()) | {"since": 1e300}).encode(),
    "NaN": json.dumps(asdict(new_owner()) | {"since": float("nan")}).encode(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_lock_that_is_none_names_nobody(name: str) -> None:
    """What is in the file is used as a name, shown and sent signal 0: only what an owner writes is."""
    assert parsed(HOSTILE[name]) is None
