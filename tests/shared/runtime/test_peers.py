"""Who is dead among the processes that train together, and how soon the others know."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.errors import Interrupted
from shared.runtime.together import peers as module
from shared.runtime.together.peers import Peers, Sign, parse, together

ROOT = Path(__file__).resolve().parents[3]


class Memory:
    """A store of one process."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.is_there = True

    def set(self, key: str, value: str) -> None:
        """Write a value."""
        if not self.is_there:
            raise RuntimeError("connection reset")
        self.values[key] = value

    def get(self, key: str) -> bytes:
        """Return a value."""
        if not self.is_there:
            raise RuntimeError("connection reset")
        return self.values[key].encode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the monotonic clock of `peers`, which only a test moves."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def pair(store: Memory) -> tuple[Peers, Peers]:
    """Return the views of two processes that have heard of each other."""
    both = Peers(store, 0, 2, 30.0), Peers(store, 1, 2, 30.0)
    for peers in (*both, both[0]):
        peers.look()
    return both


def test_a_sign_comes_back_as_it_was() -> None:
    """Also the name of a host with a space in it."""
    sign = Sign(3, 4, "a host", "75")
    assert parse(sign.text) == sign


def test_a_process_that_is_silent_is_dead(clock: list[float]) -> None:
    """Not after 30 seconds, but after more: it is named by its number, its process and its host."""
    first, second = pair(Memory())
    for _ in range(15):
        clock[0] += 2
        first.look()
    assert (first.dead(), second.dead()) == ("", "")
    clock[0] += 1
    second.look()  # it hears of the first one, which is there
    assert second.dead() == ""
    assert first.dead().startswith(f"process 1 (pid {os.getpid()} on ")
    assert first.dead().endswith("died: nothing was heard of it for 30 s")
    first.look()
    assert first.dead() == ""  # a machine that slept, say


@pytest.mark.parametrize(("code", "fails"), [(0, False), (75, False), (1, True), (2, True)])
def test_one_that_ends_in_order_is_not_missed(clock: list[float], code: int, fails: bool) -> None:
    """Done or stopped with all others; another exit code leaves them waiting, and an error asks for any."""
    first, second = pair(Memory())
    second.leave(code)
    clock[0] += 100
    first.look()
    said = f"process 1 (pid {os.getpid()} on {socket.gethostname()}) ended with exit code {code}"
    assert first.dead() == (said if fails else "")
    assert first.dead(ended=True) == said


def test_the_store_goes_with_the_first_process(clock: list[float]) -> None:
    """Then the first one, or the launcher that has the store, is dead; not where it had said that it was done."""
    store = Memory()
    first, second = pair(store)
    store.is_there = False
    second.look()
    assert second.dead() == "process 0, or the launcher, died: its store does not answer"
    store.is_there = True
    first, second = pair(store)
    first.leave(0)
    second.look()
    store.is_there = False
    second.look()
    assert second.dead() == ""


def test_an_error_of_one_process_alone_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all others are there an error is raised as it is, at once, also without any other process."""
    for watched in ([], [pair(Memory())[0]]):
        monkeypatch.setattr(module, "WATCHED", watched)
        started = time.monotonic()
        with pytest.raises(RuntimeError, match="shapes"), together(lambda: None):
            raise RuntimeError("shapes do not match")
        assert time.monotonic() - started < 1


def test_a_lost_connection_names_who_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of gloo waits until it is known who died; a signal to this process ends the wait."""
    first, _ = pair(Memory())
    first.silence_s = 0.2
    monkeypatch.setattr(module, "WATCHED", [first])
    lost = "gloo/transport/tcp/pair.cc: Connection closed by peer"
    with pytest.raises(Interrupted, match=r"process 1 \(.*\) died.*\n.*same command again"), together(lambda: None):
        raise RuntimeError(lost)

    def stop() -> None:
        raise Interrupted("stopped by SIGTERM")

    first.silence_s = 60
    with pytest.raises(Interrupted, match="SIGTERM"), together(stop):
        raise RuntimeError(lost)


LOOP = """
import sys
from shared.cli.exit_codes import exit_with
from shared.runtime.together.peers import together
from shared.runtime.process_group import ProcessGroup

def run():
    group, said = ProcessGroup("cpu"), False
    with together(lambda: None):
        while True:
            group.any(False)
            if group.rank == 0 and not said:
                said = True
                print("there", flush=True)

exit_with(run)
"""


@pytest.mark.slow
@pytest.mark.parametrize("killed", [1, 0])
def test_a_process_that_is_killed_ends_the_other_with_75(killed: int) -> None:
    """SIGKILL to one of two: the other ends within a minute, here of 3 s of silence, and says which one died."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP],
            env=os.environ
            | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "PYTHONPATH": str(ROOT)}
            | {module.SILENCE_VARIABLE: "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    other = processes[1 - killed]
    try:
        assert processes[0].stdout is not None
        assert processes[0].stdout.readline() == "there\n"
        processes[killed].send_signal(signal.SIGKILL)
        _, said = other.communicate(timeout=60)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert other.returncode == 75, said
    assert f"error: process {killed}" in said
    assert "died" in said
    assert "run the same command again" in said
